"""How many runs of a table were solved, solved at the end, or diverged."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.statistics.outcomes import counted

CRITERIA = {"solved": "solved", "solved_at_end": "solved at the end", "diverged": "diverged"}
"""The outcomes that the answer counts: name in `outcomes.COUNTS`, and head in its tables."""


def outcome_counts(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """The number of runs, `n`, and of those with each of `CRITERIA`, by level of an axis.

    Args:
        table: from `tables.comparison`: `n` and shares.
        by: the axis.
    """
    here = table[table["n"] > 0]
    counts = pd.DataFrame({by: here[by], "n": here["n"], **{name: counted(here, name) for name in CRITERIA}})
    return counts.groupby(by, observed=True).sum()
