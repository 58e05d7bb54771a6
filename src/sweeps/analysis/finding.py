"""The cells of a sweep that have certain settings or a certain outcome, as the rows that `find` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.axes import AXES, extra_axes, ordered_levels
from sweeps.analysis.loading.one_sweep import read_sweep
from sweeps.analysis.statistics.measures import SHORT
from sweeps.analysis.text import EMPTY, number
from sweeps.analysis.wanted import fits, key, level_typed
from sweeps.config.short_names import column_of
from sweeps.records.paths import is_cell

MEASURED = ("best_score", "best_loss", "solved_step")
"""Numbers that a run may be found by."""
RESULTS = ("outcome", *MEASURED, "root")
"""Columns of `listing` beside the id and the settings."""
PLACES = ("cell", "root", "experiment", "runs_dir")
"""Columns that say where a cell is, not what it is."""


@dataclass(frozen=True)
class Found:
    """Rows of texts under heads: id, settings that vary over the sweep, outcome, best score, best loss where it was
    asked about, solved step, folder.

    Attributes:
        total: number of cells that the sweep has.
        nothing: what there is instead, where no cell fits; empty otherwise.
    """

    heads: list[str]
    rows: list[list[str]]
    total: int
    nothing: str = ""


def listing(root: Path) -> pd.DataFrame:
    """A row for each cell of a sweep, done or not: `cell`, its settings under short names where they have one,
    `outcome` (of a cell that is not done its kind of problem, as in `Records.problems`), the numbers of `MEASURED`, and
    `root`, the folder of the sweep.

    Raises:
        SweepsError: the folder has no cells.
    """
    raw, _, _ = read_sweep(root)
    cells = [*raw.done, *sorted(cell for cell in raw.problems if is_cell(cell))]
    table = pd.DataFrame([raw.settings.get(cell, {}) for cell in cells]).astype(object)
    table = table.where(table.notna(), None)
    for name in AXES:
        if name not in table:
            table[name] = None
    done = {cell: raw.summaries[cell] for cell in raw.done}
    table.insert(0, "cell", cells)
    table["outcome"] = [done[cell].outcome if cell in done else raw.problems[cell][0] for cell in cells]
    table["best_score"] = [done[cell].best.eval_score if cell in done else None for cell in cells]
    table["best_loss"] = [done[cell].best.eval_loss if cell in done else None for cell in cells]
    table["solved_step"] = [done[cell].solved_step if cell in done else None for cell in cells]
    table["root"] = str(root)
    return table


def find(root: Path | Sequence[Path], wanted: Mapping[str, str]) -> Found:
    """The cells that have, of every setting in `wanted`, one of the values given.

    Args:
        root: folder of the sweep, or folders of several, of which the column `sweep` says which a cell is of.
        wanted: what is wanted of a setting by any of its names, of `outcome`, `score`, `loss` and `updates` (until
            solved): see `wanted.fits`; numbers are compared as such.

    Raises:
        SweepsError: there is no such setting, or no cell of the sweep has such a value.
    """
    roots = [root] if isinstance(root, Path) else root
    table = pd.concat([listing(each) for each in roots], ignore_index=True).astype(object)
    table = table.where(table.notna(), None)
    chosen = pd.Series(True, index=table.index)
    alone: list[str] = []
    names = [str(each) for each in table if each not in PLACES]
    short = {name: measure for name, measure in SHORT.items() if measure in MEASURED}
    for given, text in wanted.items():
        name = column_of(short.get(given, given), [*names, *short], "setting or result of these cells")
        here = fits(given, text, table[name], measured=name in MEASURED)
        alone.append(f"{given}={text} has {here.sum()}")
        chosen &= here
    axes = _varying(table)
    nothing = "" if chosen.any() else f"none of {len(table)} cells; alone {', '.join(alone)}"
    order = {axis: {level: place for place, level in enumerate(ordered_levels(axis, table[axis]))} for axis in axes}
    part = table[chosen]
    part = part.sort_values([*axes, "cell"], key=lambda column: column.map(order.get(str(column.name), str)))
    several, with_loss = len(roots) > 1, bool({"loss", "best_loss"} & wanted.keys())
    columns = {
        "cell": part["cell"],
        **({"sweep": part["root"].map(lambda path: Path(path).name)} if several else {}),
        **{axis: part[axis].map(partial(level_typed, axis)) for axis in axes},
        "outcome": part["outcome"],
        "best": part["best_score"].map(number),
        **({"loss": part["best_loss"].map(number)} if with_loss else {}),
        "solved at": part["solved_step"].map(lambda step: EMPTY if step is None else str(int(step))),
        "folder": [_near(Path(row["root"]) / row["cell"]) for row in part.to_dict("records")],
    }
    rows = [list(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return Found(list(columns), rows, len(table), nothing)


def _near(folder: Path) -> str:
    """A folder as it is typed from here."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _varying(table: pd.DataFrame) -> list[str]:
    """The settings that tell the cells apart, in the order of the tables of a report, the seed last."""
    known = table.dropna(subset=["arch"]).drop(columns=["cell", *RESULTS])
    axes = [*AXES, *extra_axes(known), "seed"]
    return [axis for axis in axes if axis in known and known[axis].map(key).nunique() > 1]
