"""The records of a sweep as tidy frames, and the parts of them that tables and figures are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeps.amounts import number_of
from sweeps.analysis.labels import UNSET
from sweeps.analysis.loading.axes import AXES, as_level, extra_axes, ordered_levels
from sweeps.analysis.loading.time_steps import SETTING
from sweeps.config.short_names import column_of
from sweeps.errors import SweepsError, unknown
from sweeps.records.columns import DIRECTION, LAYER, OUTCOMES
from sweeps.records.paths import SweepPaths

OWN = "own"
"""The init of an architecture that has no recurrent matrix for one to draw."""
IN_GRID = ("missing", "unfinished", "failed", "damaged", "contradictory")
"""Kinds of problem of cells that still belong to the grid; foreign, duplicate and outdated cells do not."""
UNREADABLE = "unreadable"
"""Kind of problem of a file of the sweep itself, beside the cells."""


@dataclass(frozen=True)
class Sweep:
    """One of several sweeps that were loaded as one.

    Attributes:
        root: its folder.
        cells: ids of its done cells, also of those that another sweep has too.
    """

    root: Path
    cells: frozenset[str]


def cell_of(path: str) -> str:
    """The id of the cell that a file of `Records.digests` belongs to."""
    return path.rsplit("/", 2)[-2]


@dataclass(frozen=True, repr=False, eq=False)
class Records:
    """The frames of a sweep, joined by the categorical column `cell` (12 hex digits).

    Attributes:
        root: folder of the sweep; of several, `first+second` beside the first, which holds what is made of them.
        cells: a row per done cell: `cell`, its settings (`arch, init, clip, length, seed, gain, ...`, any
            other under its dotted name), `outcome`, and the numbers of its summary (see `NUMBERS`). `length` is T, the
            number of time steps; where the setting `task.length` is not T, it has a column of its own.
        metrics, gradient, parameters: every row of the CSV files, with `cell` in front; `gradient` is of the highest
            layer of each network.
        problems: a row per cell that is not in `cells`: `cell, problem, reason` and its settings if they are
            known; problem is missing, unfinished, failed, damaged, duplicate, contradictory, foreign, other
            format, other numerics, or unreadable: of a file beside the cells, whose name is then in `cell`.
            Of several sweeps both frames also have `sweep`, the name of the first sweep that has the cell.
        extra_axes: settings that vary beyond arch, init, clip, length and seed.
        layers: the rows of `gradient` of every layer and direction, with `layer` (0 is the lowest) and `direction` (1
            reads in reverse); None where networks have one layer and one direction.
        plan: ids of the cells that the last sweep requested, None where that is not known.
        digests: SHA-256 of every file the frames were read from, by its path in the sweep's folder; of several sweeps
            the name of the sweep comes first.
        others: number of done cells of the folder that `in_plan` left out.
        sweeps: of several sweeps each by its name; empty for one.
        own_init: from `with_one_init`, architectures that have an initialisation of their own.
        tuned: axes of which the best level was chosen on other seeds (`tuning.tune`); they are no axes of these runs.
    """

    root: Path
    cells: pd.DataFrame
    metrics: pd.DataFrame
    gradient: pd.DataFrame
    parameters: pd.DataFrame
    problems: pd.DataFrame
    extra_axes: tuple[str, ...]
    layers: pd.DataFrame | None = None
    plan: tuple[str, ...] | None = None
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)
    others: int = 0
    sweeps: Mapping[str, Sweep] = field(default_factory=dict)
    own_init: tuple[str, ...] = ()
    tuned: tuple[str, ...] = ()

    def __repr__(self) -> str:
        levels = {axis: self.cells[axis].nunique() for axis in (*self.axes, "seed")}
        grid = " x ".join(f"{count} {axis}" for axis, count in levels.items() if count > 1)
        cells = f"{number_of(len(self.cells), 'cell')}{f' ({grid})' if grid else ''}"
        where = " and ".join(str(sweep.root) for sweep in self.sweeps.values()) or self.root
        return f"<Records of {where}: {cells}, {number_of(len(self.problems), 'problem')}>"

    @property
    def experiment(self) -> str:
        """The value of `experiment=` that names the sweep, or the sweeps with a comma between them."""
        return ",".join(self.sweeps) or self.root.name

    @property
    def shared(self) -> int:
        """The number of cells that are in more than one sweep with the same record; each is counted once."""
        return sum(sum(cell in sweep.cells for sweep in self.sweeps.values()) > 1 for cell in self.cells["cell"])

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the columns that tell the rows of a table apart; seeds are aggregated."""
        return (*AXES, *self.extra_axes)

    @property
    def varied(self) -> list[str]:
        """The axes with several levels among the runs; the task, of which a table or figure has one, is none."""
        return [axis for axis in self.axes if axis != "task" and self.cells[axis].nunique() > 1]

    @property
    def settings(self) -> list[str]:
        """Names of the columns of `cells` and of `problems` that are settings."""
        return [str(name) for name in self.problems if name not in ("cell", "sweep", "problem", "reason")]

    @property
    def score_name(self) -> str:
        """What the score is called (accuracy, explained variance); "score" if tasks differ in it."""
        names = self.cells["score_name"].dropna().unique()
        return str(names[0]) if len(names) == 1 else "score"

    def planned(self) -> pd.DataFrame:
        """Axis values of every cell of the grid, a row each: done cells, and those with a problem of `IN_GRID`."""
        in_grid = self.problems[self.problems["problem"].isin(IN_GRID)]
        both = pd.concat([self.cells[list(self.axes)], in_grid[list(self.axes)].dropna(how="all")], ignore_index=True)
        for axis in self.axes:
            both[axis] = pd.Categorical(both[axis], categories=self.cells[axis].cat.categories, ordered=True)
        return both

    def with_axes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame`, which has a column `cell`, with the axes, `seed` and `outcome` of each row's cell added.

        An axis that shares its name with a column of `frame` (`lr` of a step) is called `lr_setting`.
        """
        keys = self.cells.set_index("cell")[[*self.axes, "seed", "outcome"]]
        clash = {name: f"{name}_setting" for name in self.axes if name in frame}
        return frame.join(keys.rename(columns=clash), on="cell")

    def select(self, **levels: Any) -> Records:
        """The part of the records where each named setting has the level given, or one of a list of them.

        `outcome` selects too: `select(arch=["lstm", "gru"], outcome="diverged")`; a setting may have any of its names:
        `select(gain=1.2)`, `select(**{"init.gain": 1.2})`.

        Raises:
            SweepsError: there is no such setting, or no cell with such a level.
        """
        chosen, problems = np.ones(len(self.cells), bool), self.problems
        for name, wanted in levels.items():
            name = column_of(name, map(str, self.cells))
            given = list(wanted) if isinstance(wanted, list | tuple) else [wanted]
            allowed = [as_level(name, level) for level in given]
            self._check_levels(name, allowed)
            chosen &= self.cells[name].isin(allowed).to_numpy()
            problems = problems[problems["problem" if name == "outcome" else name].isin(allowed)]
        return self.only(self.cells[chosen], problems)

    def at_layer(self, layer: int, direction: int = 0) -> Records:
        """The same records with the gradient through time of one layer, 0 the lowest, of the networks that have it.

        Args:
            direction: 0 reads forwards, 1 in reverse; its lag counts its own time steps.

        Raises:
            SweepsError: no network has so many layers, or such a direction.
        """
        rows = self.gradient.assign(**{LAYER: 0, DIRECTION: 0}) if self.layers is None else self.layers
        chosen = np.ones(len(rows), bool)
        for name, value in ((LAYER, layer), (DIRECTION, direction)):
            if not (rows[name] == value).any():
                raise SweepsError(f"{name}: given {value!r}, must be from 0 to {rows[name].max()}")
            chosen &= (rows[name] == value).to_numpy()
        return replace(self, gradient=rows[chosen].drop(columns=[LAYER, DIRECTION]))

    def in_plan(self) -> Records:
        """The part of the records that the last sweep requested, with the axes of that sweep.

        Raises:
            SweepsError: there is no plan that says which cells those are, or none of them is done.
        """
        if self.plan is None:
            name = SweepPaths(self.root).plan.name
            raise SweepsError(f"{self.root} has no {name}: the cells of its last sweep are not known")
        cells = self.cells[self.cells["cell"].isin(self.plan)]
        problems = self.problems[self.problems["cell"].isin(self.plan) | (self.problems["problem"] == UNREADABLE)]
        if cells.empty:
            raise SweepsError(f"{self.root} holds no finished cell of the last sweep; nothing to tabulate yet")
        names, in_grid = self.settings, problems[problems["problem"].isin(IN_GRID)]
        settings = pd.concat([cells[names].astype(object), in_grid[names].astype(object)], ignore_index=True)
        extra = extra_axes(settings.dropna(how="all").infer_objects())
        plan = set(self.plan)
        digests = {path: digest for path, digest in self.digests.items() if cell_of(path) in plan}
        part = self.only(with_levels(cells, settings, extra), problems)
        return replace(part, extra_axes=extra, digests=digests, others=len(self.cells) - len(cells))

    def _check_levels(self, name: str, wanted: list[Any]) -> None:
        column = self.cells[name]
        known = list(column.cat.categories) if isinstance(column.dtype, pd.CategoricalDtype) else list(column.unique())
        known += [*self.problems[name].unique()] if name in self.problems else list(OUTCOMES)
        for level in wanted:
            if level not in known and not pd.isna(level):
                typed = f" (T; what was typed is {SETTING})" if name == "length" and SETTING in self.cells else ""
                raise SweepsError(unknown(name, str(level), {str(each) for each in known if not pd.isna(each)}) + typed)

    def only(self, cells: pd.DataFrame, problems: pd.DataFrame) -> Records:
        """The records of these cells and problems alone."""
        if len(cells) == len(self.cells):
            return replace(self, cells=cells, problems=problems)
        kept = set(cells["cell"])
        parts: dict[str, Any] = {}
        for name in ("metrics", "gradient", "parameters", "layers"):
            if (frame := getattr(self, name)) is None:
                continue
            inside = np.array([*(cell in kept for cell in frame["cell"].cat.categories), False])
            parts[name] = frame[inside[frame["cell"].cat.codes.to_numpy()]]  # code -1 (no cell) takes the last: False
        return replace(self, cells=cells, problems=problems, **parts)

    def drop_unused_levels(self) -> Records:
        """The same records; the categories of each axis are only the levels that a cell or a problem here has."""
        planned = self.planned()
        cells = self.cells.copy()
        for axis in self.axes:
            levels = planned[axis].cat.remove_unused_categories().cat.categories
            cells[axis] = cells[axis].cat.set_categories(levels)
        return replace(self, cells=cells)

    def with_unset(self, axes: Iterable[str]) -> Records:
        """The same records with `UNSET` as the last level of these axes where a cell has no such setting.

        Only for figures and listings, which show these cells beside the others: a test must not take it for a level.
        """
        cells, problems, planned = self.cells.copy(), self.problems.copy(), self.planned()
        for axis in axes:
            if planned[axis].isna().any():
                cells[axis] = cells[axis].cat.add_categories(UNSET).fillna(UNSET)
                own = problems["arch"].notna() & problems[axis].isna()  # of the others no setting is known
                problems[axis] = problems[axis].astype(object).mask(own, UNSET)
        return replace(self, cells=cells, problems=problems)

    def with_one_init(self) -> Records:
        """The same records with one init, where it differs only because some architectures have their own.

        An initialisation of the recurrent matrix means nothing to an architecture without one (`init=own`). Where all
        others have the same, it was not varied, and runs cannot be told apart by it.
        """
        planned = self.planned()
        levels = [level for level in planned["init"].cat.categories if (planned["init"] == level).any()]
        if len(levels) != 2 or OWN not in levels:
            return self
        [one] = (level for level in levels if level != OWN)
        archs = tuple(planned.loc[planned["init"] == OWN, "arch"].unique())
        cells, problems = self.cells.copy(), self.problems.copy()
        cells["init"] = pd.Categorical([one] * len(cells), categories=[one], ordered=True)
        problems["init"] = problems["init"].replace(OWN, one)
        return replace(self, cells=cells, problems=problems, own_init=archs)

    @property
    def longest(self) -> Any:
        """The longest sequence length that has a done cell."""
        return self.cells["length"].max()

    @property
    def reference_clip(self) -> Any:
        """The level of clipping at which gradients are shown: "none", or the first level there is."""
        present = [name for name in self.cells["clip"].cat.categories if (self.cells["clip"] == name).any()]
        return "none" if "none" in present or not present else present[0]

    def by_task(self) -> list[tuple[Any, Records]]:
        """The records of each task, always the same ones, or all of them under None where there is one task."""
        return [(None, self)] if "task" not in self.extra_axes else list(self._of_tasks)

    @cached_property
    def _of_tasks(self) -> list[tuple[Any, Records]]:
        present = set(self.cells["task"])
        tasks = [task for task in self.cells["task"].cat.categories if task in present]
        return [(task, self.select(task=task).drop_unused_levels()) for task in tasks]


def with_levels(cells: pd.DataFrame, settings: pd.DataFrame, extra: tuple[str, ...]) -> pd.DataFrame:
    """The cells with their axes as ordered categories, whose levels are all those in `settings`."""
    cells = cells.copy()
    for name in (*AXES, *extra):
        levels = ordered_levels(name, settings[name])
        cells[name] = pd.Categorical(cells[name].astype(object), categories=levels, ordered=True)
    return cells
