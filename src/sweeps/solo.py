"""One cell in this process, through the same code as a pack: what a single run and Hydra's basic launcher call."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from omegaconf import DictConfig
from rich.console import Console

from sweeps.config.compose import composed, plain
from sweeps.config.rules import check
from sweeps.errors import ConfigError, SweepsError
from sweeps.execute.computed import chosen, missing
from sweeps.execute.harness import summary
from sweeps.execute.tracking import Mirror
from sweeps.launch import place, problems_here, task_problems
from sweeps.plan.cells import Cell, distinct
from sweeps.plan.packs import Pack
from sweeps.records.files import open_lock
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.summary import in_the_way
from sweeps.terminal import terminal


def one_cell(config: DictConfig) -> None:
    """Train one cell unless it is done; tell how it ended.

    Raises:
        ConfigError: its settings are wrong; nothing was written.
        SweepsError: its folder holds the record of another cell.
        OSError: its record cannot be written.
    """
    settings, problems = composed(plain, config, True)
    if settings is not None:
        wrong = check(settings)
        problems = wrong + task_problems([settings]) if wrong else problems_here([settings])
    if settings is None or problems:
        raise ConfigError(problems)
    [cell] = distinct([settings])
    sweep = place(settings)
    console = terminal()
    if not train(cell, sweep, console):
        console.print(f"Already done. {ending(cell, sweep)}")
    console.print(f"Record: {sweep.cell(cell.id).root}")


def ending(cell: Cell, sweep: SweepPaths) -> str:
    """How a cell that is done has ended, in a sentence."""
    found = summary(sweep.cell(cell.id))
    assert found is not None
    best, name = found["best"].get("eval_score"), (found.get("task") or {}).get("score") or "score"
    score = f", best {name} {best:.3f}" if isinstance(best, float) else ""
    why = f" ({found['reason']})" if found.get("reason") else ""
    solved, end = found["solved_step"], found["step"]
    when = (
        f"{found['outcome']}{why} at step {end}"
        if found["outcome"] != "solved"
        else f"solved at step {solved} of {end}"
    )
    return f"{cell.name}: {when}{score}"


def train(cell: Cell, sweep: SweepPaths, console: Console) -> bool:
    """Train a cell, and nobody else at the same time, and tell the result before the mirror is waited for.

    Returns:
        False if it is done already, by now if this had to wait.
    """
    paths = sweep.cell(cell.id)
    if summary(paths) is not None:
        return False
    if (reason := in_the_way(paths.summary)) is not None:
        raise SweepsError(reason)
    with held(paths, console):
        if summary(paths) is not None:
            return False
        from sweeps.execute.worker import train_pack  # imports torch, which a finished cell does not need

        if missing(cell.settings):
            console.print(chosen([cell.settings]), style="yellow")

        with Mirror(cell.settings.tracker, sweep, console):
            train_pack(Pack((cell,)), sweep.root, lambda kind, content: None)
            paths.lock.unlink()  # never before the cell is done: whoever waits holds the removed file, and then looks
            console.print(ending(cell, sweep))
    return True


@contextmanager
def held(paths: CellPaths, console: Console) -> Iterator[None]:
    """Hold a cell, once no other single run does; the lock ends with the process, however it ends."""
    paths.root.mkdir(parents=True, exist_ok=True)
    with open_lock(paths.lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Another run trains this cell; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
