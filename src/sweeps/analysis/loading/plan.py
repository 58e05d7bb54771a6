"""The plan that a sweep left beside its records: which cells it asked for."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from sweeps.analysis.loading.axes import COLUMN_OF_SETTING, plain


def read_plan(path: Path) -> dict[str, dict[str, Any]] | None:
    """The settings of every cell that was asked for last, by id; None without a plan.

    Settings have the names and types of `axes.flatten`; an empty field is a setting that the cell has not.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return None
    return {
        row["cell"]: {
            COLUMN_OF_SETTING.get(name, name): _typed(value) for name, value in row.items() if name != "cell" and value
        }
        for row in rows
    }


def _typed(text: str) -> Any:
    """A value as YAML would read it: text, a whole number or another number."""
    try:
        return int(text)
    except ValueError:
        return {"True": True, "False": False}.get(text, plain(text))
