"""Which rows a whole record has: functions of the columns of its tables that say what is wrong with them, or None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweeps.records.columns import OPTIONAL
from sweeps.records.summary import Final, Summary

Ints = np.ndarray[Any, np.dtype[np.integer[Any]]]
Columns = Mapping[str, Any]
"""By name, arrays or categoricals [R], a row each."""
MOST = 1000
"""Columns of a file at most."""
ENDS = ("train_loss", "eval_loss", "eval_score", "grad_norm")
"""Columns of metrics.csv whose last values the summary repeats."""


def wrong_header(names: Sequence[str], needed: Sequence[str]) -> str | None:
    """Of any file: all columns that must be there, each once; further ones may be."""
    if lacking := [each for each in needed if each not in names and each not in OPTIONAL]:
        return f"lacks the column {', '.join(lacking)}"
    if len(set(names)) < len(names) or "cell" in names or len(names) > MOST:
        return "has a column twice, too many of them or one called cell"
    return None


def wrong_rows(frame: str, rows: Columns, summary: Summary, metrics: Columns) -> str | None:
    """What is wrong with the rows of one file of a cell.

    Args:
        frame: metrics, gradient or parameters.
        summary: of the cell.
        metrics: rows of its metrics.csv, right for the other files.
    """
    if frame == "metrics":
        return wrong_steps(rows["step"], summary.step) or wrong_end(rows, summary.final)
    steps = metrics["step"]
    if frame == "gradient":
        return wrong_lags(rows["step"], rows["t"], rows["lag"], steps)
    return wrong_parameters(rows["step"], rows["parameter"].codes, steps, steps[~np.isnan(metrics["eval_loss"])])


def wrong_steps(steps: Ints, last: int) -> str | None:
    """Of metrics.csv: every step once, from 0 to the step at which the run ended.

    Args:
        steps: [S], a row each.
    """
    if not len(steps):
        return f"has no rows, the run at step {last}"
    if steps[0] != 0:
        return f"starts at step {steps[0]}, the run at step 0"
    later = np.diff(steps)
    if len(wrong := np.flatnonzero(later <= 0)):
        at = wrong[0]
        return f"has step {steps[at]} twice" if not later[at] else f"has step {steps[at + 1]} after step {steps[at]}"
    return None if steps[-1] == last else f"ends at step {steps[-1]}, the run at step {last}"


def wrong_end(rows: Columns, final: Final) -> str | None:
    """Of metrics.csv: it ends with the numbers that the summary calls final."""
    for name in ENDS:
        value = getattr(final, name)
        said = np.nan if value is None else float(value)
        there = rows[name][~np.isnan(rows[name])]
        if np.isfinite(said) and (not len(there) or there[-1] != said):
            return f"ends with {name} {there[-1] if len(there) else 'empty'}, summary.json with {said}"
    return None


def wrong_lags(steps: Ints, t: Ints, lag: Ints, measured: Ints) -> str | None:
    """Of gradient_through_time.csv: at each measured step the rows t = 0 .. T-1 with lag = T-1-t, T always the same.

    Args:
        steps, t, lag: [R], a row each.
        measured: [S], the steps of metrics.csv.
    """
    if not len(steps):
        return f"has no rows, the run at step {measured[-1]}"
    length = max(1, int((steps == measured[0]).sum()))
    whole = min(len(steps), length * len(measured))
    there, place = (steps[:whole], t[:whole], lag[:whole]), np.arange(whole) % length
    right = (np.repeat(measured, length)[:whole], place, length - 1 - place)
    unlike = [np.flatnonzero(is_ != should_be) for is_, should_be in zip(there, right, strict=True)]
    if len(bad := np.concatenate(unlike)):
        at = bad.min()
        has, must = ("step {}, t = {}, lag {}".format(*(each[at] for each in rows)) for rows in (there, right))
        return f"has {has} in line {at + 2}, where {must} must be"
    if len(steps) > whole:
        return f"has rows after lag 0 of step {measured[-1]}"
    if len(steps) < length * len(measured):
        return f"ends at lag {lag[-1]} of step {steps[-1]}, not at lag 0 of step {measured[-1]}"
    return None


def wrong_parameters(steps: Ints, names: Ints, measured: Ints, evaluated: Ints) -> str | None:
    """Of parameters.csv: at each evaluation the same parameters, each once.

    Args:
        steps, names: [R], a row each; parameters as numbers.
        measured, evaluated: steps of metrics.csv, and those of them with an evaluation.
    """
    if not len(steps):
        return "has no rows" if len(evaluated) else None
    if (np.diff(steps) < 0).any():
        return "has its steps out of order"
    there, counts = np.unique(steps, return_counts=True)
    if len(lost := np.setdiff1d(evaluated, there)):
        return f"has no rows of step {lost[0]}"
    if len(more := np.setdiff1d(there, measured)):
        return f"has rows of step {more[0]}, which metrics.csv has not"
    size = counts[0]
    if len(unlike := np.flatnonzero(counts != size)):
        return f"has {counts[unlike[0]]} rows of step {there[unlike[0]]} and {size} of step {there[0]}"
    table = names.reshape(-1, size)
    if len(np.unique(table[0])) < size:
        return f"has a parameter twice at step {there[0]}"
    if len(unlike := np.flatnonzero((table != table[0]).any(axis=1))):
        return f"has other parameters at step {there[unlike[0]]} than at step {there[0]}"
    return None
