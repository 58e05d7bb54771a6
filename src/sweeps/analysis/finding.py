"""The cells of a sweep that have certain settings or a certain outcome, as the rows that `find` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.analysis.loading.axes import AXES, extra_axes, ordered_levels, plain
from sweeps.analysis.loading.one_sweep import read_sweep
from sweeps.analysis.text import number
from sweeps.config.short_names import column_of
from sweeps.errors import SweepsError, nearest
from sweeps.records.columns import OUTCOMES
from sweeps.records.paths import is_cell

RESULTS = ("outcome", "best_score", "solved_step", "root")
"""Columns of `listing` beside the id and the settings."""
MOST = 12
"""Levels of a setting that a message lists."""


@dataclass(frozen=True)
class Found:
    """Rows of texts under heads: id, settings that vary over the sweep, outcome, best score, solved step, folder.

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
    `outcome` (of a cell that is not done its kind of problem, as in `Records.problems`), `best_score`, `solved_step`,
    and `root`, the folder of the sweep.

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
    table["solved_step"] = [done[cell].solved_step if cell in done else None for cell in cells]
    table["root"] = str(root)
    return table


def find(root: Path | Sequence[Path], wanted: Mapping[str, str]) -> Found:
    """The cells that have, of every setting in `wanted`, one of the values given.

    Args:
        root: folder of the sweep, or folders of several, of which the column `sweep` says which a cell is of.
        wanted: `a,b` for one value or another, by any of its names, and `outcome`; numbers are compared as such.

    Raises:
        SweepsError: there is no such setting, or no cell of the sweep has such a value.
    """
    roots = [root] if isinstance(root, Path) else root
    table = pd.concat([listing(each) for each in roots], ignore_index=True).astype(object)
    table = table.where(table.notna(), None)
    chosen = pd.Series(True, index=table.index)
    alone: list[str] = []
    settings = [str(each) for each in table if each not in ("cell", "best_score", "solved_step")]
    for given, text in wanted.items():
        name = column_of(given, settings, "setting of these cells")
        values = [_key(value) for value in text.split(",") if value]
        present = table[name].map(_key)
        _check(given, values or [text], table[name])
        fits = present.isin(values)
        alone.append(f"{given}={text} has {fits.sum()}")
        chosen &= fits
    axes = _varying(table)
    nothing = "" if chosen.any() else f"none of {len(table)} cells; alone {', '.join(alone)}"
    order = {axis: {level: place for place, level in enumerate(ordered_levels(axis, table[axis]))} for axis in axes}
    part = table[chosen]
    part = part.sort_values([*axes, "cell"], key=lambda column: column.map(order.get(str(column.name), str)))
    several = len(roots) > 1
    heads = ["cell", *(["sweep"] if several else []), *axes, "outcome", "best", "solved at", "folder"]
    return Found(heads, [_row(row, axes, several) for row in part.to_dict("records")], len(table), nothing)


def _row(row: Mapping[Any, Any], axes: Sequence[str], several: bool) -> list[str]:
    solved = row["solved_step"]
    settings = [_text(row[axis]) for axis in axes]
    results = [str(row["outcome"]), number(row["best_score"]), _text(None if pd.isna(solved) else int(solved))]
    root = Path(row["root"])
    sweep = [root.name] if several else []
    return [row["cell"], *sweep, *settings, *results, _near(root / row["cell"])]


def _near(folder: Path) -> str:
    """A folder as it is typed from here."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _varying(table: pd.DataFrame) -> list[str]:
    """The settings that tell the cells apart, in the order of the tables of a report, the seed last."""
    known = table.dropna(subset=["arch"]).drop(columns=["cell", *RESULTS])
    axes = [*AXES, *extra_axes(known), "seed"]
    return [axis for axis in axes if axis in known and known[axis].map(_key).nunique() > 1]


def _check(name: str, values: Sequence[Any], column: pd.Series) -> None:
    """Refuse a value that no cell has; an outcome that none has is an answer."""
    levels = {_key(level) for level in column if level is not None}
    allowed = levels | set(OUTCOMES) if name == "outcome" else levels
    for value in values:
        if value not in allowed:
            raise SweepsError(_no_level(name, value, allowed))


def _no_level(name: str, value: Any, levels: set[Any]) -> str:
    numbers = sorted(level for level in levels if not isinstance(level, str))
    texts = sorted(level for level in levels if isinstance(level, str))
    if isinstance(value, str) or not numbers:
        near: Any = nearest(_text(value), texts)
    else:
        near = min(numbers, key=lambda level: abs(level - value))
    hint = f"; did you mean {_text(near)!r}?" if near is not None else ""
    every = f"{_text(numbers[0])} to {_text(numbers[-1])}, {len(numbers)} values" if len(numbers) > MOST else ""
    listed = [every] if every else [_text(level) for level in numbers]
    return f"{name}: no cell has {_text(value)!r}{hint} (there are: {', '.join([*listed, *texts])})"


def _key(value: Any) -> Any:
    """A value of a setting as it is compared: numbers as numbers, true and false as they are typed."""
    if isinstance(value, bool):
        return str(value).lower()
    value = plain(value)
    return float(value) if isinstance(value, int) else value


def _text(value: Any) -> str:
    """A level as it is typed: every digit, no needless `.0`."""
    value = _key(value)
    if value is None:
        return "–"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
