"""`plan.csv`: the cells that a sweep asked for, so that a reader of its records knows what is missing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeps.records.files import field, write_atomically


def write_plan(path: Path, cells: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a row per cell, in order: its id and its settings by dotted name; empty where it has no such setting.

    Args:
        cells: nested settings by cell id.
    """
    rows = {cell: flat(settings) for cell, settings in cells.items()}
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["cell", *names])
    writer.writerows([cell, *(field(row.get(name)) for name in names)] for cell, row in rows.items())
    write_atomically(path, text.getvalue())


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted name."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
