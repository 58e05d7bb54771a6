"""A sweep, from the overrides of its jobs to its records: compose, check, plan, train, mirror, tell."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path

from rich.console import Console

from sweeps import tasks
from sweeps.config.compose import Composer, Load, settings_of
from sweeps.config.identity import EXCLUDED, cell_id, deciding
from sweeps.config.schema import SECTIONS, Settings
from sweeps.errors import ConfigError
from sweeps.execute.base import Executor
from sweeps.execute.computed import by, here, refused
from sweeps.execute.harness import Result, locked, run, summary
from sweeps.execute.local import Local
from sweeps.execute.machine import memory_limit
from sweeps.execute.progress import Progress, duration
from sweeps.execute.show import show_outcomes, show_plan
from sweeps.execute.tracking import Mirror
from sweeps.plan.memory import too_large
from sweeps.plan.plan import Plan, make_plan
from sweeps.records.files import write_atomically
from sweeps.records.paths import SweepPaths
from sweeps.records.planned import write_plan
from sweeps.terminal import terminal

MOST_SIZES = 5
"""Impossible sizes of one grid that are told."""


def checked(jobs: Sequence[Sequence[str]], load: Load) -> list[Settings]:
    """The settings of every job of a grid.

    Raises:
        ConfigError: something is wrong with at least one; it carries every problem.
    """
    settings, problems = settings_of(jobs, Composer(load))
    good = [each for each in settings if each is not None]
    problems += problems_here(good) + shared_problems(good)
    if problems:
        raise ConfigError(problems)
    return good


def problems_here(settings: Sequence[Settings]) -> list[str]:
    """What stands against settings that break no rule: this machine, or the task."""
    return size_problems(settings) or task_problems(settings) + device_problems(settings) + refused(settings)


def size_problems(settings: Sequence[Settings]) -> list[str]:
    """What this machine could not train even alone; asked before the tasks, which may take long over a length."""
    limit = memory_limit()
    told = (too_large(each, limit) for each in settings if each.executor.device == "cpu")
    return list(dict.fromkeys(sentence for sentence in told if sentence))[:MOST_SIZES]


def task_problems(settings: Sequence[Settings]) -> list[str]:
    """What the tasks themselves have to say about their settings, each sentence once."""
    problems: list[str] = []
    for task in {repr(each.task): each.task for each in settings}.values():
        try:
            tasks.task_of(task)
        except ValueError as error:
            problems.append(f"task={task.name}: {error}")
    return problems


def device_problems(settings: Sequence[Settings]) -> list[str]:
    """Whether the device that is asked for is there; only for a GPU is torch imported to tell."""
    if not any(each.executor.device == "cuda" for each in settings):
        return []
    from sweeps.execute.worker import can_train_on

    if can_train_on("cuda"):
        return []
    return ["executor.device: given 'cuda', but torch finds no CUDA device here; use cpu or a CUDA build of torch"]


def shared_problems(settings: Sequence[Settings]) -> list[str]:
    """Which settings that make no other cell have several values: one sweep has one of each."""
    problems = []
    for section in EXCLUDED:
        inner = [f"{section}.{each.name}" for each in fields(SECTIONS[section])] if section in SECTIONS else [section]
        for key in inner:
            given = dict.fromkeys(str(attrgetter(key)(each)) for each in settings)
            if len(given) > 1:
                problems.append(
                    f"{key.removesuffix('.name')}: given {', '.join(given)}, must be one for a whole sweep"
                    " (cells that differ in it alone are the same cell)"
                )
    return problems


def place(settings: Settings) -> SweepPaths:
    """Where the records of a sweep go; a relative runs_dir counts from the current directory."""
    return SweepPaths(Path(settings.runs_dir).absolute() / settings.experiment)


def plan_for(settings: Sequence[Settings], sweep: SweepPaths, workers: int) -> Plan:
    """The plan, given what is done under `sweep`."""
    ids = {cell_id(each) for each in settings}
    found = {each: summary(sweep.cell(each)) for each in ids}
    done = {each: float(one["seconds"]) for each, one in found.items() if one is not None}
    plan = make_plan(settings, done, workers, settings[0].executor.lanes)
    ways = ((by(found[cell.id] or {}), here(cell.settings)) for cell in plan.done)
    plan.otherwise.update(way for way, now in ways if way != now)
    return plan


def write_down(plan: Plan, sweep: SweepPaths, asked: str) -> None:
    """Write what is asked for, before anything is trained: the cells, and the configuration they come from."""
    write_plan(sweep.plan, {cell.id: deciding(cell.settings) for cell in plan.cells})
    write_atomically(sweep.multirun, asked)


def launch(
    jobs: Sequence[Sequence[str]], load: Load, asked: str, dry_run: bool = False
) -> tuple[list[Settings], Result]:
    """Run a whole sweep; returns the settings of every job and how each cell ended.

    Args:
        asked: the sweep's own configuration and axes, as YAML.

    Raises:
        ConfigError: settings are wrong; nothing was written.
        SweepsError: another sweep writes to the same place, or no worker could be started.
        OSError: nothing can be written there.
    """
    console = terminal()
    settings = checked(jobs, load)
    sweep = place(settings[0])
    local = settings[0].executor
    executor = Local(local.workers or (1 if local.device == "cuda" else 0), local.patience)
    plan = plan_for(settings, sweep, executor.workers)
    show_plan(plan, sweep, console)
    if dry_run:
        return settings, Result()
    with locked(sweep), Mirror(settings[0].tracker, sweep, console):
        write_down(plan, sweep, asked)
        result = train(plan, sweep, executor, console)
    console.print(f"Records: {sweep.root}")
    return settings, result


def train(plan: Plan, sweep: SweepPaths, executor: Executor, console: Console) -> Result:
    """Train what is missing, if anything; the result is told first, before a mirror is waited for."""
    if not plan.packs:
        console.print("Nothing to train: every cell is done.")
    started = time.monotonic()
    with Progress(plan, console) as progress:
        result = run(plan, sweep, executor, progress)
    show_outcomes(plan, result, console)
    if plan.packs:
        console.print(f"Trained in {duration(time.monotonic() - started)}.")
    return result
