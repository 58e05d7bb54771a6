"""One number per run from its curves: frames in, frames out."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEYS = ["cell", "step"]
BLOCK = 4_000_000
"""Rows of the gradient fitted at once: what keeps the memory of a fit far below that of the records."""
ENDS = 20
"""Time steps at either end of a sequence that a factor per step leaves out: at its end the gradient turns from the
readout's direction into those that last, at its start the state leaves zero (docs/decisions/012)."""
SHORTEST = 2 * ENDS + 10
"""The shortest sequence that has a factor per step: ten steps between the ends."""


def decay_rates(gradient: pd.DataFrame, part: tuple[float, float] = (0.0, 1.0)) -> pd.DataFrame:
    """What one step back in time leaves of ||dL/dh_t||, for every cell and logged step, in decades (log10).

    Negative: the gradient vanishes on its way back; 10**rate is the factor per step. A gradient that is exactly zero at
    any time step is dead, and both numbers are -inf: that is no missing value, but the worst there is.

    Args:
        gradient: columns `cell, step, t, lag, log10_norm`, in any order of rows.
        part: of the stretch between the ends, from its late (0) to its early side (1), what is fitted.

    Returns:
        A row per cell and step: `cell, step`; `decay_rate`, the least-squares slope of log10 ||dL/dh_t|| over lag with
        `ENDS` steps left out at either end, NaN for a sequence shorter than `SHORTEST` or with fewer than two finite
        values there; `change`, log10 of ||dL/dh_0|| over ||dL/dh_{T-1}||, divided by the T - 1 steps between them, NaN
        where one of the two is not known; `zeros`, the share of time steps whose gradient was exactly zero.
    """
    starts = range(0, max(len(gradient), 1), BLOCK)
    blocks = [_sums(gradient.iloc[start : start + BLOCK], part) for start in starts]
    total = blocks[0] if len(blocks) == 1 else pd.concat(blocks).groupby(level=KEYS, observed=True).sum()
    spread = total["n"] * total["xx"] - total["x"] ** 2
    slope = (total["n"] * total["xy"] - total["x"] * total["y"]) / spread.where(spread > 0)
    dead, length = total["zeros"] > 0, total["steps"] + 1
    change = (total["rise"] / total["steps"].where(total["steps"] > 0)).where(total["known"] == 2)
    frame = pd.DataFrame(
        {
            "decay_rate": slope.where(length >= SHORTEST).mask(dead & (length >= SHORTEST), -np.inf),
            "change": change.mask(dead, -np.inf),
            "zeros": total["zeros"] / total["rows"],
        }
    )
    return frame.reset_index()


def _sums(gradient: pd.DataFrame, part: tuple[float, float]) -> pd.DataFrame:
    """Sums over the rows of each cell and step: what a straight line between the ends and the whole change need."""
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


def per_cell(metrics: pd.DataFrame, gradient: pd.DataFrame) -> pd.DataFrame:
    """One number per cell for each curve it recorded.

    Returns:
        Index `cell`; `grad_norm`, `grad_norm_clipped`: median over logged steps of the finite gradient norms
        before and after clipping; `clipped`: share of those steps at which clipping made the gradient smaller;
        `clip_scale`: median over the steps where it did of the factor it applied; `decay_start`, `change_start`:
        what `decay_rates` gives at initialisation (step 0); `decay_training`, `change_training`: its median over
        later logged steps; all in decades per step; `zeros`: share of recorded dL/dh_t that were exactly zero.
    """
    finite = metrics[np.isfinite(metrics["grad_norm"])]
    acted = finite["clip_scale"] < 1.0
    clipped = acted.groupby(finite["cell"], observed=False).mean()
    norms = finite.groupby("cell", observed=False)[["grad_norm", "grad_norm_clipped"]].median()
    rates = decay_rates(gradient)
    travelled = ["decay_rate", "change"]
    start = rates[rates["step"] == 0].set_index("cell")[travelled]
    later = rates[rates["step"] > 0].groupby("cell", observed=False)[travelled].median()
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
            "zeros": rates.groupby("cell", observed=False)["zeros"].mean(),
        }
    )
