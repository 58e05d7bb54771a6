"""What a sweep requested: `plan.csv` and `multirun.yaml`. A reader of its records learns from them what is missing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeps.errors import SweepsError
from sweeps.records.files import field, write_atomically
from sweeps.records.paths import is_cell
from sweeps.records.safe_reading import SMALL, read_text, why, yaml_value


def write_plan(path: Path, cells: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a row per cell, in order: its id and its settings by dotted name, empty for settings that it lacks.

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


def read_plan(path: Path) -> dict[str, dict[str, str]] | None:
    """The settings of every cell that was requested last, as text by dotted name; None without a plan.

    Raises:
        SweepsError: the plan is there and cannot be read; the message is a clause.
    """
    try:
        text = read_text(path)
        header, *rows = [*csv.reader(io.StringIO(text, newline=""), strict=True)] or [[]]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, csv.Error) as error:
        raise SweepsError(why(error)) from error
    if header[:1] != ["cell"] or len(set(header)) < len(header):
        raise SweepsError("its first row does not name settings, each once, after `cell`")
    if not text.endswith("\n"):
        raise SweepsError("it ends in the middle of a row")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header) or not is_cell(row[0]):
            raise SweepsError(f"row {number} is not a cell and its {len(header) - 1} settings")
    return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}


def read_overrides(path: Path) -> list[str] | None:
    """The overrides that followed `-m` on the command line, from multirun.yaml; None if there is no such file.

    Raises:
        SweepsError: the file is there and does not hold them; the message is a clause.
    """
    try:
        overrides = yaml_value(read_text(path, SMALL))["hydra"]["overrides"]["task"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SweepsError(why(error)) from error
    except (KeyError, TypeError, IndexError):
        overrides = None
    if not (isinstance(overrides, list) and all(isinstance(text, str) for text in overrides)):
        raise SweepsError("it does not list under hydra.overrides.task what was requested")
    return overrides


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted name, e.g. `task.length`."""
    by_name: dict[str, Any] = {}
    for key, value in settings.items():
        by_name |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return by_name


def nested(by_name: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that `flat` makes these dotted names of."""
    settings: dict[str, Any] = {}
    for name, value in by_name.items():
        *groups, last = name.split(".")
        place = settings
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return settings
