"""What the tables of two sweeps side by side have in common: the first rows, and cells named by their levels."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sweeps.analysis.labels import level_said
from sweeps.analysis.text import EMPTY, render
from sweeps.report.document import Tabular

LISTED = 12
"""Rows of a table; the files have all."""


def first_rows(rows: Sequence[Sequence[str]], heads: Sequence[str], names: int, caption: str) -> Tabular:
    """The first rows as a table; the caption, which is no sentence yet, says so where there are more."""
    more = f" (the first {LISTED} of {len(rows)})" if len(rows) > LISTED else ""
    return Tabular(render(pd.DataFrame(rows[:LISTED], columns=list(heads)), names=names), f"{caption}{more}.")


def levels_of(row: pd.Series, axes: Sequence[str]) -> list[str]:
    """The levels of one cell or combination, in words."""
    return [EMPTY if pd.isna(row[axis]) else level_said(axis, row[axis]) for axis in axes]
