"""Runs a plan to its end: what is done is what the records say; a lost pack is retried smaller; failures are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from sweeps.errors import SweepsError
from sweeps.execute.base import Ended, Executor, Message
from sweeps.execute.computed import by
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.plan.plan import Plan
from sweeps.records.files import write_json
from sweeps.records.lock import Held, hold
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import finished, in_the_way

ATTEMPTS = 2
"""How often a cell may be lost while alone in its pack before it counts as failed."""


@dataclass
class Result:
    """How a sweep ended: an outcome per cell, and why cells failed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)  # cell id -> reason
    solved: set[str] = field(default_factory=set)  # cells that reached the task's score, whatever followed
    ways: Counter[str] = field(default_factory=Counter)  # how the done cells were computed


@contextmanager
def locked(sweep: SweepPaths) -> Iterator[None]:
    """Hold the sweep's folder; the lock ends with the process, however it ends.

    Raises:
        SweepsError: another sweep is writing there.
    """
    sweep.root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(sweep.lock))
        except Held:
            raise SweepsError(f"another sweep is writing to {sweep.root}; wait for it or set runs_dir") from None
        yield


def run(plan: Plan, sweep: SweepPaths, executor: Executor, watch: Callable[[Message | Ended], None]) -> Result:
    """Train every pack of the plan; returns when each cell is done or has failed."""
    result = Result()
    alone: dict[str, int] = {}  # cell id -> times it was lost in a pack of its own
    packs: Sequence[Pack] = [Pack(rest) for pack in plan.packs if (rest := _free(_missing(pack, sweep), sweep, result))]
    while packs:
        again: list[Pack] = []
        _tidy(packs, sweep)
        for event in executor.run(packs, sweep.root):
            watch(event)
            if isinstance(event, Ended):
                again += _after(event, sweep, result, alone)
        packs = again
    for cell in plan.cells:
        summary = finished(sweep.cell(cell.id))
        if summary:
            result.outcomes[cell.id] = summary.outcome
            result.ways[by(summary)] += 1
            if summary.solved_step is not None:
                result.solved.add(cell.id)
        else:
            result.failures.setdefault(cell.id, "the executor never reported the end of its pack")
    return result


def _missing(pack: Pack, sweep: SweepPaths) -> tuple[Cell, ...]:
    """The cells of a pack that are not done."""
    return tuple(cell for cell in pack.cells if finished(sweep.cell(cell.id)) is None)


def _free(cells: Sequence[Cell], sweep: SweepPaths, result: Result) -> tuple[Cell, ...]:
    """The cells whose folders hold no other cell's record; the others have failed."""
    taken = {cell.id: reason for cell in cells if (reason := in_the_way(sweep.cell(cell.id))) is not None}
    result.failures |= taken
    return tuple(cell for cell in cells if cell.id not in taken)


def _tidy(packs: Sequence[Pack], sweep: SweepPaths) -> None:
    """Remove what workers that were killed left half written in the folders of cells that nobody trains now."""
    for pack in packs:
        for cell in pack.cells:
            for path in sweep.cell(cell.id).root.glob(".*.tmp"):
                with suppress(OSError):  # it is gone, or a folder of somebody's
                    path.unlink()


def _after(event: Ended, sweep: SweepPaths, result: Result, alone: dict[str, int]) -> list[Pack]:
    """What is to be tried again of a pack that ended; what cannot be is written down as failed."""
    missing = _missing(event.pack, sweep)
    if not missing:
        return []
    if len(event.pack.cells) > 1:
        return Pack(missing).split() if len(missing) == len(event.pack.cells) else [Pack(missing)]
    cell = missing[0]
    alone[cell.id] = alone.get(cell.id, 0) + 1
    if event.error is None and alone[cell.id] < ATTEMPTS:
        return [event.pack]
    reason = event.error or f"its worker was {event.lost or 'gone without a record'}, {alone[cell.id]} times"
    fail(cell, sweep, reason)
    result.failures[cell.id] = reason
    return []


def fail(cell: Cell, sweep: SweepPaths, reason: str) -> None:
    """Leave word of a cell that has no numbers. It is not done: the same command tries it again."""
    with suppress(OSError):  # a cell often fails because its folder cannot be written
        write_json(
            sweep.cell(cell.id).failure,
            {"cell": cell.id, "name": cell.name, "outcome": "failed", "reason": reason},
        )
