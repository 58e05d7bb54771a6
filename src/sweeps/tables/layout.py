"""Which axes of a study are the rows and which is the columns of a table that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweeps.analysis.labels import axes_said, level_text
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.design import MOST_AXES
from sweeps.analysis.statistics.effects import by_importance

MOST_ROWS, MOST_LONG = 24, 40
"""Rows that can still be read, of a table with columns side by side and of one without; an axis that would make more is
pooled."""
MOST_COLUMNS = 6
"""Levels that can be columns side by side."""


@dataclass(frozen=True)
class Layout:
    """The axes of a table.

    Attributes:
        rows: each row is a combination of their levels; none where nothing varied.
        column: the axis whose levels are columns; None for none.
        pooled: axes that varied and are in neither.
    """

    rows: tuple[str, ...] = ()
    column: str | None = None
    pooled: tuple[str, ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of rows, then that of the columns."""
        return self.rows if self.column is None else (*self.rows, self.column)


def layout(records: Records, most: int = MOST_AXES, without: tuple[str, ...] = (), *, columns: bool = True) -> Layout:
    """The axes of a table over what a study varied, and over nothing else.

    The axes are taken in the order of their share of the variation, as long as the table can be read; few lengths come
    first. Columns are lengths, or else the levels of the axis with the fewest of them (numbers before names), where
    these are few and another axis is left for the rows. Rows stand in the order of the records.

    Args:
        records: of one task.
        most: axes at most.
        without: axes that are no rows and no columns, because the caller shows one level of them.
        columns: False for a table that has a row for every combination.
    """
    order = [axis for axis in by_importance(records) if axis not in without]
    if "length" in order and records.cells["length"].nunique() <= MOST_COLUMNS:
        order = ["length", *(axis for axis in order if axis != "length")]
    found = Layout()
    for axis in order if most else []:
        axes = [each for each in records.axes if each in (*found.axes, axis)]
        column = _column(records, axes) if columns else None
        rows = tuple(each for each in axes if each != column)
        if not found.axes or (len(axes) <= most and _rows(records, rows) <= (MOST_ROWS if columns else MOST_LONG)):
            found = Layout(rows, column)
    return replace(found, pooled=tuple(axis for axis in order if axis not in found.axes))


def what_is_constant(records: Records) -> str:
    """`GRU, orthogonal, no clipping, T = 60`: the levels of the axes that did not vary."""
    several = {*records.varied, "task"}
    return ", ".join(
        level_text(axis, records.cells[axis].iloc[0])
        for axis in records.axes
        if axis not in several and len(records.cells)
    )


def what_is_pooled(pooled: tuple[str, ...]) -> str:
    """`pooled over clipping and learning rate`; empty for none."""
    return f"pooled over {axes_said(pooled)}" if pooled else ""


def _rows(records: Records, axes: Sequence[str]) -> int:
    """How many combinations of levels have a run."""
    return len(records.cells[list(axes)].drop_duplicates())


def _column(records: Records, axes: Sequence[str]) -> str | None:
    """The axis of the columns: few levels, lengths before other numbers, numbers before names."""

    def after(axis: str) -> tuple[bool, bool, int]:
        values = records.cells[axis].dropna()
        return axis != "length", isinstance(values.iloc[0], str | bool), values.nunique()

    few = [axis for axis in axes if records.cells[axis].nunique() <= MOST_COLUMNS]
    return min(few, key=after) if few and len(axes) > 1 else None
