"""Builds a pack from settings: the networks with their initial weights, data, clipping and optimiser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sweeps import tasks
from sweeps.config.schema import Settings
from sweeps.engine.clip import Clipper
from sweeps.engine.data import Data
from sweeps.engine.initial_weights import initialise
from sweeps.engine.network import Network
from sweeps.engine.optim import OPTIMIZERS, Optimizer
from sweeps.engine.patience import Patience
from sweeps.engine.penalty import Penalties
from sweeps.engine.recurrences import Sizes
from sweeps.engine.schedule import Schedules


@dataclass
class Training:
    """A pack in training: cells of one shape, one cell per lane.

    Attributes:
        positions: `positions[k]` is the index of lane k's cell in the settings passed to `set_up`.
        running: the lanes whose cell has not ended.
        patience: of early stopping.
        batches: of an update.
        skips: whether an update that is not finite is left out; else the run has diverged.
        skipped: how many each lane has left out so far, `[K]`.
    """

    positions: list[int]
    task: tasks.Task
    network: Network
    data: Data
    penalties: Penalties
    clip: Clipper
    optimizer: Optimizer
    schedules: Schedules
    patience: Patience
    batches: int = 1
    skips: bool = False

    def __post_init__(self) -> None:
        self.running = list(range(len(self.positions)))
        self.skipped = torch.zeros(len(self.positions), dtype=torch.int64)

    def look(self, scores: Sequence[tuple[float | None, float | None]]) -> list[bool]:
        """Tell the schedules the evaluation loss of each lane, None between evaluations; the other number is not used.

        Returns:
            Whether each lane is to end, because its patience ran out (early stopping).
        """
        losses = [loss for loss, _ in scores if loss is not None]
        if not losses:
            return [False] * len(scores)
        self.schedules.patience.evaluated(losses)
        return self.patience.evaluated(losses).tolist()

    def set_rates(self, step: int) -> None:
        """Set the learning rate of each lane for the update that comes after so many."""
        if self.schedules.change:
            self.optimizer.change_lr(self.schedules.rates(step))

    def skip(self, lanes: Sequence[int]) -> None:
        """Count an update that these lanes leave out; a stream goes on from zeros, not from what may be no number."""
        self.skipped[list(lanes)] += 1
        if self.data.end is not None:
            self.data.end[list(lanes)] = 0.0

    def end(self, ended: Sequence[int], spare: float = 0.0) -> bool:
        """Remove lanes whose cells have ended. The numbers of the others do not change.

        Args:
            ended: these lanes.
            spare: share of the lanes that may have ended before the pack is rebuilt smaller.

        Returns:
            Whether the pack was rebuilt smaller. The remaining lanes are then renumbered.
        """
        self.running = [k for k in self.running if k not in ended]
        if not self.running or len(self.running) >= (1 - spare) * len(self.positions):
            return False
        kept = self.running
        self.positions = [self.positions[k] for k in kept]
        self.network = self.network.keep(kept)
        self.data.keep(kept)
        self.penalties = self.penalties.keep(kept)
        self.clip = self.clip.keep(kept)
        self.optimizer.keep(kept)
        self.schedules.keep(kept)
        self.patience.keep(kept)
        self.skipped = self.skipped[kept]
        self.running = list(range(len(kept)))
        return True


def set_up(settings: Sequence[Settings], kernel: str = "auto", device: torch.device | str = "cpu") -> Training:
    """A pack ready to train.

    Args:
        settings: of cells of one shape, one per lane; `plan.packs.VARIES` lists the settings that may differ.
        kernel: `native`, `torch`, or `auto` for the fastest that this machine has.
    """
    first = settings[0]
    task = tasks.task_of(first.task)
    train = first.train
    sizes = Sizes(
        len(settings), task.length, train.batch, task.inputs, first.arch.hidden, device, train.truncate,
        source=tasks.source(task),
    )  # fmt: skip
    every = tasks.answers(task) == "every"
    network = Network(
        first.arch.name, sizes, task.outputs, task.loss, kernel, first.arch.options, first.stack, every,
        tasks.vector(task),
    )  # fmt: skip
    for lane, each in enumerate(settings):
        initialise(network, lane, each, task)
    return Training(
        positions=list(range(len(settings))),
        task=task,
        network=network,
        data=Data(
            first.task.name,
            task,
            [each.seed for each in settings],
            first.train.batch,
            first.train.eval_size,
            device,
            states=network.start_width,
            drawn=first.stack.start == "random",
            drawn_scale=first.stack.start_scale,
            drops=network.drops,
        ),
        penalties=Penalties(
            [each.penalty.name for each in settings], [_numbers(each.penalty.options) for each in settings], device
        ),
        clip=Clipper(
            [each.clip.name for each in settings],
            [each.clip.threshold for each in settings],
            device,
            [_numbers(each.clip.options) for each in settings],
            network.p.places,
        ),
        optimizer=OPTIMIZERS[first.optim.name](
            network.p.flat, [{"lr": each.optim.lr, **_numbers(each.optim.options)} for each in settings]
        ),
        schedules=Schedules(settings),
        patience=Patience([each.train.patience or math.inf for each in settings], [0.0] * len(settings)),
        batches=train.accumulate,
        skips=train.skip_nonfinite,
    )


def _numbers(options: dict[str, bool | int | float | str]) -> dict[str, float]:
    return {name: float(value) for name, value in options.items()}
