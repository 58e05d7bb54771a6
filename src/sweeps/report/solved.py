"""The part 'Who solved the task?' of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sweeps.analysis.labels import level_text
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import by_importance
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.analysis.statistics.outcomes import COUNTS
from sweeps.analysis.text import EMPTY, axis_columns, number, percent, render
from sweeps.report.by_axis import by_level
from sweeps.report.document import Block, Prose, Tabular
from sweeps.tables.layout import layout, what_is_pooled


def solved(records: Records) -> list[Block]:
    """How many runs solved the task, by the axis that matters most for it.

    A table of the two axes that matter most follows where more than two varied: of fewer, 'At a glance' has it.
    """
    n, reached, kept = (int(part.sum()) for part in (records.cells["cell"].notna(), *_flags(records)))
    thresholds = records.cells["solved_at"].dropna().unique()
    score = (
        f"{number(thresholds[0])} in {records.score_name}"
        if len(thresholds) == 1
        else "the score that the task asks for"
    )
    text = f"**{f'{percent(reached, n)} of runs' if reached else 'No run'} solved the task** ({reached} of {n}): "
    text += f"{'an' if reached else 'no'} evaluation reached {score}."
    if reached == 1:
        text += f" At the end it was {'still' if kept else 'no longer'} solved."
    elif reached:
        text += f" At the end {kept} of the {reached} were still solved."
    text += f" Solved: {spread}." if (spread := by_level(records, "solved")) else ""
    return [Prose(text), *([_table(records)] if len(records.varied) > 2 and 0 < reached < n else [])]


def _flags(records: Records) -> tuple[pd.Series, pd.Series]:
    return COUNTS["solved"](records.cells), COUNTS["solved_at_end"](records.cells)


def _table(records: Records) -> Tabular:
    """Runs that solved the task by the two axes that matter most, `18/18`, and how many were solved at the end."""
    first = by_importance(records, MEASURES["solved"])[:2]
    rest = tuple(axis for axis in records.varied if axis not in first)
    table = layout(records, 2, without=rest)
    cells = records.cells.assign(**dict(zip(("solved", "kept"), _flags(records), strict=True)))
    row, column = table.rows[0], str(table.column or table.rows[-1])
    counts = cells.groupby([row, column], observed=True).agg(
        n=("cell", "size"), solved=("solved", "sum"), kept=("kept", "sum")
    )
    by_levels = counts.to_dict("index")
    levels = [each for each in cells[row].cat.categories if (cells[row] == each).any()]
    shown = axis_columns(pd.DataFrame({row: levels}), [row])
    for across in cells[column].cat.categories:
        shown[level_text(column, across)] = [_field(by_levels, (level, across)) for level in levels]
    pooled = f", {what_is_pooled(rest)}" if rest else ""
    kept = "; where fewer were solved at the end, how many" if (counts["kept"] < counts["solved"]).any() else ""
    return Tabular(render(shown, names=1), f"Runs that solved the task, of all runs{pooled}{kept}.")


def _field(counts: Mapping[Any, Mapping[Any, Any]], levels: tuple[Any, Any]) -> str:
    if levels not in counts:
        return EMPTY
    row = counts[levels]
    return f"{row['solved']}/{row['n']}" + (f", {row['kept']} at the end" if row["kept"] < row["solved"] else "")
