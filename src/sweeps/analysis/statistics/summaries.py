"""One number per run from its curves: frames in, frames out."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from sweeps.analysis.loading.records import Records

KEYS = ["cell", "step"]
BLOCK = 4_000_000
"""Rows of the gradient fitted at once, so that a fit needs far less memory than the records."""
ENDS = 20
"""Time steps left out at either end of a sequence when the decay rate is fitted: near the end the gradient still turns
from the readout's direction into the slowest-decaying ones, near the start the state leaves 0 (docs/decisions/012)."""
SHORTEST = 2 * ENDS + 10
"""The shortest sequence that has a decay rate: ten steps between the ends."""

FIFTY = 50
"""Steps back at which `after_fifty` looks: where texts say that a gradient has vanished."""


def decay_rates(gradient: pd.DataFrame, part: tuple[float, float] = (0.0, 1.0)) -> pd.DataFrame:
    """The change of ||dL/dh_t|| per step back in time, for every cell and logged step, in decades (log10).

    Negative: the gradient vanishes in the backward pass; 10**rate is the factor per step. If the gradient is exactly
    zero at any time step, both numbers are -inf, which is the lowest value and not a missing one.

    Args:
        gradient: columns `cell, step, t, lag, log10_norm`, in any order of rows.
        part: the part of the lags between the ends that is fitted, from 0 (the latest time step) to 1 (the earliest).

    Returns:
        A row per cell and step: `cell, step`; `decay_rate`, the least-squares slope of log10 ||dL/dh_t|| over lag with
        `ENDS` steps left out at either end, NaN for a sequence shorter than `SHORTEST` or with fewer than two finite
        values there; `change`, the end-to-end change, log10 of ||dL/dh_0|| over ||dL/dh_{T-1}||, divided by the T - 1
        steps between them, NaN where one of the two is NaN or inf; `zeros`, the share of time steps whose gradient
        was exactly zero.
    """
    starts = range(0, max(len(gradient), 1), BLOCK)
    blocks = [_sums(gradient.iloc[start : start + BLOCK], part) for start in starts]
    total = blocks[0] if len(blocks) == 1 else pd.concat(blocks).groupby(level=KEYS, observed=True).sum()
    spread = total["n"] * total["xx"] - total["x"] ** 2
    slope = (total["n"] * total["xy"] - total["x"] * total["y"]) / spread.where(spread > 0)
    any_zero, length = total["zeros"] > 0, total["steps"] + 1
    change = (total["rise"] / total["steps"].where(total["steps"] > 0)).where(total["known"] == 2)
    frame = pd.DataFrame(
        {
            "decay_rate": slope.where(length >= SHORTEST).mask(any_zero & (length >= SHORTEST), -np.inf),
            "change": change.mask(any_zero, -np.inf),
            "zeros": total["zeros"] / total["rows"],
        }
    )
    return frame.reset_index()


def _sums(gradient: pd.DataFrame, part: tuple[float, float]) -> pd.DataFrame:
    """Sums over the rows of each cell and step, from which the least-squares slope and the end-to-end change follow."""
    value, lag, t = (gradient[name].to_numpy(dtype=float) for name in ("log10_norm", "lag", "t"))
    finite = np.isfinite(value)
    low, high = (ENDS + share * (lag + t + 1 - 2 * ENDS) for share in part)
    inside = finite & (lag >= ENDS) & (t >= ENDS) & (lag >= low) & (lag < high)
    x, y = np.where(inside, lag, 0.0), np.where(inside, value, 0.0)
    first, last, known = t == 0, lag == 0, np.where(finite, value, 0.0)
    frame = pd.DataFrame(
        {
            **{"n": inside, "x": x, "y": y, "xx": x * x, "xy": x * y},
            "rise": np.where(first, known, 0.0) - np.where(last, known, 0.0),
            "known": (first & finite).astype(float) + (last & finite),
            "steps": np.where(first, lag, 0.0),
            "zeros": value == -np.inf,
            "rows": np.ones(len(value)),
        }
    ).astype(float)
    return pd.concat([gradient[KEYS].reset_index(drop=True), frame], axis=1).groupby(KEYS, observed=True).sum()


_KNOWN: WeakKeyDictionary[Records, pd.DataFrame] = WeakKeyDictionary()


def numbers_of(records: Records) -> pd.DataFrame:
    """`per_cell` of records, computed once for as long as they are kept: every table and figure asks for it."""
    if records not in _KNOWN:
        _KNOWN[records] = per_cell(records.metrics, records.gradient)
    return _KNOWN[records]


def per_cell(metrics: pd.DataFrame, gradient: pd.DataFrame) -> pd.DataFrame:
    """Numbers that sum up the curves of each cell, a row per cell.

    Returns:
        Index `cell`; `grad_norm`, `grad_norm_clipped`: median over logged steps of the finite gradient norms
        before and after clipping; `clipped`: share of those steps at which clipping made the gradient smaller;
        `clip_scale`: median over the steps where it did of the factor it applied; `decay_start`, `change_start`:
        what `decay_rates` gives at initialisation (step 0); `decay_training`, `change_training`: its median over
        later logged steps; all in decades per step; `after_fifty`: log10 of ||dL/dh_t|| at lag `FIFTY` over that at
        lag 0, at initialisation, in decades, NaN for a shorter sequence; `zeros`: share of recorded dL/dh_t that
        were exactly zero.
    """
    finite = metrics[np.isfinite(metrics["grad_norm"])]
    acted = finite["clip_scale"] < 1.0
    clipped = acted.groupby(finite["cell"], observed=False).mean()
    norms = finite.groupby("cell", observed=False)[["grad_norm", "grad_norm_clipped"]].median()
    rates = decay_rates(gradient)
    names = ["decay_rate", "change"]
    start = rates[rates["step"] == 0].set_index("cell")[names]
    later = rates[rates["step"] > 0].groupby("cell", observed=False)[names].median()
    return pd.DataFrame(
        {
            "grad_norm": norms["grad_norm"],
            "grad_norm_clipped": norms["grad_norm_clipped"],
            "clipped": clipped,
            "clip_scale": finite[acted].groupby("cell", observed=False)["clip_scale"].median(),
            "decay_start": start["decay_rate"],
            "decay_training": later["decay_rate"],
            "change_start": start["change"],
            "change_training": later["change"],
            "after_fifty": _after_fifty(gradient),
            "zeros": rates.groupby("cell", observed=False)["zeros"].mean(),
        }
    )


def _after_fifty(gradient: pd.DataFrame) -> pd.Series:
    """The change of log10 ||dL/dh_t|| from lag 0 to lag `FIFTY` at initialisation, of every cell that has both."""
    rows = gradient[(gradient["step"] == 0) & gradient["lag"].isin((0, FIFTY))]
    at = {lag: rows[rows["lag"] == lag].set_index("cell")["log10_norm"] for lag in (0, FIFTY)}
    last = at[0].where(np.isfinite(at[0]))
    change: pd.Series = at[FIFTY] - last
    return change
