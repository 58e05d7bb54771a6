"""One cell in this process, through the same code as a pack: what a single run and Hydra's basic launcher call."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from omegaconf import DictConfig
from rich.console import Console

from sweeps.check import checked
from sweeps.config.compose import plain
from sweeps.config.same_cells import why_not
from sweeps.errors import SweepsError
from sweeps.execute.done import done
from sweeps.execute.kernels import kernels_line, lacks_native
from sweeps.execute.run_line import RunLine
from sweeps.mirror.beside import Mirror
from sweeps.plan.cells import Cell, distinct
from sweeps.plan.packs import Pack
from sweeps.records.ended import ended
from sweeps.records.lock import Held, hold
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.summary import finished, in_the_way
from sweeps.terminal import terminal


def one_cell(config: DictConfig) -> None:
    """Train one cell unless it is done, and print how it ended.

    Raises:
        ConfigError: its settings are wrong; nothing was written.
        SweepsError: its folder holds the record of another cell.
        OSError: its record cannot be written.
    """
    [settings] = checked([[]], lambda overrides: plain(config, resolve=True))
    [cell] = distinct([settings])
    sweep = SweepPaths.at(settings.runs_dir, settings.experiment)
    console = terminal()
    if why := why_not(str(config.init.name), settings):
        console.print(f"{why}: this cell is that of init={settings.init.name}.", highlight=False)
    if not train(cell, sweep, console):
        console.print(f"Already done. {ending(cell, sweep)}")
    console.print(f"Record: {sweep.cell(cell.id).root}")


def ending(cell: Cell, sweep: SweepPaths) -> str:
    """How a done cell ended, as a sentence."""
    summary = finished(sweep.cell(cell.id))
    assert summary is not None
    best = summary.best.eval_score
    score = f", best {summary.task.score or 'score'} {best:.3f}" if best is not None and math.isfinite(best) else ""
    text = ended(summary, cell.settings.train.steps).rstrip(".")
    return f"{cell.name}: {text[0].lower()}{text[1:]}{score}"


def train(cell: Cell, sweep: SweepPaths, console: Console) -> bool:
    """Train a cell while no other process does, and print how it ended before waiting for the mirror.

    Returns:
        False if there was nothing to train: the cell was done, or another process finished it meanwhile.

    Raises:
        SweepsError: the cell's folder holds the record of another cell.
    """
    paths = sweep.cell(cell.id)
    if done(cell, sweep) is not None:
        return False
    if (reason := in_the_way(paths)) is not None:
        raise SweepsError(reason)
    with locked(paths, console):
        if done(cell, sweep) is not None:
            return False
        with Mirror(cell.settings.tracker, sweep, console):
            with RunLine(cell, console) as line:
                from sweeps.execute.worker import train_pack  # imports torch, which a finished cell does not need

                if lacks_native(cell.settings):
                    console.print(kernels_line([cell.settings]), style="yellow")
                line.say("getting ready; the first run on a machine compiles its kernels ...")
                train_pack(Pack((cell,)), sweep.root, line)
            paths.lock.unlink()  # the cell is done: a waiting process now gets the lock, and finds the summary
            console.print(ending(cell, sweep))
    return True


@contextmanager
def locked(paths: CellPaths, console: Console) -> Iterator[None]:
    """Hold the lock on a cell's folder; waits for as long as another single run holds it."""
    paths.root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(paths.lock))
        except Held:
            console.print("Another run trains this cell; waiting for it.")
            stack.enter_context(hold(paths.lock, wait=math.inf))
        yield
