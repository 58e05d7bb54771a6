"""Intervals and fits: arrays in, numbers out. SciPy does the mathematics; randomness is an argument."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2000
NO_INTERVAL = (math.nan, math.nan)


def bootstrap_interval(
    values: Any,
    statistic: Callable[..., Any] = np.median,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic over runs; non-finite values are left out.

    Every call starts its own generator from `seed`, so an interval depends on its own values alone.

    Args:
        values: `[n]`, one per run.
        statistic: must accept `axis`, as np.median and np.mean do.

    Returns:
        (low, high); (nan, nan) for fewer than two finite values, which have no interval.
    """
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    if len(finite) < 2:
        return NO_INTERVAL
    result = stats.bootstrap(
        (finite,),
        statistic,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def range_coverage(n: int) -> float:
    """How often the range of n runs holds the median, 1 - 2^(1-n): no resampling can do better."""
    return 1.0 - 2.0 ** (1 - n)


def wilson_interval(count: int, n: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson interval of the share count/n; (nan, nan) for n = 0."""
    if n == 0:
        return NO_INTERVAL
    interval = stats.binomtest(int(count), int(n)).proportion_ci(confidence_level=confidence, method="wilson")
    return float(interval.low), float(interval.high)


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
    keys = ["cell", "step"]
    value = gradient["log10_norm"].to_numpy()
    finite = np.isfinite(value)
    y = np.where(finite, value, 0.0)
    x = np.where(finite, gradient["lag"].to_numpy(dtype=float), 0.0)
    parts = pd.DataFrame({"n": finite, "x": x, "y": y, "xx": x * x, "xy": x * y, "zeros": value == -np.inf})
    parts = pd.concat([gradient[keys].reset_index(drop=True), parts.astype({"n": float, "zeros": float})], axis=1)
    groups = parts.groupby(keys, observed=True)
    total = groups[["n", "x", "y", "xx", "xy"]].sum()
    spread = total["n"] * total["xx"] - total["x"] ** 2
    slope = (total["n"] * total["xy"] - total["x"] * total["y"]) / spread.where(spread > 0)
    return pd.DataFrame({"decay_rate": slope, "zeros": groups["zeros"].mean()}).reset_index()


def per_cell(metrics: pd.DataFrame, gradient: pd.DataFrame) -> pd.DataFrame:
    """One number per cell for each curve it recorded.

    Returns:
        Index `cell`; `grad_norm`: median over logged steps of the finite gradient norms before clipping;
        `clipped`: share of logged steps at which clipping made the gradient smaller; `decay_start`: decay
        rate at initialisation (step 0); `decay_training`: median of the decay rates of later logged steps;
        both in log10 per step of lag; `zeros`: share of recorded dL/dh_t that were exactly zero.
    """
    finite = metrics[np.isfinite(metrics["grad_norm"])]
    clipped = (finite["clip_scale"] < 1.0).groupby(finite["cell"], observed=False).mean()
    rates = decay_rates(gradient)
    start = rates[rates["step"] == 0].set_index("cell")["decay_rate"]
    later = rates[rates["step"] > 0].groupby("cell", observed=False)["decay_rate"].median()
    return pd.DataFrame(
        {
            "grad_norm": finite.groupby("cell", observed=False)["grad_norm"].median(),
            "clipped": clipped,
            "decay_start": start,
            "decay_training": later,
            "zeros": rates.groupby("cell", observed=False)["zeros"].mean(),
        }
    )
