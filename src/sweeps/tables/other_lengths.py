"""How trained networks do at lengths that they were not trained on, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.loading.time_steps import SETTING


def with_settings(records: Records, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The rows with the axes, the seed and the outcome of each row's `cell` added."""
    return records.with_axes(pd.DataFrame(rows))


def medians(records: Records, frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: what the study varied, else the architecture, the number of runs, their median score at each
    length. The length that they were trained on is the setting, as those are that they are evaluated at.

    Args:
        frame: of `with_settings`, with the columns `evaluated_at` and `score`.
    """
    tasks = ["task"] if "task" in records.axes else []
    by = [*tasks, *records.varied] or ["arch"]
    if SETTING in records.cells and SETTING not in by:
        frame = frame.join(records.cells.set_index("cell")[[SETTING]], on="cell")
        by = [SETTING if axis == "length" else axis for axis in by]
    table = frame.groupby([*by, "evaluated_at"], observed=True)["score"].median().unstack("evaluated_at")
    runs = frame.groupby(by, observed=True)["cell"].nunique()
    lines = []
    for (levels, scores), count in zip(table.iterrows(), runs, strict=True):
        own = levels if isinstance(levels, tuple) else (levels,)
        lines.append([*map(str, own), str(count), *(f"{score:.3f}" for score in scores)])
    return [*by, "runs", *(f"{records.score_name} at {length}" for length in table.columns)], lines
