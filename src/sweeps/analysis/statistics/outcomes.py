"""How many runs solved the task and how many diverged: shares with exact intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import grid
from sweeps.analysis.loading.load import Records
from sweeps.analysis.statistics.design import key_of
from sweeps.analysis.statistics.intervals import share_interval


def shares(records: Records, by: Sequence[str]) -> pd.DataFrame:
    """n, share solved and share diverged (intervals over seeds) over any of the axes, holes included."""
    groups = {key_of(row): part for row, part in records.cells.groupby(list(by), dropna=False, observed=True)}
    combinations = grid(records.planned(), tuple(by))
    empty = records.cells.iloc[:0]
    rows = [outcomes(groups.get(key_of(values), empty)) for values in combinations.itertuples(index=False)]
    return pd.concat([combinations, pd.DataFrame(rows)], axis=1)


def outcomes(part: pd.DataFrame) -> dict[str, Any]:
    """The same of one combination, whose cells `part` holds; without a cell n is 0 and the shares are NaN."""
    n = len(part)
    row: dict[str, Any] = {"n": n}
    for outcome in ("solved", "diverged"):
        had = (part["outcome"] == outcome).astype(float)
        row[f"share_{outcome}"] = had.sum() / n if n else np.nan
        by_seed = had if part["seed"].is_unique else had.groupby(part["seed"]).mean()
        row[f"share_{outcome}_low"], row[f"share_{outcome}_high"] = share_interval(by_seed)
    return row
