"""The grid behind a comparison: which axes are compared, which are pooled, and which cells are missing.

Every comparison first becomes an array `[C, S, B]`: C combinations of the compared axes, S seeds, B blocks (the
combinations of the pooled axes). A run is paired with the runs of the same seed and block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import as_typed, grid, owner_of
from sweeps.analysis.loading.records import IN_GRID, Records
from sweeps.analysis.statistics.intervals import Floats
from sweeps.config.short_names import column_of
from sweeps.errors import SweepsError, unknown

Incomplete = Literal["refuse", "allow"]
MOST_AXES = 4
NAMED = 10
"""How many missing cells an error lists; it only counts the others."""


@dataclass(frozen=True)
class Design:
    """The values of one comparison by combination, seed and block.

    Attributes:
        combinations: a row per combination of the compared axes, in the order of the axes' levels.
        runs: a row per combination: `runs, diverged, missing` counts.
        values: `[C, S, B]`, NaN where there is no run or no number.
        pooled: axes with several levels that are neither compared nor selected.
        fixed: axes with one level, and that level.
        missing: cells of the full grid without a run: the axes, `seed` and `why`.
    """

    combinations: pd.DataFrame
    runs: pd.DataFrame
    values: Floats
    pooled: tuple[str, ...]
    fixed: dict[str, Any]
    missing: pd.DataFrame


def lay_out(records: Records, axes: Sequence[str], values: pd.Series, incomplete: Incomplete) -> Design:
    """Lay out one value per run, in the order of `records.cells`, as an array `[C, S, B]`.

    A setting that belongs to a compared axis (`gain` to `init`) makes no blocks, because the other levels do not have
    it: runs that differ only in it are replaced by their median.

    Raises:
        SweepsError: an axis is unknown or repeated; there are too many; two tasks would be pooled; cells are missing
            or duplicate and `incomplete` is not "allow".
    """
    axes = named_axes(records, axes)
    check_axes(records, axes)
    if incomplete not in ("refuse", "allow"):
        raise SweepsError(unknown("incomplete", str(incomplete), ("refuse", "allow")))
    records = records.drop_unused_levels()
    missing = missing_cells(records)
    if incomplete == "refuse":
        _require_complete(records, missing)
    cells = records.cells
    several = [axis for axis in records.axes if len(cells[axis].cat.categories) + cells[axis].isna().any() > 1]
    pooled = [axis for axis in several if axis not in axes]
    blocks = [axis for axis in pooled if owner_of(axis) not in axes]
    combinations = grid(records.planned(), tuple(axes))
    c = _row_numbers(cells[list(axes)], combinations)
    b = cells.groupby(blocks, dropna=False, observed=True).ngroup() if blocks else pd.Series(0, index=cells.index)
    s = pd.Series(pd.factorize(cells["seed"], sort=True)[0], index=cells.index)
    array = np.full((len(combinations), s.max() + 1, b.max() + 1), np.nan)
    entries = values.groupby([c, s, b]).median()
    array[tuple(entries.index.get_level_values(level) for level in range(3))] = entries.to_numpy()
    runs = pd.DataFrame(
        {
            "runs": np.bincount(c, minlength=len(combinations)),
            "diverged": np.bincount(c[cells["outcome"] == "diverged"], minlength=len(combinations)),
            "missing": np.bincount(_row_numbers(missing[list(axes)], combinations), minlength=len(combinations)),
        }
    )
    fixed = {axis: cells[axis].cat.categories[0] for axis in records.axes if axis not in several and axis not in axes}
    return Design(combinations, runs, array, tuple(pooled), fixed, missing)


def named_axes(records: Records, axes: Sequence[str]) -> list[str]:
    """The axes as they are called in the records, from any of their names (`init.gain`, `gain`).

    Raises:
        SweepsError: one of them is no axis of the records; the message names the nearest.
    """
    return [column_of(str(axis), records.axes, "axis") for axis in axes]


def named_levels(records: Records, select: Mapping[str, Any] | None) -> dict[str, Any]:
    """Selected levels by the column of `records.cells` that each setting is in, from any of its names.

    Raises:
        SweepsError: there is no such setting; the message names the nearest.
    """
    return {column_of(str(name), map(str, records.cells)): level for name, level in (select or {}).items()}


def check_axes(records: Records, axes: Sequence[str]) -> None:
    """Raise SweepsError unless these are one to four axes of the records that leave no two tasks in one row."""
    for axis in axes:
        if axis not in records.axes:
            raise SweepsError(unknown("axis", str(axis), records.axes))
    if not axes or len(axes) > MOST_AXES or len(set(axes)) < len(axes):
        raise SweepsError(
            f"axes: {', '.join(axes) or 'none'} given; a table takes one to {MOST_AXES} different ones of "
            f"{', '.join(records.axes)}, the others are pooled (or fixed by select)"
        )
    if "task" not in axes and records.cells["task"].nunique() > 1:
        names = ", ".join(sorted(map(str, records.cells["task"].unique())))
        raise SweepsError(f"two tasks are never one row: add 'task' to the axes or select one ({names})")


def missing_cells(records: Records) -> pd.DataFrame:
    """The cells of the full grid (every combination with every seed of the sweep) that have no run in `records`.

    Returns:
        The axes, `seed`, and `why`: the problem of the cell as in `records.problems`, or "not among the records".
    """
    axes = [*records.axes, "seed"]
    in_grid = records.problems[records.problems["problem"].isin(IN_GRID)]
    seeds = sorted({*records.cells["seed"].dropna(), *in_grid["seed"].dropna()})
    full = grid(records.planned(), records.axes).merge(pd.DataFrame({"seed": seeds}), how="cross")
    present = {key_of(row) for row in records.cells[axes].itertuples(index=False)}
    missing = full[[key_of(row) not in present for row in full[axes].itertuples(index=False)]].reset_index(drop=True)
    problems = records.problems
    reasons = {
        key_of(row): f"cell {cell}: {problem}, {reason}"
        for row, cell, problem, reason in zip(
            problems[axes].itertuples(index=False),
            problems["cell"],
            problems["problem"],
            problems["reason"],
            strict=True,
        )
    }
    why = [reasons.get(key_of(row), "not among the records") for row in missing[axes].itertuples(index=False)]
    return missing.assign(why=pd.Series(why, index=missing.index, dtype="str"))


def key_of(values: Any) -> tuple[Any, ...]:
    """Axis values as a dictionary key in which a missing value equals itself."""
    return tuple(None if pd.isna(value) else value for value in values)


def _require_complete(records: Records, missing: pd.DataFrame) -> None:
    """Raise SweepsError if cells are missing, or if two cells have the same axes and seed."""
    axes = [*records.axes, "seed"]
    way_out = 'select a part that is complete, or pass incomplete="allow" to compare the pairs that are there'
    if len(missing):
        named = [f"  - {_setting_texts(row[axes])} ({row['why']})" for _, row in missing.head(NAMED).iterrows()]
        if len(missing) > NAMED:
            named.append(f"  - and {len(missing) - NAMED} more")
        total = len(records.cells) + len(missing)
        raise SweepsError("\n".join([f"{len(missing)} of {total} cells of the grid are missing:", *named, way_out]))
    double = records.cells[records.cells.duplicated(axes, keep=False)]
    if len(double):
        named = [f"  - {_setting_texts(row[axes])}: cell {row['cell']}" for _, row in double.head(NAMED).iterrows()]
        raise SweepsError("\n".join([f"{len(double)} cells share their place in the grid:", *named, way_out]))


def _setting_texts(row: pd.Series) -> str:
    """`arch=lstm, length=50, seed=0` of a row of settings; missing values are left out."""
    typed = {str(name): as_typed(str(name), level) for name, level in row.items()}
    texts = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in typed.items()}
    return ", ".join(f"{name}={text}" for name, text in texts.items() if text != "nan")


def _row_numbers(rows: pd.DataFrame, combinations: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.intp]]:
    """For each of `rows` the number of the row of `combinations` that equals it."""
    number = {key_of(row): index for index, row in enumerate(combinations.itertuples(index=False))}
    return np.array([number[key_of(row)] for row in rows.itertuples(index=False)], dtype=np.intp)
