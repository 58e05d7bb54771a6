"""Updates until solved as survival data: a run that never solves is censored, not left out.

An unsolved run is censored at the end of its budget. So is a diverged one, though it stopped earlier: censored at
the step where it diverged it would count as if it might still have solved the task, which it could not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from sweeps.analysis.loading.load import Records
from sweeps.analysis.statistics.design import check_axes
from sweeps.analysis.statistics.intervals import CONFIDENCE


def durations(records: Records) -> pd.DataFrame:
    """`time` (updates) and `solved` of every run, in the order of `records.cells`.

    A run that solved the task before it diverged counts as solved.
    """
    cells = records.cells
    solved = cells["solved_step"].notna()
    return pd.DataFrame({"time": cells["solved_step"].where(solved, budget(records)), "solved": solved})


def budget(records: Records) -> pd.Series:
    """Updates that each run was given: `train.steps`, or where it is not known the last step it reached."""
    cells = records.cells
    given = cells["steps"].astype(float) if "steps" in cells else pd.Series(np.nan, index=cells.index)
    return given.fillna(cells["step"])


def kaplan_meier(time: ArrayLike, solved: ArrayLike, *, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """The share not solved yet after each step at which a run was solved (statsmodels' SurvfuncRight).

    Args:
        time: `[n]`, updates until solved or censored.
        solved: `[n]`, False where censored.

    Returns:
        `step, unsolved, low, high`, from step 0 on; the pointwise interval is that of log(-log) with
        Greenwood's variance, and NaN where the share is 0 or 1 or n is 1.
    """
    times, events = np.asarray(time, dtype=np.float64), np.asarray(solved, dtype=bool)
    if not events.any():
        return pd.DataFrame({"step": [0.0], "unsolved": [1.0], "low": [np.nan], "high": [np.nan]})
    curve = SurvfuncRight(times, events.astype(float))
    s, se = np.asarray(curve.surv_prob, dtype=np.float64), np.asarray(curve.surv_prob_se, dtype=np.float64)
    inside = (s > 0) & (s < 1) & (len(times) > 1)
    low, high = np.full_like(s, np.nan), np.full_like(s, np.nan)
    reach = stats.norm.ppf(0.5 + confidence / 2) * se[inside] / (s[inside] * np.log(s[inside]))  # negative
    low[inside], high[inside] = s[inside] ** np.exp(-reach), s[inside] ** np.exp(reach)
    frame = pd.DataFrame({"step": np.asarray(curve.surv_times, float), "unsolved": s, "low": low, "high": high})
    start = pd.DataFrame({"step": [0.0], "unsolved": [1.0], "low": [np.nan], "high": [np.nan]})
    return pd.concat([start, frame[frame["step"] > 0]], ignore_index=True) if frame["step"].iloc[0] > 0 else frame


def restricted_mean(time: ArrayLike, solved: ArrayLike, horizon: float) -> float:
    """Mean updates until solved within the first `horizon` updates: the area under the Kaplan-Meier curve."""
    curve = kaplan_meier(time, solved)
    inside = curve[curve["step"] < horizon]
    widths = np.diff([*inside["step"], horizon])
    return float(np.sum(widths * inside["unsolved"]) + inside["step"].iloc[0])


def survival_curves(records: Records, axes: Sequence[str]) -> pd.DataFrame:
    """`kaplan_meier` for every combination of the axes that has runs, for a figure.

    Runs of pooled axes count one each; the interval takes them as independent, which runs of one seed are not.

    Raises:
        SweepsError: an axis is unknown; two tasks would be pooled.
    """
    check_axes(records, axes)
    both = pd.concat([records.cells[list(axes)], durations(records)], axis=1)
    parts: list[pd.DataFrame] = []
    for values, part in both.groupby(list(axes), observed=True, dropna=False, sort=True):
        levels: dict[str, Any] = dict(zip(axes, values, strict=True))
        curve = kaplan_meier(part["time"], part["solved"])
        parts.append(curve.assign(n=len(part), **levels)[[*axes, "n", "step", "unsolved", "low", "high"]])
    frame = pd.concat(parts, ignore_index=True)
    for axis in axes:
        frame[axis] = pd.Categorical(frame[axis], categories=records.cells[axis].cat.categories, ordered=True)
    return frame
