"""From settings to a pack that is ready to train: its network with initial weights, data, clipper and optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sweeps import tasks
from sweeps.config.schema import Settings
from sweeps.engine.clip import Clipper
from sweeps.engine.data import Data
from sweeps.engine.init import INITS, glorot
from sweeps.engine.network import Network
from sweeps.engine.optim import OPTIMIZERS, Optimizer
from sweeps.engine.randomness import generator
from sweeps.engine.recurrences import Sizes


@dataclass
class Pack:
    """What trains together. `lanes[k]` says which of the cells lane k is, `running` which lanes have not ended."""

    lanes: list[int]
    task: tasks.Task
    network: Network
    data: Data
    clip: Clipper
    optimizer: Optimizer

    def __post_init__(self) -> None:
        self.running = list(range(len(self.lanes)))

    def end(self, ended: Sequence[int], spare: float = 0.0) -> bool:
        """Let some lanes go, by position; the others do not notice.

        Args:
            spare: share of the lanes that may be of ended cells; while it is not exceeded the pack stays as it is.

        Returns:
            Whether the pack was made smaller: lane numbers are then others.
        """
        self.running = [k for k in self.running if k not in ended]
        if not self.running or len(self.running) >= (1 - spare) * len(self.lanes):
            return False
        kept = self.running
        self.lanes = [self.lanes[k] for k in kept]
        self.network = self.network.keep(kept)
        self.data.keep(kept)
        self.clip = self.clip.keep(kept)
        self.optimizer.keep(kept)
        self.running = list(range(len(kept)))
        return True


def set_up(cells: Sequence[Settings], kernel: str = "auto", device: torch.device | str = "cpu") -> Pack:
    """A pack of cells of one shape; what may differ among them is named in `plan.packs`.

    Args:
        kernel: `native`, `torch` or `auto`, the fastest there is on this machine.
    """
    first = cells[0]
    task = tasks.task_of(first.task)
    sizes = Sizes(len(cells), first.task.length, first.train.batch, task.inputs, first.arch.hidden, device)
    network = Network(first.arch.name, sizes, task.outputs, task.loss, kernel)
    for lane, cell in enumerate(cells):
        initialise(network, lane, cell)
    return Pack(
        lanes=list(range(len(cells))),
        task=task,
        network=network,
        data=Data(task, [cell.seed for cell in cells], first.train.batch, first.train.eval_size, device),
        clip=Clipper([cell.clip.name for cell in cells], [cell.clip.threshold for cell in cells], device),
        optimizer=OPTIMIZERS[first.optim.name](
            network.p.flat, [{"lr": cell.optim.lr, **_numbers(cell.optim.options)} for cell in cells]
        ),
    )


def initialise(network: Network, lane: int, cell: Settings) -> None:
    """Draw the weights of one lane: each parameter, each gate block, from a stream of its own.

    Input and readout weights depend on the seed, the gate and the shape alone, so cells that differ in `init` share
    them. Biases are zero but for the forget gate's.
    """
    hidden, gates = network.sizes.hidden, network.recurrence.gates
    for name, weights in network.p.items():
        if name in ("weight_ih", "weight_hh"):
            for gate, block in zip(gates, weights[lane].split(hidden, -1), strict=True):
                rng = generator(cell.seed, "init", name, gate)
                if name == "weight_hh":
                    _assign(block, INITS[cell.init.name](rng, hidden, cell.init.gain, **cell.init.options))
                else:
                    _assign(block, glorot(rng, len(block), hidden))
        elif weights.dim() == 3:
            _assign(weights[lane], glorot(generator(cell.seed, "init", name), *weights.shape[1:]))
    if "f" in gates and "forget_bias" in cell.arch.options:
        forget = network.p["bias"][lane].split(hidden, -1)[gates.index("f")]
        forget.fill_(float(cell.arch.options["forget_bias"]))


def _assign(target: torch.Tensor, value: np.ndarray) -> None:
    target.copy_(torch.from_numpy(value))


def _numbers(options: dict[str, bool | int | float | str]) -> dict[str, float]:
    return {name: float(value) for name, value in options.items()}
