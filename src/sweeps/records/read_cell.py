"""The files of one cell, read one by one. Each reader raises SweepsError where its file is missing or malformed."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sweeps.errors import SweepsError
from sweeps.records.files import read_json

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there


def read_summary(path: Path) -> dict[str, Any]:
    """What summary.json says."""
    summary = read_json(path)
    if summary is None:
        raise SweepsError("summary.json is missing or not whole")
    return summary


def read_settings(path: Path) -> dict[str, Any]:
    """The resolved settings of the cell, nested."""
    with _reading(path):
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
        if not isinstance(value, dict):
            raise ValueError("it does not hold settings")
        return value


def read_metrics(path: Path) -> dict[int, dict[str, float]]:
    """step -> {column: value}, in the order of the file; `nonfinite` counts the values of a row that are not finite."""
    history: dict[int, dict[str, float]] = {}
    with _reading(path):
        header, lines = _table(path)
        at = header.index("step")
        for line in lines:
            step = int(line[at])
            if history and step <= (before := next(reversed(history))):
                raise ValueError(f"step {step} comes after step {before}")
            fields = zip(header, line, strict=True)
            row = {column: float(text) for column, text in fields if text != "" and column != "step"}
            row["nonfinite"] = sum(not math.isfinite(value) for value in row.values())
            history[step] = row
    return history


def read_gradient(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """(steps [S], log10 norms [S, T] by step and lag), or None where nothing was recorded."""
    if not path.exists():
        return None
    with _reading(path), path.open(encoding="utf-8") as file:
        header = file.readline().rstrip("\n").split(",")
        step, lag, norm = (header.index(column) for column in ("step", "lag", "log10_norm"))
        if not (lines := file.readlines()):
            return None
        table = np.loadtxt(lines, delimiter=",", ndmin=2)  # reads every bit back
        steps, row = np.unique(table[:, step].astype(int), return_inverse=True)
        lags = table[:, lag].astype(int)
        norms = np.full((len(steps), lags.max() + 1), np.nan)
        norms[row, lags] = table[:, norm]
        return steps, norms


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, IndexError, csv.Error, yaml.YAMLError) as error:
        raise SweepsError(f"{path.name} cannot be read: {error}") from error


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file, strict=True)
    return header, lines
