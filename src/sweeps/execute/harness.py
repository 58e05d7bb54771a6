"""Runs a plan to its end, on any executor.

A cell is done if its record is complete. A pack whose worker died is split and tried again; a cell that cannot be
trained has failed, with a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from sweeps.errors import SweepsError
from sweeps.execute.done import done
from sweeps.execute.executor import Ended, Executor, Message
from sweeps.execute.kernels import described
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.plan.plan import Plan
from sweeps.records.files import write_json
from sweeps.records.lock import Held, hold
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import in_the_way

ATTEMPTS = 2
"""How often a worker may die training a cell in a pack of its own before the cell counts as failed."""

A_LOOK = 0.3
"""Seconds to wait for the lock: a dashboard that looks whether it is held has it for microseconds."""


@dataclass
class Result:
    """How a sweep ended: an outcome per cell, and why cells failed."""

    outcomes: dict[str, str] = field(default_factory=dict)  # cell id -> outcome in its summary
    failures: dict[str, str] = field(default_factory=dict)  # cell id -> reason
    solved: set[str] = field(default_factory=set)  # ids of cells that reached the task's score, diverged later or not
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)  # cells by architecture and what computed them


@contextmanager
def locked(sweep: SweepPaths) -> Iterator[None]:
    """Hold the lock on a sweep's folder; it is released with the process, however that ends.

    Whoever holds it owns the status file: what an earlier sweep has left of it is removed.

    Raises:
        SweepsError: another process holds it.
    """
    sweep.root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(sweep.lock, wait=A_LOOK))
        except Held:
            raise SweepsError(f"another sweep is writing to {sweep.root}; wait for it or set runs_dir") from None
        with suppress(OSError):  # there is none
            sweep.status.unlink()
        yield


def run(plan: Plan, sweep: SweepPaths, executor: Executor, watch: Callable[[Message | Ended], None]) -> Result:
    """Train every pack of the plan; returns when each cell is done or has failed.

    Args:
        watch: called with each message of the executor, for a progress display.
    """
    result = Result()
    attempts: dict[str, int] = {}  # cell id -> times it was lost in a pack of its own
    packs: Sequence[Pack] = [
        Pack(cells) for pack in plan.packs if (cells := _trainable(_unfinished(pack, sweep), sweep, result))
    ]
    while packs:
        again: list[Pack] = []
        _remove_temporary_files(packs, sweep)
        for event in executor.run(packs, sweep.root):
            watch(event)
            if isinstance(event, Ended):
                again += _to_retry(event, sweep, result, attempts)
        packs = again
    for cell in plan.cells:
        summary = done(cell, sweep)
        if summary:
            result.outcomes[cell.id] = summary.outcome
            result.ways[cell.settings.arch.name, described(summary)] += 1
            if summary.solved_step is not None:
                result.solved.add(cell.id)
        else:
            result.failures.setdefault(cell.id, "the executor never reported the end of its pack")
    return result


def _unfinished(pack: Pack, sweep: SweepPaths) -> tuple[Cell, ...]:
    """The cells of a pack that are not done."""
    return tuple(cell for cell in pack.cells if done(cell, sweep) is None)


def _trainable(cells: Sequence[Cell], sweep: SweepPaths, result: Result) -> tuple[Cell, ...]:
    """The cells without those whose folder holds the record of another cell; these are added to the failures."""
    taken = {cell.id: reason for cell in cells if (reason := in_the_way(sweep.cell(cell.id))) is not None}
    result.failures |= taken
    return tuple(cell for cell in cells if cell.id not in taken)


def _remove_temporary_files(packs: Sequence[Pack], sweep: SweepPaths) -> None:
    """Delete the temporary files that a killed sweep and its workers left. None of the packs is running yet."""
    for folder in (sweep.root, *(sweep.cell(cell.id).root for pack in packs for cell in pack.cells)):
        for path in folder.glob(".*.tmp"):
            with suppress(OSError):  # already deleted, or a folder
                path.unlink()


def _to_retry(event: Ended, sweep: SweepPaths, result: Result, attempts: dict[str, int]) -> list[Pack]:
    """The packs in which the unfinished cells of a pack that ended are tried again; records a cell that has failed.

    A pack of which no cell was finished is split, so that a cell that kills its worker ends in a pack of its own. Such
    a cell fails at once if it raised an exception, or after `ATTEMPTS` deaths of its worker.
    """
    cells = _unfinished(event.pack, sweep)
    if not cells:
        return []
    if len(event.pack.cells) > 1:
        return Pack(cells).split() if len(cells) == len(event.pack.cells) else [Pack(cells)]
    cell = cells[0]
    attempts[cell.id] = attempts.get(cell.id, 0) + 1
    if event.error is None and attempts[cell.id] < ATTEMPTS:
        return [event.pack]
    reason = event.error or f"its worker was {event.lost or 'gone without a record'}, {attempts[cell.id]} times"
    fail(cell, sweep, reason)
    result.failures[cell.id] = reason
    return []


def fail(cell: Cell, sweep: SweepPaths, reason: str) -> None:
    """Write `failure.json` for a cell without a record. The cell is not done: the same command tries it again."""
    with suppress(OSError):  # a cell often fails because its folder cannot be written
        write_json(
            sweep.cell(cell.id).failure,
            {"cell": cell.id, "name": cell.name, "outcome": "failed", "reason": reason},
        )
