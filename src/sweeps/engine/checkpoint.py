"""What a lane needs to go on in another process and another pack, and the weights that a cell ends with, as arrays.

Everything else a pack holds follows from the settings (data sets, thresholds, rates) or is written anew by each update.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from sweeps.config.schema import Settings
from sweeps.engine.network import Network
from sweeps.engine.parameters import recorded
from sweeps.engine.setup import Training, set_up
from sweeps.tasks import streams

State = Mapping[str, np.ndarray]
"""One lane between two updates: `weights [P]`, the state of the optimiser, the generators of what its
batches draw, and, where there are such, the network's states `[B, S]` that the next batch of a stream goes on from,
what the evaluations so far say to a plateau (`plateau`) and to early stopping (`patience`): `Patience.state`, and the
norms that adaptive clipping looks at (`clip.norms`, `clip.count`): `NormHistory`, and how many updates were left out
(`skipped`)."""

GENERATORS = "generators"


def state_of(training: Training, lane: int) -> dict[str, np.ndarray]:
    """A copy of the state of a lane."""
    generators = {name: rng.bit_generator.state for name, rng in training.data.generators(lane).items()}
    text = np.frombuffer(json.dumps(generators).encode(), dtype=np.uint8)
    return {name: _copy(values) for name, values in _tensors(training, lane).items()} | {GENERATORS: text}


def _tensors(training: Training, lane: int) -> dict[str, Tensor]:
    """What a lane's state is of its pack's memory, by name."""
    optimizer = {f"optimizer.{name}": values[lane] for name, values in training.optimizer.state.items()}
    carried = {} if training.data.end is None else {"carried": training.data.end[lane]}
    counted = {"plateau": training.schedules.patience, "patience": training.patience}
    waiting = {name: torch.from_numpy(of.state[lane]) for name, of in counted.items() if of.most[lane] < math.inf}
    norms = {f"clip.{name}": values for name, values in training.clip.state(lane).items()}
    skipped = {"skipped": training.skipped[lane : lane + 1]} if training.skips else {}
    return {"weights": training.network.p.flat[lane], **optimizer, **carried, **waiting, **norms, **skipped}


def restore(training: Training, states: Sequence[State], step: int) -> None:
    """Put states into the lanes of a new pack in place, before its `Update` is made.

    Args:
        states: one for each lane.
        step: updates that they have had. A task that streams is asked for all batches of these: where a stream
            is may not be told by the generator alone.

    Raises:
        ValueError, TypeError, KeyError: a state is not of this pack's shape, optimiser or generator.
    """
    for _ in range(step * training.batches if states and streams(training.task) else 0):
        training.data.next()
    for lane, state in enumerate(states):
        tensors, generators = _tensors(training, lane), training.data.generators(lane)
        if different := sorted(state.keys() ^ {*tensors, GENERATORS}):
            raise ValueError(f"{different[0]} is in one of the two alone")
        for name, held in tensors.items():
            values = torch.from_numpy(state[name])
            if (values.dtype, values.shape) != (held.dtype, held.shape):
                raise ValueError(f"{name} is {values.dtype} {list(values.shape)}, not {held.dtype} {list(held.shape)}")
            held.copy_(values)
        kept = json.loads(state[GENERATORS].tobytes())
        for name, rng in generators.items():
            rng.bit_generator.state = kept[name]


def misfit(settings: Settings, state: State, kernel: str, device: str) -> str | None:
    """Why a cell cannot go on from a state, found by putting it into a pack of its own; None if it can."""
    try:
        restore(set_up([settings], kernel, device), [state], 0)
    except (ValueError, TypeError, KeyError) as error:
        return str(error)
    return None


def weights_of(network: Network, lane: int) -> dict[str, np.ndarray]:
    """A copy of the weights of a lane, float32, by the names of the records."""
    parameters = network.parameters(network.options).items()
    parts = [recorded(name, parameter, network.p[name][lane]) for name, parameter in parameters]
    return {name: _copy(values) for part in parts for name, values in part.items()}


def _copy(values: Tensor) -> np.ndarray:
    return np.array(values.numpy(force=True), order="C")
