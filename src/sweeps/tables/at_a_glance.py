"""The table 'At a glance': what became of the runs, and what a step back in time leaves of the gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sweeps.analysis.labels import level_text
from sweeps.analysis.loading.axes import grid
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.design import key_of
from sweeps.analysis.statistics.intervals import medians
from sweeps.analysis.statistics.measures import MEASURES, per_run
from sweeps.analysis.statistics.outcomes import diverged, solved
from sweeps.analysis.statistics.summaries import numbers_of
from sweeps.analysis.text import EMPTY, axis_columns, factor, render, with_interval
from sweeps.tables.combinations import lost_counts, problem_counts
from sweeps.tables.layout import Layout, layout

Row = Mapping[Any, Any]
"""A row of an overview."""
TEST = "test_score"
GRADIENT = ("decay_start", "decay_training", "change_start", "change_training")


def overview(records: Records, table: Layout | None = None) -> pd.DataFrame:
    """What became of the runs of every combination of the axes that varied, without intervals.

    Args:
        records: of one task.
        table: the axes; by default those of `layout`.

    Returns:
        A row per combination, one of all runs where nothing varied: the axes; `runs` (with numbers), `lost` (without);
        of them `solved` and `diverged`; `best_score`, the median over runs of the best evaluation (-inf where diverged
        runs decide it); `test_score` likewise, where the data have a test part; and of `statistics.per_cell` the
        medians of `GRADIENT`, in decades per step back in time.
    """
    axes = list((table or layout(records)).axes)
    numbers = numbers_of(records)[list(GRADIENT)]
    scores = {name: per_run(records, MEASURES[name]) for name in ("best_score", TEST)}
    scores = {name: values for name, values in scores.items() if name != TEST or values.notna().any()}
    records = records.with_unset(axes)
    cells = records.cells.join(numbers, on="cell").assign(**scores)
    groups = {(): cells}
    if axes:
        groups = {key_of(levels): part for levels, part in cells.groupby(axes, dropna=False, observed=True)}
    problems, rows = problem_counts(records, axes), []
    combinations = grid(records.planned(), tuple(axes)) if axes else pd.DataFrame(index=[0])
    for levels in combinations.itertuples(index=False) if axes else [()]:
        part = groups.get(key_of(levels), cells.iloc[:0])
        rows.append(
            {
                "runs": len(part),
                "lost": sum(lost_counts(problems.get(key_of(levels), {})).values()),
                "solved": int(solved(part).sum()),
                "diverged": int(diverged(part).sum()),
                **{name: float(medians(part[name].dropna().to_numpy(dtype=float))) for name in scores},
                **part[list(GRADIENT)].median(),
            }
        )
    return pd.concat([combinations, pd.DataFrame(rows)], axis=1)


def outcomes_markdown(frame: pd.DataFrame, table: Layout, score: str) -> str:
    """An overview for reading, a column per level of the column axis, or one per number where there is none.

    Args:
        frame: from `overview`, with the same `table`.
        score: what the score is called, e.g. "accuracy".
    """
    shown = names_of(frame, table)
    by_row = rows_of(frame, table)
    if table.column is not None:
        for level in frame[table.column].cat.categories:
            shown[level_text(table.column, level)] = [_field(cells.get(level)) for cells in by_row]
    else:
        parts = [cells[None] for cells in by_row]
        shown["solved"] = [_of(part, "solved") for part in parts]
        shown[f"best {score}"] = [_median(part, "best_score") or EMPTY for part in parts]
        if TEST in frame:
            shown[f"test {score}"] = [_median(part, TEST) or EMPTY for part in parts]
        for name in ("diverged", "lost"):
            if frame[name].any():
                shown[name] = [_of(part, name) for part in parts]
    if table.column in (None, "length"):
        shown[gradient_head(frame)] = [gradient_text(_last(cells), frame) for cells in by_row]
    return render(shown, names=len(table.rows))


def gradient_markdown(frame: pd.DataFrame, table: Layout) -> str:
    """What a step back leaves of the gradient at every level of the column axis, before training → in training."""
    shown = names_of(frame, table)
    for level in frame[table.column].cat.categories:
        shown[level_text(str(table.column), level)] = [
            gradient_text(cells.get(level), frame) for cells in rows_of(frame, table)
        ]
    return render(shown, names=len(table.rows))


def names_of(frame: pd.DataFrame, table: Layout) -> pd.DataFrame:
    """The name columns of the rows, as texts."""
    rows = list(table.rows)
    return axis_columns(frame[rows].drop_duplicates().reset_index(drop=True), rows) if rows else pd.DataFrame(index=[0])


def rows_of(frame: pd.DataFrame, table: Layout) -> list[dict[Any, Row]]:
    """For every row of the table the rows of the frame by level of the column axis; under None where there is none."""
    found: dict[tuple[Any, ...], dict[Any, Row]] = {}
    for row in frame.to_dict("records"):  # not as Series, in which counts would become floats
        cells = found.setdefault(key_of([row[axis] for axis in table.rows]), {})
        cells[None if table.column is None else row[table.column]] = row
    return list(found.values())


def whole(frame: pd.DataFrame) -> bool:
    """Whether no sequence is long enough for a factor free of its ends, so that the change is from end to end."""
    return bool(frame["decay_start"].isna().all())


def gradient_head(frame: pd.DataFrame) -> str:
    """The head of the column with what a step back leaves of the gradient."""
    return f"{'end-to-end factor' if whole(frame) else 'factor'} per step: at init → in training"


def gradient_text(row: Row | None, frame: pd.DataFrame) -> str:
    """`0.565 → 0.962`: the factor per step back in time before training and in training."""
    if row is None:
        return EMPTY
    start, training = GRADIENT[2:] if whole(frame) else GRADIENT[:2]
    return EMPTY if math.isnan(row[start]) else f"{factor(row[start])} → {factor(row[training])}"


def _last(cells: dict[Any, Row]) -> Row:
    """The last level with a number: the longest sequence that has a factor."""
    return next((row for row in reversed(cells.values()) if not math.isnan(row[GRADIENT[0]])), [*cells.values()][-1])


def _field(row: Row | None) -> str:
    """`3/4 solved, best 0.93, test 0.91`; `0/4, 2 diverged`."""
    if row is None or not row["runs"]:
        return f"{row['lost']} lost" if row is not None and row["lost"] else EMPTY
    texts = [f"{row['solved']}/{row['runs']}{' solved' if row['solved'] else ''}"]
    texts += [f"{row[name]} {name}" for name in ("diverged", "lost") if row[name]]
    found = {name: _median(row, column) for name, column in (("best", "best_score"), ("test", TEST))}
    return ", ".join([*texts, *(f"{name} {text}" for name, text in found.items() if text)])


def _of(row: Row, name: str) -> str:
    """`3/4`: of the runs with a number; lost ones are of all."""
    total = row["runs"] + (row["lost"] if name == "lost" else 0)
    return f"{row[name]}/{total}" if total else EMPTY


def _median(row: Row, column: str) -> str:
    """The median score; nothing where there is none or diverged runs decide it."""
    value = row.get(column, math.nan)
    return with_interval(value, math.nan, math.nan) if math.isfinite(value) else ""
