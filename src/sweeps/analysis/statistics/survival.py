"""Updates until solved as survival data: a run that never solves is censored, not left out.

An unsolved run is censored at the end of its budget. So is a diverged one, though it stopped earlier: if it were
censored at the step where it diverged, it would count as a run that might still have solved the task, which it
could not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.design import check_axes, named_axes
from sweeps.analysis.statistics.intervals import NO_INTERVAL, share_interval


def durations(records: Records) -> pd.DataFrame:
    """`time` (updates) and `solved` of every run, in the order of `records.cells`.

    A run that solved the task before it diverged counts as solved.
    """
    cells = records.cells
    solved = cells["solved_step"].notna()
    return pd.DataFrame({"time": cells["solved_step"].where(solved, budget(records)), "solved": solved})


def budget(records: Records) -> pd.Series:
    """The most updates that each run could make: `train.steps`, or where that is not known the last step it reached."""
    cells = records.cells
    updates = cells["steps"].astype(float) if "steps" in cells else pd.Series(np.nan, index=cells.index)
    return updates.fillna(cells["step"])


def kaplan_meier(time: ArrayLike, solved: ArrayLike) -> pd.DataFrame:
    """The share not solved yet after each step at which a run was solved (Kaplan and Meier 1958).

    Args:
        time: `[n]`, updates until solved or censored.
        solved: `[n]`, False where censored.

    Returns:
        `step, unsolved`, from step 0 on.
    """
    times, events = np.asarray(time, dtype=np.float64), np.asarray(solved, dtype=bool)
    curve = stats.ecdf(stats.CensoredData.right_censored(times, ~events)).sf
    steps = np.union1d(0.0, times[events])
    # not `curve.evaluate`, which compares with numbers next to 0 that training in this process flushes to 0
    before = np.searchsorted(curve.quantiles, steps, side="right")
    return pd.DataFrame({"step": steps, "unsolved": np.concatenate([[1.0], curve.probabilities])[before]})


def survival_curves(records: Records, axes: Sequence[str]) -> pd.DataFrame:
    """`kaplan_meier` for every combination of the axes that has runs, for a figure.

    Returns:
        The axes, `n` (runs), `step, unsolved` and `low, high`: at each step the interval over seeds of the share not
        solved yet; NaN beyond the smallest budget, where a run was censored before the step.

    Raises:
        SweepsError: an axis is unknown; two tasks would be pooled.
    """
    axes = named_axes(records, axes)
    check_axes(records, axes)
    both = pd.concat([records.cells[[*axes, "seed"]], durations(records)], axis=1)
    parts: list[pd.DataFrame] = []
    for values, part in both.groupby(list(axes), observed=True, dropna=False, sort=True):
        levels: dict[str, Any] = dict(zip(axes, values, strict=True))
        curve = kaplan_meier(part["time"], part["solved"])
        bounds = [_pointwise(part, step) for step in curve["step"]]
        curve["low"], curve["high"] = zip(*bounds, strict=True)
        parts.append(curve.assign(n=len(part), **levels)[[*axes, "n", "step", "unsolved", "low", "high"]])
    frame = pd.concat(parts, ignore_index=True)
    for axis in axes:
        frame[axis] = pd.Categorical(frame[axis], categories=records.cells[axis].cat.categories, ordered=True)
    return frame


def _pointwise(part: pd.DataFrame, step: float) -> tuple[float, float]:
    """Interval of the share of runs that are not solved after a step."""
    if (part["time"] < step)[~part["solved"]].any():
        return NO_INTERVAL
    return share_interval(((part["time"] > step) | ~part["solved"]).groupby(part["seed"]).mean())
