"""The records of a sweep as tidy frames; a cell that cannot be trusted is listed, never averaged in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.analysis.axes import AXES, extra_axes, ordered_levels
from sweeps.analysis.cellfiles import NUMBERS, number, settings_of, summary_row, trouble_of
from sweeps.analysis.csvfiles import read_many
from sweeps.errors import SweepsError
from sweeps.records.columns import GRADIENT_THROUGH_TIME, METRICS, PARAMETERS
from sweeps.records.files import read_json
from sweeps.records.paths import SweepPaths

ASKED = ("unfinished", "failed", "damaged")
"""Problems of cells that belong to the grid all the same; foreign and outdated cells do not."""


@dataclass(frozen=True)
class Records:
    """The frames of a sweep, joined by the categorical column `cell` (12 hex digits).

    Attributes:
        root: folder of the sweep.
        cells: a row per done cell: `cell`, its settings (`arch, init, clip, length, seed, gain, ...`, any
            other under its dotted name), `outcome`, and the numbers of its summary (see `NUMBERS`).
        metrics, gradient, parameters: every row of the CSV files, with `cell` in front.
        problems: a row per cell that is not in `cells`: `cell, problem, reason` and its settings if they are
            known; problem is unfinished, failed, damaged, foreign, other format or other numerics.
        extra_axes: settings that vary beyond arch, init, clip, length and seed.
    """

    root: Path
    cells: pd.DataFrame
    metrics: pd.DataFrame
    gradient: pd.DataFrame
    parameters: pd.DataFrame
    problems: pd.DataFrame
    extra_axes: tuple[str, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the columns that tell the rows of a table apart; seeds are aggregated."""
        return (*AXES, *self.extra_axes)

    @property
    def score_name(self) -> str:
        """What the score is called (accuracy, explained variance); "score" if tasks differ in it."""
        names = self.cells["score_name"].dropna().unique()
        return str(names[0]) if len(names) == 1 else "score"

    def planned(self) -> pd.DataFrame:
        """Axis values of every cell that was asked for: done, failed, damaged or not finished."""
        asked = self.problems[self.problems["problem"].isin(ASKED)]
        both = pd.concat([self.cells[list(self.axes)], asked[list(self.axes)].dropna(how="all")], ignore_index=True)
        for axis in self.axes:
            both[axis] = pd.Categorical(both[axis], categories=self.cells[axis].cat.categories, ordered=True)
        return both

    def with_axes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` (a row has a `cell`) with the axis columns, `seed` and `outcome` beside it.

        An axis that shares its name with a column of `frame` (`lr` of a step) is called `lr_setting`.
        """
        keys = self.cells.set_index("cell")[[*self.axes, "seed", "outcome"]]
        clash = {name: f"{name}_setting" for name in self.axes if name in frame}
        return frame.join(keys.rename(columns=clash), on="cell")

    def select(self, **levels: Any) -> Records:
        """The part of the records where each named setting has the level given, or one of a list of them.

        Raises:
            SweepsError: there is no such setting.
        """
        cells, problems = self.cells, self.problems
        for name, wanted in levels.items():
            if name not in cells:
                raise SweepsError(f"no setting {name!r} in these records (they have: {', '.join(map(str, cells))})")
            allowed = wanted if isinstance(wanted, list | tuple) else [wanted]
            cells = cells[cells[name].isin(allowed)]
            problems = problems[problems[name].isin(allowed)]
        kept = set(cells["cell"])
        parts: dict[str, Any] = {
            name: frame[frame["cell"].isin(kept)]
            for name, frame in (
                ("metrics", self.metrics),
                ("gradient", self.gradient),
                ("parameters", self.parameters),
            )
        }
        return replace(self, cells=cells, problems=problems, **parts)

    def drop_unused_levels(self) -> Records:
        """The same with only those levels of each axis that a cell or a problem here has."""
        planned = self.planned()
        cells = self.cells.copy()
        for axis in self.axes:
            levels = planned[axis].cat.remove_unused_categories().cat.categories
            cells[axis] = cells[axis].cat.set_categories(levels)
        return replace(self, cells=cells)


def load(root: str | Path) -> Records:
    """Read every cell of a sweep, `runs/<experiment>/`.

    Raises:
        SweepsError: the folder has no cells, or none of them is done.
    """
    folders = SweepPaths(Path(root)).cells()
    if not folders:
        raise SweepsError(f"{root} holds no records: no cell folder with a config.yaml in it")
    settings: dict[str, dict[str, Any]] = {}
    summaries: dict[str, dict[str, Any]] = {}
    problems: dict[str, tuple[str, str]] = {}
    for folder in folders:
        cell = folder.root.name
        found = settings_of(folder)
        summary = read_json(folder.summary)
        trouble = trouble_of(folder, found, summary)
        settings[cell] = found or {}
        if trouble is None and summary is not None:
            summaries[cell] = summary
        elif trouble is not None:
            problems[cell] = trouble
    _set_outdated_aside(summaries, problems)
    frames = {}
    paths = {folder.root.name: folder for folder in folders}
    for name, attribute, columns in (
        ("metrics", "metrics", METRICS),
        ("gradient", "gradient_through_time", GRADIENT_THROUGH_TIME),
        ("parameters", "parameters", PARAMETERS),
    ):
        files = {cell: getattr(paths[cell], attribute) for cell in summaries}
        frames[name], damaged = read_many(files, columns, list(summaries))
        problems.update({cell: ("damaged", reason) for cell, reason in damaged.items()})
    done = [cell for cell in summaries if cell not in problems]
    if not done:
        kinds = pd.Series([kind for kind, _ in problems.values()]).value_counts()
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise SweepsError(f"{root} holds no finished cell ({told}); nothing to tabulate yet")
    return _assemble(Path(root), done, summaries, settings, problems, frames)


def _set_outdated_aside(summaries: dict[str, dict[str, Any]], problems: dict[str, tuple[str, str]]) -> None:
    """Move cells whose numerics are older than the newest from `summaries` to `problems`, in place."""
    version = {cell: number(summary.get("numerics")) for cell, summary in summaries.items()}
    newest = max(version.values(), default=0.0)
    for cell in [cell for cell in summaries if version[cell] < newest]:
        problems[cell] = ("other numerics", f"numerics {version[cell]:g}, the newest here is {newest:g}")
        del summaries[cell]


def _assemble(
    root: Path,
    done: list[str],
    summaries: dict[str, dict[str, Any]],
    settings: dict[str, dict[str, Any]],
    problems: dict[str, tuple[str, str]],
    frames: dict[str, pd.DataFrame],
) -> Records:
    order = [*done, *sorted(problems)]
    table = pd.DataFrame([settings[cell] for cell in order], index=order)
    for name in (*AXES, "task", "seed", "hidden", "gain", "threshold", "lr"):
        if name not in table:
            table[name] = None
    asked = [cell for cell in order if cell in summaries or problems[cell][0] in ASKED]
    extra = extra_axes(table.loc[asked].dropna(how="all"))
    rows = pd.DataFrame([summary_row(summaries[cell]) for cell in done], index=done)
    cells = pd.concat([table.loc[done], rows], axis=1)
    for name in (*AXES, *extra):
        levels = ordered_levels(name, table.loc[asked, name])
        cells[name] = pd.Categorical(cells[name], categories=levels, ordered=True)
    cells[list(NUMBERS)] = cells[list(NUMBERS)].map(number).astype("float64")
    cells.insert(0, "cell", cells.index)
    bad = table.loc[sorted(problems)]
    bad.insert(0, "reason", [problems[cell][1] for cell in bad.index])
    bad.insert(0, "problem", [problems[cell][0] for cell in bad.index])
    bad.insert(0, "cell", bad.index)
    for name, frame in frames.items():
        kept = frame[frame["cell"].isin(done)].reset_index(drop=True)
        frames[name] = kept.assign(cell=kept["cell"].cat.set_categories(done))
    cells = cells.sort_values([*AXES, *extra, "seed", "cell"], ignore_index=True)
    return Records(root, cells, problems=bad.reset_index(drop=True), extra_axes=extra, **frames)
