"""A sweep, from the overrides of its jobs to its records: compose, check, plan, train, mirror, report."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console

from sweeps.amounts import duration, number_of
from sweeps.check import checked
from sweeps.config.compose import Composer, Load
from sweeps.config.identity import deciding
from sweeps.config.same_cells import without_idle
from sweeps.config.schema import Settings
from sweeps.errors import SweepsError
from sweeps.execute.done import done
from sweeps.execute.executor import Ended, Executor, Message
from sweeps.execute.harness import Result, locked, run
from sweeps.execute.kernels import described, described_here
from sweeps.execute.local import Local
from sweeps.execute.progress import Progress
from sweeps.execute.show import show_outcomes, show_plan
from sweeps.execute.status import StatusFile
from sweeps.mirror.beside import Mirror
from sweeps.plan.cells import distinct
from sweeps.plan.plan import Plan, make_plan
from sweeps.records.checkpoint import begun
from sweeps.records.files import write_atomically
from sweeps.records.idle_clipping import idle_clippings
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import read_plan, write_plan
from sweeps.terminal import terminal

IDLE = "Warning: {} never changed a gradient, at no {} of its {}."
"""Told of clipping that never acted."""
EVERY, LOGGED = "update", "logged update (probe=clipping counts them all)"
PART = "These cells are a part of the sweep that was asked for before: {} and what a report counts stay as they are."
"""Told where a sweep leaves the plan as it is."""


def plan_for(settings: Sequence[Settings], sweep: SweepPaths, workers: int) -> Plan:
    """The plan of a sweep: cells done under `sweep` are not trained again, and their times correct the forecast.

    Cells with a checkpoint go on from it, so less of them is left."""
    cells = distinct(settings)
    summaries = {cell.id: summary for cell in cells if (summary := done(cell, sweep)) is not None}
    seconds = {each: float(summary.seconds) for each, summary in summaries.items()}
    steps = {cell.id: begun(sweep.cell(cell.id).checkpoint, cell.id) for cell in cells if cell.id not in summaries}
    on = {cell: step for cell, step in steps.items() if step}
    plan = make_plan(settings, seconds, workers, settings[0].executor.lanes, on)
    ways = ((described(summaries[cell.id]), described_here(cell.settings)) for cell in plan.done)
    plan.otherwise.update(way for way, now in ways if way != now)
    return plan


def write_cells(plan: Plan, sweep: SweepPaths, multirun: str | None = None) -> bool:
    """Write the cells that the sweep is to have, before any is trained, and the configuration that they come from.

    Where all of them lie in a larger sweep that was requested before, its files stay as they are, and so its report.

    Args:
        multirun: the sweep's own configuration and axes, as YAML; None for cells that come from no command line.

    Returns:
        Whether these cells are now what the sweep was to have; False if they are a part of it.
    """
    wanted, there = {cell.id for cell in plan.cells}, _requested(sweep)
    if wanted < there:
        return False
    if wanted == there and (multirun is None or sweep.multirun.exists()):
        return True
    write_plan(sweep.plan, {cell.id: deciding(cell.settings) for cell in plan.cells})
    if multirun is None:
        sweep.multirun.unlink(missing_ok=True)
    else:
        write_atomically(sweep.multirun, multirun)
    return True


def _requested(sweep: SweepPaths) -> set[str]:
    """The ids of the cells that were requested before; none where no plan is there, or none that can be read."""
    try:
        return set(read_plan(sweep.plan) or ())
    except SweepsError:
        return set()


def launch(
    jobs: Sequence[Sequence[str]], load: Load, multirun: str, dry_run: bool = False, skipped: str = ""
) -> tuple[list[Settings], Result]:
    """Run a whole sweep; returns the settings of every job and how each cell ended.

    Args:
        jobs: the overrides of each job.
        load: Hydra's composition of a list of overrides.
        multirun: the sweep's own configuration and axes, as YAML.
        dry_run: print the plan and stop.
        skipped: from `config.grid`, on points of the grid that are no job; printed with the plan.

    Raises:
        ConfigError: settings are wrong; nothing was written.
        SweepsError: another sweep writes to the same folder, or no worker could be started.
        OSError: the folder cannot be written to.
    """
    console = terminal()
    settings = checked(jobs, Composer(load))
    sweep = SweepPaths.at(settings[0].runs_dir, settings[0].experiment)
    local = settings[0].executor
    executor = Local(local.workers or (1 if local.device == "cuda" else 0), local.patience)
    distinct, same = without_idle(jobs, settings)
    plan = plan_for(distinct, sweep, executor.workers)
    show_plan(plan, sweep, console, "\n".join(filter(None, (skipped, same))))
    if dry_run:
        return settings, Result()
    with locked(sweep), Mirror(settings[0].tracker, sweep, console):
        if not write_cells(plan, sweep, multirun):
            console.print(PART.format(sweep.plan.name), highlight=False)
        result = train(plan, sweep, executor, console)
    console.print(f"Records: {sweep.root}")
    return settings, result


def train(plan: Plan, sweep: SweepPaths, executor: Executor, console: Console) -> Result:
    """Train the cells that are not done; the outcomes are printed here, before the caller waits for the mirror."""
    if not plan.packs:
        console.print("Nothing to train: every cell is done.")
    started = time.monotonic()
    with Progress(plan, console) as progress, StatusFile(sweep, progress) as status:

        def watch(event: Message | Ended) -> None:
            progress(event)
            status(event)

        result = run(plan, sweep, executor, watch)
    show_outcomes(plan, result, console)
    trained = [(cell.id, cell.settings) for cell in plan.cells if cell.id in result.outcomes]
    for clip, (count, every) in idle_clippings(sweep, trained).items():
        console.print(IDLE.format(clip, EVERY if every else LOGGED, number_of(count, "cell")), style="bold yellow")
    if plan.packs:
        console.print(f"Trained in {duration(time.monotonic() - started)}.")
    return result
