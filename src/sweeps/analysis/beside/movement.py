"""What moved between two records of the same cell: bytes, losses, scores, gradients, and the step where it began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.beside.pairing import Pairing
from sweeps.analysis.loading.raw_records import FRAMES
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.intervals import Floats

KEYS = ("step", "t", "lag", "layer", "direction", "parameter")
"""Columns that say what a row is of; all others are numbers."""
EVALUATED = ("eval_loss", "eval_score")
"""Columns of metrics.csv that are empty at most steps."""
SAME = tuple(f"same_{frame}" for frame in FRAMES)
"""Columns of `movements`: whether a file has the same bytes on both sides."""
MOVED = ("loss", "best_score", "gradient")
"""Columns of `movements`: by how much numbers differ."""


def movements(pairing: Pairing) -> pd.DataFrame:
    """A row for each pair of cells, in the order of `pairing.pairs`.

    Returns:
        `cell_a, cell_b`, the axes and `seed`; `same_metrics, same_gradient, same_parameters`: whether the file has the
        same bytes; `equal`: whether all three have; `first_step`: the first logged step with another number, NaN if no
        number differs; `loss`: the largest relative difference |a - b| / max(|a|, |b|) of training and evaluation loss
        over the logged steps of both; `best_score`: that of the best score; `gradient`: the largest difference of
        log10 ||dL/dh_t||, decades (inf where a number is finite on one side only); `outcome_a, outcome_b`,
        `solved_step_a, solved_step_b`, `best_score_a, best_score_b`.
    """
    pairs, sides = pairing.pairs, (pairing.a, pairing.b)
    rows = [
        records.cells.set_index("cell").loc[pairs[column]].reset_index()
        for records, column in zip(sides, ("cell_a", "cell_b"), strict=True)
    ]
    frame = pd.concat([pairs, rows[0].reindex(columns=[*pairing.axes, "seed"])], axis=1)
    digests = [_digests(records) for records in sides]
    for name, (file, _) in FRAMES.items():
        ours, theirs = (
            [by_file.get((cell, file)) for cell in pairs[column]]
            for by_file, column in zip(digests, ("cell_a", "cell_b"), strict=True)
        )
        frame[f"same_{name}"] = [one == other for one, other in zip(ours, theirs, strict=True)]
    frame["equal"] = frame[list(SAME)].all(axis=1)
    first, loss, gradient = (np.full(len(pairs), value) for value in (np.nan, 0.0, 0.0))
    for name in FRAMES:
        places = [_places(getattr(records, name)) for records in sides]
        for row in np.flatnonzero(~frame[f"same_{name}"].to_numpy()):
            one, other = (
                getattr(records, name).iloc[place[pairs[column].iloc[row]]]
                for records, place, column in zip(sides, places, ("cell_a", "cell_b"), strict=True)
            )
            step, largest = difference(one, other)
            first[row] = np.fmin(first[row], step)
            if name == "metrics":
                loss[row] = max(largest.get("train_loss", 0.0), largest.get("eval_loss", 0.0))
            elif name == "gradient":
                gradient[row] = largest.get("log10_norm", 0.0)
    score = relative(*(each["best_score"].to_numpy(dtype=float) for each in rows))
    frame = frame.assign(first_step=first, loss=loss, best_score=score, gradient=gradient)
    for name in ("outcome", "solved_step", "best_score"):
        for side, each in zip("ab", rows, strict=True):
            frame[f"{name}_{side}"] = each[name].to_numpy()
    return frame


def difference(one: pd.DataFrame, other: pd.DataFrame) -> tuple[float, dict[str, float]]:
    """How the rows of two cells in one frame differ.

    Returns:
        The first step with another number or a row that only one side has, NaN if there is none; and for each column
        of numbers the largest difference: relative, of `log10_norm` absolute.
    """
    keys = [name for name in one if name in KEYS and name in other]
    alone = set(one["step"]) ^ set(other["step"])
    if len(one) != len(other) or any(not np.array_equal(one[key].to_numpy(), other[key].to_numpy()) for key in keys):
        both = one[keys].astype(object).merge(other[keys].astype(object), on=keys)
        one, other = (
            both.merge(each.astype({key: object for key in keys}), on=keys, how="left") for each in (one, other)
        )
    step = one["step"].to_numpy(dtype=float)
    first, largest = float(min(alone, default=np.nan)), {}
    for name in [name for name in one if name not in ("cell", *KEYS) and name in other]:
        x, y = one[name].to_numpy(dtype=float), other[name].to_numpy(dtype=float)
        size = absolute(x, y) if name == "log10_norm" else relative(x, y)
        if name in EVALUATED:  # empty at a step without an evaluation, such as one at which only the other run ended
            size = np.where(np.isnan(x) | np.isnan(y), 0.0, size)
        largest[str(name)] = float(size.max(initial=0.0))
        if (size > 0).any():
            first = float(np.fmin(first, step[size > 0].min()))
    return first, largest


def relative(x: Floats, y: Floats) -> Floats:
    """|x - y| / max(|x|, |y|), by element: 0 for equal ones, two NaN among them; inf where one alone is finite."""
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.maximum(np.abs(x), np.abs(y))
        return _of_unequal(x, y, np.abs(x - y) / size)


def absolute(x: Floats, y: Floats) -> Floats:
    """|x - y| by element, with the rules of `relative`."""
    with np.errstate(invalid="ignore"):
        return _of_unequal(x, y, np.abs(x - y))


def _of_unequal(x: Floats, y: Floats, size: Floats) -> Floats:
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    known = np.isfinite(x) & np.isfinite(y)
    return np.where(same, 0.0, np.where(known, size, np.inf))


def _digests(records: Records) -> dict[tuple[str, str], str]:
    """SHA-256 of every record file by cell and name."""
    return {(path.rsplit("/", 2)[-2], path.rsplit("/", 1)[-1]): sha for path, sha in records.digests.items()}


def _places(frame: pd.DataFrame) -> Mapping[Any, slice]:
    """Where the rows of each cell stand; `load` leaves those of a cell together."""
    codes = frame["cell"].cat.codes.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-2))
    ends = [*starts[1:], len(codes)]
    return {
        frame["cell"].cat.categories[codes[start]]: slice(start, end) for start, end in zip(starts, ends, strict=True)
    }
