"""Composing settings and training cells in this process, for notebooks: no command line, no other processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.check import checked, problems_with
from sweeps.config.command_line import jobs_of
from sweeps.config.command_line import load as hydra_load
from sweeps.config.compose import Composer
from sweeps.config.names import check_names, given_twice
from sweeps.config.schema import Settings
from sweeps.errors import ConfigError
from sweeps.execute.harness import locked, run
from sweeps.execute.in_order import InOrder
from sweeps.launch import plan_for, write_cells
from sweeps.records.paths import SweepPaths


def compose(*overrides: str) -> list[Settings]:
    """The settings of every cell of a grid, as the command line would compose them.

    Args:
        overrides: `key=value`, with several values for an axis: `"init=random,orthogonal"`, `"seed=range(3)"`;
            `"experiment=NAME"` takes the grid of an experiment.

    Returns:
        One `Settings` for each combination; the last axis varies fastest.

    Raises:
        ConfigError: an override is wrong; it lists every problem.
    """
    good, wrong = check_names(overrides)
    if wrong := wrong + given_twice(overrides):
        raise ConfigError(wrong)
    return checked(jobs_of(good), Composer(hydra_load))


def train(cells: Sequence[Settings], into: str | Path | None = None) -> Records:
    """Train cells in this process, cells of one shape packed together, and load the records of all of them.

    Cells that are done are not trained again. Nothing is mirrored to W&B. While it trains, torch has one thread and
    flushes subnormal numbers, as in a sweep, so that the numbers are the same.

    Args:
        cells: from `compose`.
        into: folder of the sweep, `runs/NAME`; None takes `runs_dir` and `experiment` of the settings.

    Raises:
        ConfigError: there are no cells, this machine cannot train them, or some failed.
        SweepsError: another process writes to the folder.
        OSError: the records cannot be written.
    """
    if not cells:
        raise ConfigError(["cells: none given; sweeps.compose makes them"])
    if into is not None:
        folder = Path(into).absolute()
        cells = [replace(each, runs_dir=str(folder.parent), experiment=folder.name) for each in cells]
    if problems := problems_with(cells):
        raise ConfigError(problems)
    sweep = SweepPaths.at(cells[0].runs_dir, cells[0].experiment)
    with locked(sweep):
        plan = plan_for(cells, sweep, workers=InOrder.workers)
        write_cells(plan, sweep)
        result = run(plan, sweep, InOrder(), lambda event: None)
    if result.failures:
        raise ConfigError([f"{cell}: {reason}" for cell, reason in result.failures.items()])
    return replace(load(sweep.root), plan=tuple(cell.id for cell in plan.cells)).in_plan()
