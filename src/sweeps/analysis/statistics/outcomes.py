"""Which runs solved the task and which diverged, and their shares with exact intervals.

All other code counts by these functions. A run that solved the task and then diverged is in both counts.
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
    """Whether any evaluation of each run reached the score at which the task counts as solved, whatever followed."""
    return cells["solved_step"].notna()


def solved_at_end(cells: pd.DataFrame) -> pd.Series:
    """Whether the last evaluation of each run reached the score that counts as solved, and the run did not diverge."""
    threshold = cells["solved_at"]
    if "task.solved_at" in cells:
        threshold = threshold.fillna(pd.to_numeric(cells["task.solved_at"], errors="coerce"))
    return solved(cells) & (cells["final_score"] >= threshold) & ~diverged(cells)


def diverged(cells: pd.DataFrame) -> pd.Series:
    """Whether the loss or the gradient of each run stopped being finite, solved before or not."""
    return cells["outcome"] == "diverged"


def diverged_at_start(cells: pd.DataFrame) -> pd.Series:
    """Whether the loss or the gradient was not finite at step 0, before the first update: nothing was trained."""
    return diverged(cells) & (cells["diverged_step"] == 0)


COUNTS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "solved": solved,
    "solved_at_end": solved_at_end,
    "diverged": diverged,
    "diverged_at_start": diverged_at_start,
}
"""The counts of runs, by the name that their column `share_...` has."""


def shares(records: Records, by: Sequence[str]) -> pd.DataFrame:
    """n and the share of each of `COUNTS`, with intervals over seeds, for every combination of the axes, run or not."""
    groups = {key_of(row): part for row, part in records.cells.groupby(list(by), dropna=False, observed=True)}
    combinations = grid(records.planned(), tuple(by))
    empty = records.cells.iloc[:0]
    rows = [outcomes(groups.get(key_of(values), empty)) for values in combinations.itertuples(index=False)]
    return pd.concat([combinations, pd.DataFrame(rows)], axis=1)


def outcomes(part: pd.DataFrame) -> dict[str, Any]:
    """n and the shares of the cells in `part`, with intervals over seeds; without a cell n is 0, the shares are NaN."""
    n = len(part)
    row: dict[str, Any] = {"n": n}
    for name, count in COUNTS.items():
        flags = count(part).astype(float)
        row[f"share_{name}"] = flags.sum() / n if n else np.nan
        by_seed = flags if part["seed"].is_unique else flags.groupby(part["seed"]).mean()
        row[f"share_{name}_low"], row[f"share_{name}_high"] = share_interval(by_seed)
    return row


def counted(table: pd.DataFrame, name: str) -> pd.Series:
    """How many runs of each row a share of `outcomes` stands for; 0 in a row without a run."""
    return (table[f"share_{name}"] * table["n"]).fillna(0.0).round().astype(int)
