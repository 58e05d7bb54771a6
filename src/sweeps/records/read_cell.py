"""Readers of the single files of a cell. Each raises SweepsError if its file is missing or malformed."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sweeps.config.identity import completed, id_of
from sweeps.errors import SweepsError
from sweeps.records.columns import DIRECTION, GRADIENT_THROUGH_TIME, LAYER, METRICS
from sweeps.records.rows import wrong_end, wrong_header, wrong_lags, wrong_steps
from sweeps.records.safe_reading import SMALL, is_settings, read_text, why, yaml_value
from sweeps.records.summary import Summary


def read_settings(path: Path, numerics: int) -> dict[str, Any]:
    """The resolved settings of the cell in whose folder the file lies, nested.

    Args:
        numerics: version of the code that trained the cell.
    """
    with _reading(path):
        value = yaml_value(read_text(path, SMALL))
        if not is_settings(value):
            raise ValueError("it does not hold settings")
        if (actual := id_of(value, numerics)) != path.parent.name:
            raise ValueError(f"its settings have the id {actual}")
        return completed(value)


def read_metrics(path: Path, summary: Summary) -> dict[int, dict[str, float]]:
    """step -> {column: value}, in the order of the file; `nonfinite` counts the values of a row that are not finite.

    Args:
        summary: of the same cell.
    """
    with _reading(path):
        header, lines = _lines(path, METRICS)
        rows = [dict(zip(header, line.split(","), strict=True)) for line in lines]
        steps = np.array([int(row.pop("step")) for row in rows])
        history = [{name: float(text) for name, text in row.items() if text} for row in rows]
        columns = {name: np.array([row.get(name, math.nan) for row in history]) for name in header}
        if (what := wrong_steps(steps, summary.step) or wrong_end(columns, summary.final)) is not None:
            raise ValueError(f"it {what}")
    for row in history:
        row["nonfinite"] = sum(not math.isfinite(value) for value in row.values())
    return dict(zip(steps.tolist(), history, strict=True))


def read_gradient(path: Path, measured: Sequence[int]) -> tuple[np.ndarray, np.ndarray] | None:
    """(steps [S], log10 norms [S, T] by step and lag), or None without the file.

    Of several layers it is the highest, of two directions the one that reads forwards.

    Args:
        measured: [S], the steps of metrics.csv.
    """
    if not os.path.lexists(path):
        return None
    with _reading(path):
        header, lines = _lines(path, GRADIENT_THROUGH_TIME)
        if not lines:
            raise ValueError("it has no rows")
        table = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None)  # reads every bit back
        places = [header.index(column) for column in GRADIENT_THROUGH_TIME]
        where = [
            table[:, header.index(name)] if name in header else np.zeros(len(table)) for name in (LAYER, DIRECTION)
        ]
        integers = np.column_stack([table[:, places[:3]], *where])
        if not ((np.abs(integers) < 1 << 31) & (integers == np.floor(integers))).all():
            raise ValueError("a step, a t, a lag, a layer or a direction is not a whole number")
        steps, (step, t, lag, layer, direction) = np.array(measured), integers.astype(np.int64).T
        if (what := wrong_lags(step, t, lag, steps, layer, direction)) is not None:
            raise ValueError(f"it {what}")
        shown = (layer == layer.max()) & (direction == 0)
        return steps, table[shown, places[3]].reshape(len(steps), -1)[:, ::-1]


def _lines(path: Path, needed: Sequence[str]) -> tuple[list[str], list[str]]:
    """(column names, which include `needed`; rows as text) of a CSV file. Its fields are never quoted."""
    text = read_text(path)
    header, *lines = text.split("\n")
    if not lines or lines.pop():
        raise ValueError("it ends in the middle of a row")
    if not all(lines) or any("_" in line for line in lines):  # Python's float() accepts 1_0
        raise ValueError("it holds a row that cannot be read")
    names = header.split(",")
    if (what := wrong_header(names, needed)) is not None:
        raise ValueError(f"it {what}")
    return names, lines


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, OverflowError) as error:
        raise SweepsError(f"{path.name} cannot be read: {why(error)}") from error
