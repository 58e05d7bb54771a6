"""How many runs of a table had each outcome, as the answer counts them."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.statistics.outcomes import counted

CRITERIA = {"solved": "solved", "solved_at_end": "solved at the end", "diverged": "diverged"}
"""Outcomes of which the answer gives counts, by name in `outcomes.COUNTS`, as its tables call them."""


def outcome_counts(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Runs and those of each of `CRITERIA`, for each level of an axis, from shares of rows."""
    here = table[table["n"] > 0]
    counts = pd.DataFrame({by: here[by], "n": here["n"], **{name: counted(here, name) for name in CRITERIA}})
    return counts.groupby(by, observed=True).sum()
