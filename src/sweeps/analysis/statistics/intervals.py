"""Intervals for one number per seed that hold for every distribution: ties, mixtures and diverged runs included.

Order statistics for a median, Gaffke's interval for a share or a mean of bounded numbers; an interquartile mean is in
`interquartile.py`. Their coverage is simulated in tests/analysis/test_coverage.py and stated in docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

CONFIDENCE = 0.95
NO_INTERVAL = (math.nan, math.nan)

Floats = NDArray[np.float64]


def known(values: ArrayLike) -> Floats:
    """The values without NaN."""
    kept = np.asarray(values, dtype=np.float64)
    return kept[~np.isnan(kept)]


def medians(values: Floats) -> Floats:
    """Medians along the last axis; NaN is left out, infinite values are the first or last in order.

    Half of them -inf and half inf have the median 0. NaN where there is no value.
    """
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)  # NaN last
    n = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    low, high = (np.take_along_axis(ordered, at, axis=-1)[..., 0] for at in (np.maximum(n - 1, 0) // 2, n // 2))
    with np.errstate(invalid="ignore"):
        return np.where(low == high, low, np.where(np.isinf(low) & np.isinf(high), 0.0, (low + high) / 2))


def median_interval(values: ArrayLike, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of the median: the innermost pair of order statistics with enough coverage, see `median_bounds`.

    Args:
        values: `[n]`, one per independent run; NaN is left out, infinite values are the first or last in order.

    Returns:
        (low, high); (nan, nan) for fewer than two values, which have no interval.
    """
    kept = known(values)
    if len(kept) < 2:
        return NO_INTERVAL
    low, high = median_bounds(kept, confidence=confidence)
    return float(low), float(high)


def median_bounds(values: Floats, *, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The d-th lowest and the d-th highest value along the last axis.

    Every median m of any distribution (P(X <= m) and P(X >= m) are at least 1/2) lies between them in at least
    `median_coverage(n)` of cases. The ends are not interpolated between order statistics: with few distinct values or
    two groups of runs an interpolated end lies where no run is, and may leave the median outside. Up to n = 5 no d
    reaches 95%, and the bounds are the range.

    Args:
        values: `[..., n]` with n of at least 2, no NaN.

    Returns:
        low and high, each `[...]`.
    """
    ordered = np.sort(values, axis=-1)
    d = _order(ordered.shape[-1], confidence)
    return ordered[..., d - 1], ordered[..., -d]


def median_coverage(n: int, *, confidence: float = CONFIDENCE) -> float:
    """The coverage of `median_interval` for n runs; it can be higher where the distribution has ties.

    1 - 2 P(B < d) with B binomial(n, 1/2); that of the range, 1 - 2^(1-n), up to n = 5.
    """
    return float(1.0 - 2.0 * stats.binom.cdf(_order(n, confidence) - 1, n, 0.5))


@lru_cache(maxsize=1024)
def _order(n: int, confidence: float) -> int:
    """The largest d with P(B < d) of at most half of 1 - confidence, and at least 1."""
    outside = stats.binom.cdf(np.arange(n // 2 + 1), n, 0.5)  # [d - 1]: P(B < d)
    return max(1, int(np.sum(outside <= (1.0 - confidence) / 2)))


def share_interval(shares: ArrayLike, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of a share from the share of each seed: 0 or 1 for a seed with one run, between them for several.

    Clopper and Pearson's (1934) where all are 0 or 1; otherwise Gaffke's, which is equal to it in that case.

    Args:
        shares: `[n]`, one per seed; NaN is left out.

    Returns:
        (low, high); (nan, nan) for fewer than two seeds, which have no interval.
    """
    kept = known(shares)
    if len(kept) > 1 and np.isin(kept, (0.0, 1.0)).all():
        return _exact_share(int(kept.sum()), len(kept), confidence)
    return mean_interval(kept, 0.0, 1.0, confidence=confidence)


@lru_cache(maxsize=4096)
def _exact_share(count: int, n: int, confidence: float) -> tuple[float, float]:
    interval = stats.binomtest(count, n).proportion_ci(confidence_level=confidence, method="exact")
    return float(interval.low), float(interval.high)


def mean_interval(
    values: ArrayLike, lowest: float, highest: float, *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Interval of the mean of numbers that lie between two bounds (Gaffke 2005; Learned-Miller and Thomas 2020).

    Let D be uniform on the simplex. The upper end is the 97.5% quantile of sum_i D_i x_i over the values and
    `highest`, the lower end the 2.5% quantile of that over the values and `lowest`. So even n equal values have an
    interval of some width, because unseen runs may differ. That it reaches its nominal coverage for every
    distribution is a conjecture without a known counter-example; for values at the two bounds it is Clopper and
    Pearson's.

    Args:
        values: `[n]`, one per independent seed; NaN is left out.
        lowest, highest: the bounds of all possible values, whatever the sample.

    Returns:
        (low, high); (nan, nan) for fewer than two values, which have no interval.

    Raises:
        ValueError: a value lies beyond the bounds.
    """
    kept = known(values)
    if len(kept) < 2:
        return NO_INTERVAL
    if kept.min() < lowest or kept.max() > highest:
        raise ValueError(f"values from {kept.min():g} to {kept.max():g} are not between {lowest:g} and {highest:g}")
    tail = (1.0 - confidence) / 2
    return _quantile([lowest, *kept.tolist()], tail), _quantile([highest, *kept.tolist()], 1.0 - tail)


def _quantile(values: Sequence[float], level: float) -> float:
    """The quantile of sum_i D_i x_i, D uniform on the simplex."""
    least, most = min(values), max(values)
    if least == most:
        return least
    return float(optimize.brentq(lambda t: _share_below(t, values) - level, least, most))


def _share_below(t: float, values: Sequence[float]) -> float:
    """P(sum_i D_i x_i <= t), exactly.

    With D_i = E_i / sum E, E exponential, it is the chance that sum a_i E_i over the a = t - x below t is larger than
    sum b_j E_j over the b = x - t above t. Of two terms a E and b E' the first is larger with chance a / (a + b), and
    its excess over the other is again distributed as a E: so one of the two drops out, and the chance of the first i
    terms against the first j follows from those with one term fewer.
    """
    above = [x - t for x in values if x > t]
    chance = [1.0, *[0.0] * len(above)]  # [j]: no term below against the first j above
    for a in (t - x for x in values if x < t):
        for j, b in enumerate(above):
            chance[j + 1] = (a * chance[j] + b * chance[j + 1]) / (a + b)
    return chance[-1]
