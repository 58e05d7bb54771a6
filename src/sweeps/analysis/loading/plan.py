"""The plan that a sweep left beside its records: which cells it asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweeps.analysis.loading.axes import COLUMN_OF_SETTING, plain
from sweeps.records.planned import read_plan_rows


def read_plan(path: Path) -> dict[str, dict[str, Any]] | None:
    """The settings of every cell that was asked for last, by id; None without a plan.

    Settings have the names and types of `axes.flatten`; an empty field is a setting that the cell has not.

    Raises:
        SweepsError: the plan is there and cannot be read; the message is a clause.
    """
    rows = read_plan_rows(path)
    return rows and {
        cell: {COLUMN_OF_SETTING.get(name, name): _typed(value) for name, value in row.items() if value}
        for cell, row in rows.items()
    }


def _typed(text: str) -> Any:
    """A value as YAML would read it: text, a whole number or another number."""
    try:
        return int(text)
    except ValueError:
        return {"True": True, "False": False}.get(text, plain(text))
