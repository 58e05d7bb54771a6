"""What a lane needs to go on in another process and another pack, and the weights that a cell ends with, as arrays.

Everything else a pack holds follows from the settings (data sets, thresholds, rates) or is written anew by each update.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from sweeps.config.schema import Settings
from sweeps.engine.network import Network
from sweeps.engine.parameters import recorded
from sweeps.engine.setup import Training, set_up

State = Mapping[str, np.ndarray]
"""One lane between two updates: `weights [P]`, the state of the optimiser, the generator of its batches."""

WEIGHTS, OPTIMIZER, BATCHES = "weights", "optimizer.", "batches"


def state_of(training: Training, lane: int) -> dict[str, np.ndarray]:
    """A copy of the state of a lane."""
    generator = json.dumps(training.data.stream(lane).bit_generator.state)
    optimizer = training.optimizer.state.items()
    return {
        WEIGHTS: _copy(training.network.p.flat[lane]),
        **{f"{OPTIMIZER}{name}": _copy(value[lane]) for name, value in optimizer},
        BATCHES: np.frombuffer(generator.encode(), dtype=np.uint8),
    }


def restore(training: Training, states: Sequence[State]) -> None:
    """Put states into the lanes of a pack in place, before its `Update` is made.

    Args:
        states: one for each lane, all after as many updates.

    Raises:
        ValueError, TypeError, KeyError: a state is not of this pack's shape, optimiser or generator.
    """
    for lane, state in enumerate(states):
        usual = state_of(training, lane)
        for name, values in usual.items():
            if name not in state or state[name].dtype != values.dtype:
                raise ValueError(f"it has no {name} of {values.dtype}")
            if name != BATCHES and state[name].shape != values.shape:
                raise ValueError(f"{name} has the shape {state[name].shape}, not {values.shape}")
        if extra := sorted(state.keys() - usual.keys()):
            raise ValueError(f"it has {extra[0]}, which is nothing here")
        training.network.p.flat[lane].copy_(torch.from_numpy(state[WEIGHTS]))
        for name, held in training.optimizer.state.items():
            held[lane].copy_(torch.from_numpy(state[f"{OPTIMIZER}{name}"]))
        training.data.stream(lane).bit_generator.state = json.loads(state[BATCHES].tobytes())


def misfit(settings: Settings, state: State, kernel: str, device: str) -> str | None:
    """Why a cell cannot go on from a state, found by putting it into a pack of its own; None if it can."""
    try:
        restore(set_up([settings], kernel, device), [state])
    except (ValueError, TypeError, KeyError) as error:
        return str(error)
    return None


def weights_of(network: Network, lane: int) -> dict[str, np.ndarray]:
    """A copy of the weights of a lane, float32, by the names of the records."""
    parameters = network.parameters(network.options).items()
    parts = [recorded(name, parameter, network.p[name][lane]) for name, parameter in parameters]
    return {name: _copy(values) for part in parts for name, values in part.items()}


def _copy(values: torch.Tensor) -> np.ndarray:
    return np.array(values.numpy(force=True), order="C")
