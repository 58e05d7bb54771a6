"""Which runs solved the task and which diverged, and their shares with exact intervals.

The one place that says what counts: a run may have solved the task and then diverged, and is then in both counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import grid
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.design import key_of
from sweeps.analysis.statistics.intervals import share_interval


def solved(cells: pd.DataFrame) -> pd.Series:
    """Whether an evaluation of each run reached the score at which the task counts as solved, whatever followed."""
    return cells["solved_step"].notna()


def solved_at_end(cells: pd.DataFrame) -> pd.Series:
    """Whether the last evaluation of each run did, and the run did not diverge."""
    wanted = cells["solved_at"]
    if "task.solved_at" in cells:
        wanted = wanted.fillna(pd.to_numeric(cells["task.solved_at"], errors="coerce"))
    return solved(cells) & (cells["final_score"] >= wanted) & ~diverged(cells)


def diverged(cells: pd.DataFrame) -> pd.Series:
    """Whether the loss or the gradient of each run stopped being finite, solved before or not."""
    return cells["outcome"] == "diverged"


def diverged_at_start(cells: pd.DataFrame) -> pd.Series:
    """Whether it was not finite before the first update, so that nothing was trained."""
    return diverged(cells) & (cells["diverged_step"] == 0)


COUNTS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "solved": solved,
    "solved_at_end": solved_at_end,
    "diverged": diverged,
    "diverged_at_start": diverged_at_start,
}
"""What is counted of runs, by the name that its column `share_...` has."""


def shares(records: Records, by: Sequence[str]) -> pd.DataFrame:
    """n and the share of every one of `COUNTS` (intervals over seeds) over any of the axes, holes included."""
    groups = {key_of(row): part for row, part in records.cells.groupby(list(by), dropna=False, observed=True)}
    combinations = grid(records.planned(), tuple(by))
    empty = records.cells.iloc[:0]
    rows = [outcomes(groups.get(key_of(values), empty)) for values in combinations.itertuples(index=False)]
    return pd.concat([combinations, pd.DataFrame(rows)], axis=1)


def outcomes(part: pd.DataFrame) -> dict[str, Any]:
    """The same of one combination, whose cells `part` holds; without a cell n is 0 and the shares are NaN."""
    n = len(part)
    row: dict[str, Any] = {"n": n}
    for name, of in COUNTS.items():
        had = of(part).astype(float)
        row[f"share_{name}"] = had.sum() / n if n else np.nan
        by_seed = had if part["seed"].is_unique else had.groupby(part["seed"]).mean()
        row[f"share_{name}_low"], row[f"share_{name}_high"] = share_interval(by_seed)
    return row


def counted(table: pd.DataFrame, name: str) -> pd.Series:
    """Runs of each row of a table that has `n` and the shares of `outcomes`; 0 in a row without a run."""
    return (table[f"share_{name}"] * table["n"]).fillna(0.0).round().astype(int)
