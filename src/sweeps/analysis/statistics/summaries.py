"""One number per run from its curves: frames in, frames out."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEYS = ["cell", "step"]
BLOCK = 4_000_000
"""Rows of the gradient fitted at once: what keeps the memory of a fit far below that of the records."""


def decay_rates(gradient: pd.DataFrame) -> pd.DataFrame:
    """The slope of log10 ||dL/dh_t|| over lag, fitted by least squares for every cell and logged step.

    Negative: the gradient vanishes on its way back; 10**slope is the factor per step of lag. Non-finite
    values (an exactly zero gradient, a diverged run) are left out of the fit.

    Args:
        gradient: columns `cell, step, lag, log10_norm`, in any order of rows.

    Returns:
        A row per cell and step: `cell, step, decay_rate` (log10 per step of lag; NaN with fewer than two
        finite values) and `zeros`, the share of time steps whose gradient was exactly zero.
    """
    blocks = [_line_sums(gradient.iloc[start : start + BLOCK]) for start in range(0, max(len(gradient), 1), BLOCK)]
    total = blocks[0] if len(blocks) == 1 else pd.concat(blocks).groupby(level=KEYS, observed=True).sum()
    spread = total["n"] * total["xx"] - total["x"] ** 2
    slope = (total["n"] * total["xy"] - total["x"] * total["y"]) / spread.where(spread > 0)
    return pd.DataFrame({"decay_rate": slope, "zeros": total["zeros"] / total["rows"]}).reset_index()


def _line_sums(gradient: pd.DataFrame) -> pd.DataFrame:
    """What a straight line needs of the rows of each cell and step: sums over those with a finite value, counts."""
    value = gradient["log10_norm"].to_numpy()
    finite = np.isfinite(value)
    y = np.where(finite, value, 0.0)
    x = np.where(finite, gradient["lag"].to_numpy(dtype=float), 0.0)
    parts = {"n": finite, "x": x, "y": y, "xx": x * x, "xy": x * y, "zeros": value == -np.inf, "rows": np.ones(len(x))}
    frame = pd.DataFrame(parts).astype(float)
    return pd.concat([gradient[KEYS].reset_index(drop=True), frame], axis=1).groupby(KEYS, observed=True).sum()


def per_cell(metrics: pd.DataFrame, gradient: pd.DataFrame) -> pd.DataFrame:
    """One number per cell for each curve it recorded.

    Returns:
        Index `cell`; `grad_norm`, `grad_norm_clipped`: median over logged steps of the finite gradient norms
        before and after clipping; `clipped`: share of those steps at which clipping made the gradient smaller;
        `clip_scale`: median over the steps where it did of the factor it applied; `decay_start`: decay
        rate at initialisation (step 0); `decay_training`: median of the decay rates of later logged steps;
        both in log10 per step of lag; `zeros`: share of recorded dL/dh_t that were exactly zero.
    """
    finite = metrics[np.isfinite(metrics["grad_norm"])]
    acted = finite["clip_scale"] < 1.0
    clipped = acted.groupby(finite["cell"], observed=False).mean()
    norms = finite.groupby("cell", observed=False)[["grad_norm", "grad_norm_clipped"]].median()
    rates = decay_rates(gradient)
    start = rates[rates["step"] == 0].set_index("cell")["decay_rate"]
    later = rates[rates["step"] > 0].groupby("cell", observed=False)["decay_rate"].median()
    return pd.DataFrame(
        {
            "grad_norm": norms["grad_norm"],
            "grad_norm_clipped": norms["grad_norm_clipped"],
            "clipped": clipped,
            "clip_scale": finite[acted].groupby("cell", observed=False)["clip_scale"].median(),
            "decay_start": start,
            "decay_training": later,
            "zeros": rates.groupby("cell", observed=False)["zeros"].mean(),
        }
    )
