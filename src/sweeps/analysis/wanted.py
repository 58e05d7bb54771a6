"""What is asked of a column of cells: one of some values, `a,b`, or numbers in a range, `0.9..`, `..0.1`, `20..100`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sweeps.analysis.loading.axes import as_level, as_typed, plain
from sweeps.errors import SweepsError, nearest
from sweeps.records.columns import OUTCOMES

MOST = 12
"""Levels of a setting that a message lists."""


def fits(name: str, text: str, column: pd.Series, *, measured: bool = False) -> pd.Series:
    """Which cells have what is wanted.

    Args:
        name: of the column, as it was typed.
        text: `a,b`, values of which one is enough, or a range with its ends.
        measured: the column is a result; only a range of it can be wanted.

    Raises:
        SweepsError: no cell has such a value; a range is no range, or one of a column without numbers.
    """
    numbers = pd.to_numeric(column.map(lambda value: value if isinstance(value, int | float) else None))
    if ".." in text and (measured or numbers.notna().any()):
        low, high = _ends(name, text)
        return (numbers >= low) & (numbers <= high)
    if measured:
        raise SweepsError(f"{name}: given {text!r}, must be a range: {_ranges(name)}")
    values = [key(as_level(str(column.name), plain(value))) for value in text.split(",") if value]
    _check(name, values or [text], column)
    return column.map(key).isin(values)


def _ends(name: str, text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    try:
        ends = float(low or "-inf"), float(high or "inf")
    except ValueError:
        ends = (1.0, 0.0)
    if not ends[0] <= ends[1] or not low + high:
        raise SweepsError(f"{name}: {text!r} is no range; write {_ranges(name)}")
    return ends


def _ranges(name: str) -> str:
    return f"{name}=0.9.. (at least), {name}=..0.9 (at most), {name}=0.5..0.9"


def _check(name: str, values: Sequence[Any], column: pd.Series) -> None:
    """Refuse a value that no cell has; an outcome that none has is an answer."""
    levels = {key(level) for level in column if level is not None}
    allowed = levels | set(OUTCOMES) if name == "outcome" else levels
    for value in values:
        if value not in allowed:
            raise SweepsError(_no_level(name, str(column.name), value, allowed))


def _no_level(name: str, column: str, value: Any, levels: set[Any]) -> str:
    numbers = sorted(level for level in levels if not isinstance(level, str))
    texts = sorted(level for level in levels if isinstance(level, str))
    if isinstance(value, str) or not numbers:
        near: Any = nearest(level_typed(column, value), texts)
    else:
        near = min(numbers, key=lambda level: abs(level - value))
    hint = f"; did you mean {level_typed(column, near)!r}?" if near is not None else ""
    listed = [level_typed(column, level) for level in numbers]
    if len(numbers) > MOST:
        listed = [f"{listed[0]} to {listed[-1]}, {len(numbers)} values"]
    return f"{name}: no cell has {level_typed(column, value)!r}{hint} (there are: {', '.join([*listed, *texts])})"


def key(value: Any) -> Any:
    """A value of a setting as it is compared: numbers as numbers, true and false as they are typed."""
    if isinstance(value, bool):
        return str(value).lower()
    value = plain(value)
    return float(value) if isinstance(value, int) else value


def level_typed(axis: str, level: Any) -> str:
    """A level as it is typed: every digit, no needless `.0`."""
    value = key(as_typed(axis, level))
    if value is None:
        return "–"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
