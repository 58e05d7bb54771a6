"""When the cells of a pack keep a checkpoint, and from where each goes on.

A checkpoint belongs to one cell. The cells of a pack that kept one at the same update go on together, in whatever pack
they are now; those of another update are a pack of their own after them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sweeps.config.schema import NO_PROBE, Settings
from sweeps.engine.checkpoint import State, misfit, state_of
from sweeps.engine.device import name_of
from sweeps.engine.native import kernels
from sweeps.engine.recurrences import choose
from sweeps.engine.setup import Training
from sweeps.engine.train import Measurement
from sweeps.errors import SweepsError, message_of
from sweeps.execute.measured import as_arrays, from_arrays
from sweeps.execute.recorder import Recorder
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.records.checkpoint import Checkpoint, Head, read_checkpoint, write_checkpoint
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.versions import processor, versions

Say = Callable[[str], None]


@dataclass(frozen=True)
class Start:
    """From where a cell goes on: the first update, without a state, or a checkpoint that fits."""

    cell: Cell
    step: int = 0
    seconds: float = 0.0  # of one core so far
    state: State | None = None
    measured: list[Measurement] = field(default_factory=list)


def made_with(settings: Settings) -> dict[str, str]:
    """Everything that decides the bytes of a cell trained here now beside its settings, by name."""
    kernel = choose(settings.arch.name, settings.executor.kernel, settings.executor.device)
    native = kernels() if kernel == "native" else None
    libraries = {name: versions()[name] for name in ("torch", "numpy")}
    built = {"instructions": str(native.instructions), "build": str(native.build)} if native else {}
    machine = {"device": name_of(settings.executor.device), "processor": processor()}
    asked = {} if settings.probe == NO_PROBE else {"probe": settings.probe}
    return {**libraries, "kernel": kernel, **built, **machine, **asked}


def starts(pack: Pack, sweep: SweepPaths, made: Mapping[str, str], say: Say) -> list[list[Start]]:
    """The cells of a pack in groups of one update, the one that is furthest first.

    Args:
        made: with what the pack is trained, `made_with`.
        say: called with a sentence for every group that goes on and for every reason to start anew.
    """
    groups: dict[int, list[Start]] = {}
    anew: Counter[str] = Counter()
    for cell in pack.cells:
        try:
            start = _start(cell, sweep.cell(cell.id), made)
        except SweepsError as error:
            anew[str(error)] += 1
            start = Start(cell)
        groups.setdefault(start.step, []).append(start)
    for reason, count in anew.items():
        say(f"starting anew{_some(count, pack)}: {reason}")
    furthest = sorted(groups, reverse=True)
    for step in furthest:
        if step:
            say(f"going on from update {step} of {pack.cells[0].settings.train.steps}{_some(len(groups[step]), pack)}")
    return [groups[step] for step in furthest]


def _some(count: int, pack: Pack) -> str:
    return "" if count == len(pack.cells) else f" ({count} of the cells)"


def _start(cell: Cell, paths: CellPaths, made: Mapping[str, str]) -> Start:
    """Raises SweepsError where there is a checkpoint that cannot be used."""
    checkpoint = read_checkpoint(paths.checkpoint, cell.id, made)
    if checkpoint is None:
        return Start(cell)
    executor, head = cell.settings.executor, checkpoint.head
    why = misfit(cell.settings, checkpoint.state, executor.kernel, executor.device)
    if not 0 < head.step <= cell.settings.train.steps:
        why = f"it is of update {head.step} of {cell.settings.train.steps}"
    if why is not None:
        raise SweepsError(f"{paths.checkpoint.name} does not fit: {why}")
    try:
        measured = from_arrays(checkpoint.rows)
    except (ValueError, TypeError, LookupError) as error:
        raise SweepsError(f"{paths.checkpoint.name} holds no rows: {error}") from error
    return Start(cell, head.step, head.seconds, checkpoint.state, measured)


class Keeper:
    """Writes checkpoints of all cells of a pack that are running, every so often; called between two updates."""

    def __init__(self, recorders: Mapping[int, Recorder], made: Mapping[str, str], minutes: float, say: Say) -> None:
        """A keeper that begins to count the minutes now.

        Args:
            recorders: of the running cells, by position.
            made: with what they are trained, `made_with`.
        """
        self.recorders, self.made, self.minutes, self.say = recorders, made, minutes, say
        self._due = time.monotonic() + 60 * minutes

    def __call__(self, training: Training, step: int) -> None:
        if time.monotonic() < self._due:
            return
        errors = []
        for k in training.running:
            try:
                self._keep(self.recorders[training.positions[k]], state_of(training, k), step)
            except OSError as error:  # the records may find room when they are written; training goes on
                errors.append(error)
        if errors:
            self.say(f"no checkpoint at update {step}: {message_of(errors[0])}")
        self._due = time.monotonic() + 60 * self.minutes

    def _keep(self, recorder: Recorder, state: State, step: int) -> None:
        head = Head(recorder.cell.id, step, recorder.seconds, self.made)
        write_checkpoint(recorder.paths.checkpoint, Checkpoint(head, state, as_arrays(recorder.measured)))
