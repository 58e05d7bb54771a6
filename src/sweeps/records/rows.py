"""Checks of the rows of a record. Each takes columns of its tables and returns what is wrong, a clause, or None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweeps.records.columns import DIRECTION, LAYER, OPTIONAL
from sweeps.records.summary import Final, Summary

Ints = np.ndarray[Any, np.dtype[np.integer[Any]]]
Columns = Mapping[str, Any]
"""Columns of one table by name: arrays or categoricals [R], one entry per row."""
MOST = 1000
"""Maximum number of columns of a file."""
ENDS = ("train_loss", "eval_loss", "eval_score", "grad_norm")
"""Columns of metrics.csv whose last values the summary repeats."""


def wrong_header(names: Sequence[str], needed: Sequence[str]) -> str | None:
    """Check the header of any file: it has every needed column once, and may have further ones."""
    if missing := [each for each in needed if each not in names and each not in OPTIONAL]:
        return f"lacks the column {', '.join(missing)}"
    if len(set(names)) < len(names) or "cell" in names or len(names) > MOST:
        return "has a column twice, too many of them or one called cell"
    return None


def wrong_rows(frame: str, rows: Columns, summary: Summary, metrics: Columns) -> str | None:
    """What is wrong with the rows of one file of a cell.

    Args:
        frame: metrics, gradient or parameters.
        summary: of the cell.
        metrics: columns of its metrics.csv, already checked; the other files are compared with them.
    """
    if frame == "metrics":
        return wrong_steps(rows["step"], summary.step) or wrong_end(rows, summary.final)
    steps = metrics["step"]
    if frame == "gradient":
        return wrong_lags(rows["step"], rows["t"], rows["lag"], steps, rows.get(LAYER), rows.get(DIRECTION))
    return wrong_parameters(rows["step"], rows["parameter"].codes, steps, steps[~np.isnan(metrics["eval_loss"])])


def wrong_steps(steps: Ints, last: int) -> str | None:
    """Check metrics.csv: every step once and in order, from 0 to the step at which the run ended.

    Args:
        steps: [S], one per row.
        last: the step at which the run ended.
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
    """Check metrics.csv: the last values that were measured are the final ones of the summary."""
    for name in ENDS:
        value = getattr(final, name)
        final_value = np.nan if value is None else float(value)
        measured = rows[name][~np.isnan(rows[name])]
        if np.isfinite(final_value) and (not len(measured) or measured[-1] != final_value):
            return f"ends with {name} {measured[-1] if len(measured) else 'empty'}, summary.json with {final_value}"
    return None


def wrong_lags(
    steps: Ints, t: Ints, lag: Ints, measured: Ints, layer: Ints | None = None, direction: Ints | None = None
) -> str | None:
    """Check gradient_through_time.csv: at each measured step the rows t = 0 .. T-1 with lag = T-1-t, T always the same;
    of several layers those of the lowest first, and in each those of direction 0 first.

    Args:
        steps, t, lag, layer, direction: [R], one per row; without `layer` there is one, without `direction` too.
        measured: [S], the steps of metrics.csv.
    """
    if not len(steps):
        return f"has no rows, the run at step {measured[-1]}"
    first = steps == measured[0]
    layer, direction = (np.zeros_like(steps) if each is None else each for each in (layer, direction))
    layers, directions = (max(1, int(each[first].max(initial=0)) + 1) for each in (layer, direction))
    length = max(1, int((first & (layer == 0) & (direction == 0)).sum()))
    rows = layers * directions * length
    count = min(len(steps), rows * len(measured))
    at = np.arange(count) % rows
    place, expected_t = at // length, at % length
    expected = [np.repeat(measured, rows)[:count], expected_t, length - 1 - expected_t, *divmod(place, directions)]
    actual = [each[:count] for each in (steps, t, lag, layer, direction)]
    wrong = np.concatenate([np.flatnonzero(a != e) for a, e in zip(actual, expected, strict=True)])
    words = "step {0}, t = {1}, lag {2}" + (", layer {3}" if layers > 1 else "")
    words += ", direction {4}" if directions > 1 else ""
    if len(wrong):
        line = wrong.min()
        has, must = (words.format(*(each[line] for each in table)) for table in (actual, expected))
        return f"has {has} in line {line + 2}, where {must} must be"
    if len(steps) > count:
        return f"has rows after lag 0 of step {measured[-1]}"
    if len(steps) < rows * len(measured):
        return f"ends at lag {lag[-1]} of step {steps[-1]}, not at lag 0 of step {measured[-1]}"
    return None


def wrong_parameters(steps: Ints, names: Ints, measured: Ints, evaluated: Ints) -> str | None:
    """Check parameters.csv: at each evaluation the same parameters, each once.

    Args:
        steps, names: [R], one per row; `names` are parameters as codes of a categorical.
        measured, evaluated: [S], the steps of metrics.csv; and those of them with an evaluation.
    """
    if not len(steps):
        return "has no rows" if len(evaluated) else None
    if (np.diff(steps) < 0).any():
        return "has its steps out of order"
    recorded, counts = np.unique(steps, return_counts=True)
    if len(missing := np.setdiff1d(evaluated, recorded)):
        return f"has no rows of step {missing[0]}"
    if len(extra := np.setdiff1d(recorded, measured)):
        return f"has rows of step {extra[0]}, which metrics.csv has not"
    size = counts[0]
    if len(different := np.flatnonzero(counts != size)):
        return f"has {counts[different[0]]} rows of step {recorded[different[0]]} and {size} of step {recorded[0]}"
    table = names.reshape(-1, size)
    if len(np.unique(table[0])) < size:
        return f"has a parameter twice at step {recorded[0]}"
    if len(different := np.flatnonzero((table != table[0]).any(axis=1))):
        return f"has other parameters at step {recorded[different[0]]} than at step {recorded[0]}"
    return None
