"""Composing settings and training cells in this process, for notebooks: no command line, no other processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.check import checked, problems_with
from sweeps.config.command_line import grid_of
from sweeps.config.command_line import load as hydra_load
from sweeps.config.compose import Composer
from sweeps.config.names import check_names, given_twice
from sweeps.config.schema import Settings
from sweeps.errors import ConfigError, SweepsError, exception_text
from sweeps.execute.harness import locked, run
from sweeps.execute.in_order import InOrder
from sweeps.launch import plan_for, write_cells
from sweeps.misfits import without_misfits
from sweeps.records.paths import SweepPaths

MOST_FAILURES = 3
"""Failed cells whose reason the error of `train` has."""


def compose(*overrides: str) -> list[Settings]:
    """The settings of every cell of a grid, as the command line would compose them.

    Args:
        overrides: `key=value`, with several values for an axis: `"init=random,orthogonal"`, `"seed=range(3)"`;
            `"experiment=NAME"` takes the grid of an experiment.

    Returns:
        One `Settings` for each combination that an architecture can be trained on; the last axis varies fastest.

    Raises:
        ConfigError: an override is wrong; it lists every problem.
    """
    if texts := [each for each in overrides if not isinstance(each, str)]:
        raise ConfigError([f"overrides: given {texts[0]!r:.60}, must be texts: compose('arch=lstm', 'seed=range(3)')"])
    good, wrong = check_names(overrides)
    if wrong := wrong + given_twice(overrides):
        raise ConfigError(wrong)
    composer = Composer(hydra_load)
    return checked(without_misfits(grid_of(good), composer).jobs, composer)


def train(cells: Sequence[Settings], into: str | Path | None = None) -> Records:
    """Train cells in this process, cells of one shape packed together, and load the records of all of them.

    Cells that are done are not trained again. Nothing is mirrored to W&B. While it trains, torch has one thread and
    flushes subnormal numbers, as in a sweep, so that the numbers are the same.

    Args:
        cells: from `compose`.
        into: folder of the sweep, `runs/NAME`; None takes `runs_dir` and `experiment` of the settings.

    Raises:
        ConfigError: there are no cells, or this machine cannot train them.
        SweepsError: another process writes to the folder; or some cells failed: the others are done, and the folder of
            each that failed has the reason in failure.json.
        OSError: the records cannot be written.
    """
    cells = [cells] if isinstance(cells, Settings) else cells
    if not cells or not all(isinstance(each, Settings) for each in cells):
        raise ConfigError([f"cells: given {cells!r:.60}, must be what sweeps.compose gives"])
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
        reasons = [f"{cell}: {exception_text(reason)}" for cell, reason in result.failures.items()]
        raise SweepsError(f"{len(reasons)} of {len(plan.cells)} cells failed: " + "; ".join(reasons[:MOST_FAILURES]))
    return replace(load(sweep.root), plan=tuple(cell.id for cell in plan.cells)).in_plan()
