"""Intervals for one number per run: order statistics for a median, Wilson for a share, bootstrap for the rest.

What each really covers at n = 5, 10 and 20 is measured in tests/analysis/test_intervals.py and told in
docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2000
NO_INTERVAL = (math.nan, math.nan)

Floats = NDArray[np.float64]


def medians(values: Floats) -> Floats:
    """Medians along the last axis; NaN is left out, infinite values are the first or last in order.

    Half of them -inf and half inf have the median 0. NaN where there is no value.
    """
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    ordered = np.sort(values, axis=-1)  # NaN last
    n = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    low, high = (np.take_along_axis(ordered, place, axis=-1)[..., 0] for place in (np.maximum(n - 1, 0) // 2, n // 2))
    with np.errstate(invalid="ignore"):
        return np.where(low == high, low, np.where(np.isinf(low) & np.isinf(high), 0.0, (low + high) / 2))


def median_interval(values: ArrayLike, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of the median from interpolated order statistics (Hettmansperger and Sheather 1986).

    It assumes no distribution. Up to n = 5 no interval made of the values reaches 95%: the answer is their
    range, which covers `range_coverage(n)`. Infinite values take part: they are the first or last in order.

    Args:
        values: `[n]`, one per independent run; NaN is left out.

    Returns:
        (low, high); (nan, nan) for fewer than two values, which have no interval.
    """
    kept = np.asarray(values, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if len(kept) < 2:
        return NO_INTERVAL
    low, high = median_bounds(kept, confidence=confidence)
    return float(low), float(high)


def median_bounds(values: Floats, *, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """`median_interval` along the last axis.

    Args:
        values: `[..., n]` with n of at least 2, no NaN.

    Returns:
        low and high, each `[...]`.
    """
    ordered = np.sort(values, axis=-1)
    n = ordered.shape[-1]
    d, inner = _order(n, confidence)
    return (
        _between(ordered[..., d - 1], ordered[..., d], inner),
        _between(ordered[..., n - d], ordered[..., n - d - 1], inner),
    )


@lru_cache(maxsize=1024)
def _order(n: int, confidence: float) -> tuple[int, float]:
    """Which order statistics bound the median, counted from 1, and the weight of the next inner one.

    With B binomial(n, 1/2) the d-th from either end cover g(d) = 1 - 2 P(B < d); between g(d) and g(d + 1) the
    ends are interpolated by Hettmansperger and Sheather's equation (1.2).
    """
    covered = 1.0 - 2.0 * stats.binom.cdf(np.arange(n // 2 + 1), n, 0.5)  # [d - 1]: g(d)
    d = int(np.sum(covered >= confidence))
    if d == 0:
        return 1, 0.0
    share = (covered[d - 1] - confidence) / (covered[d - 1] - covered[d])
    return d, float((n - d) * share / (d + (n - 2 * d) * share))


def _between(outer: Floats, inner: Floats, weight: float) -> Floats:
    """(1 - weight) outer + weight inner; an infinite outer end stays what it is."""
    if weight == 0.0:
        return outer
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(outer), outer, (1.0 - weight) * outer + weight * inner)


def range_coverage(n: int) -> float:
    """How often the range of n runs holds the median, 1 - 2^(1-n): no resampling can do better."""
    return 1.0 - 2.0 ** (1 - n)


def median_coverage(n: int, *, confidence: float = CONFIDENCE) -> float:
    """What `median_interval` covers with n runs of a continuous distribution: `confidence`, or the range's."""
    return min(confidence, range_coverage(n))


def iqm(values: Any, axis: int = -1) -> Any:
    """Interquartile mean: the mean without the lowest and highest floor(n/4) values."""
    return stats.trim_mean(values, 0.25, axis=axis)


def iqm_interval(values: ArrayLike, *, seed: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Bootstrap interval of the interquartile mean; NaN is left out, infinite values take part.

    Returns:
        (low, high); (nan, nan) for fewer than two values.
    """
    kept = np.asarray(values, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if len(kept) < 2:
        return NO_INTERVAL
    low, high = bootstrap_bounds(kept, iqm, seed=seed, confidence=confidence)
    return float(low), float(high)


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[..., Any] = np.median,
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Bootstrap interval of a statistic over runs, see `bootstrap_bounds`; non-finite values are left out.

    Every call starts its own generator from `seed`, so an interval depends on its own values alone.

    Args:
        values: `[n]`, one per run.
        statistic: must accept `axis`, as np.median and np.mean do.

    Returns:
        (low, high); (nan, nan) for fewer than two finite values, which have no interval.
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if len(finite) < 2:
        return NO_INTERVAL
    low, high = bootstrap_bounds(finite, statistic, seed=seed, confidence=confidence, resamples=resamples)
    return float(low), float(high)


def bootstrap_bounds(
    values: Floats,
    statistic: Callable[..., Any],
    *,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> tuple[Floats, Floats]:
    """Expanded percentile bootstrap (Hesterberg 2015, section 5.2) along the last axis.

    The plain percentile interval is too short by about sqrt((n-1)/n) and by the normal's tails in place of
    Student's; taking the quantiles at Phi(-sqrt(n/(n-1)) t) with t Student's quantile of n-1 degrees undoes both.

    Args:
        values: `[..., n]` with n of at least 2, no NaN.

    Returns:
        low and high, each `[...]`.
    """
    n = values.shape[-1]
    tail = stats.norm.cdf(math.sqrt(n / (n - 1)) * stats.t.ppf((1 - confidence) / 2, n - 1))
    with np.errstate(invalid="ignore"):  # infinite values have no standard error, which is not used
        drawn = stats.bootstrap(
            (values,),
            statistic,
            n_resamples=resamples,
            batch=max(1, 20_000_000 // values.size),
            axis=-1,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    low, high = np.quantile(drawn, (tail, 1 - tail), axis=-1, method="closest_observation")
    return low, high


def wilson_interval(count: int, n: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson interval of the share count/n; (nan, nan) for fewer than two runs, which have no interval."""
    if n < 2:
        return NO_INTERVAL
    interval = stats.binomtest(int(count), int(n)).proportion_ci(confidence_level=confidence, method="wilson")
    return float(interval.low), float(interval.high)
