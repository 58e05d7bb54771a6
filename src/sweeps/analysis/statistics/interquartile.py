"""The interquartile mean and its interval, which needs more seeds than that of a median."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from sweeps.analysis.statistics.intervals import CONFIDENCE, NO_INTERVAL, Floats, known

DRAWS = 10_000
IQM_SEEDS = 11
"""Fewest seeds with an interval of the interquartile mean. If a quarter of all runs lies apart from the rest, a sample
of n has none of that quarter in 0.75^n of cases, and no interval can be made of it that allows for them; up to n = 10
that is over 5%."""


def iqm(values: Any, axis: int = -1) -> Any:
    """Interquartile mean: the mean without the lowest and highest floor(n/4) values."""
    return stats.trim_mean(values, 0.25, axis=axis)


def iqm_interval(values: ArrayLike, *, seed: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of the interquartile mean, 2 times the integral of the quantile function from 1/4 to 3/4.

    The n values are quantiles at levels that are distributed as n sorted uniform numbers; between two of them the
    quantile function is at most the higher value and at least the lower. The ends are the quantiles over DRAWS draws
    of the levels.

    Args:
        values: `[n]`, one per independent run; NaN is left out, infinite values are the first or last in order.

    Returns:
        (low, high); (nan, nan) for fewer than IQM_SEEDS values.
    """
    kept = np.sort(known(values))
    if len(kept) < IQM_SEEDS:
        return NO_INTERVAL
    weights = _middle_weights(len(kept), seed)
    tail = (1.0 - confidence) / 2
    low, high = (_weighted(weights, row) for row in (np.r_[kept[0], kept], np.r_[kept, kept[-1]]))
    ends = (np.quantile(low, tail, method="lower"), np.quantile(high, 1.0 - tail, method="higher"))
    return float(ends[0]), float(ends[1])


@lru_cache(maxsize=16)
def _middle_weights(n: int, seed: int) -> Floats:
    """`[n + 1, DRAWS]`: twice the part between 1/4 and 3/4 of each gap that n uniform numbers leave in [0, 1]."""
    drawn = np.sort(np.random.default_rng(seed).random((n, DRAWS)), axis=0)
    ends = np.pad(drawn, ((1, 1), (0, 0)), constant_values=((0, 1), (0, 0))).clip(0.25, 0.75)
    return np.asarray(2.0 * np.diff(ends, axis=0))


def _weighted(weights: Floats, values: Floats) -> Floats:
    """`[DRAWS]`: sums of weighted values; an infinite value counts wherever its weight is not 0."""
    infinite = np.isinf(values)
    sums = (weights * np.where(infinite, 0.0, values)[:, None]).sum(axis=0)
    for index in np.flatnonzero(infinite):
        sums[weights[index] > 0.0] = values[index]
    return np.asarray(sums)
