"""Intervals against closed forms, SciPy's own and second routes; what they cover is in test_coverage.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sweeps.analysis.statistics.interquartile import iqm, iqm_interval
from sweeps.analysis.statistics.intervals import (
    mean_interval,
    median_bounds,
    median_coverage,
    median_interval,
    medians,
    share_interval,
)


def rng_of(phrase: str) -> np.random.Generator:
    return np.random.default_rng(list(phrase.encode()))


@pytest.mark.parametrize("n", range(6, 31))
def test_the_median_interval_is_the_exact_one_of_scipy(n: int) -> None:
    values = rng_of("exact").exponential(size=n)
    exact = stats.quantile_test(values, p=0.5).confidence_interval(confidence_level=0.95)
    assert median_interval(values) == (exact.low, exact.high)


@pytest.mark.parametrize(
    ("n", "order", "covered"),
    [(2, 1, 0.5), (3, 1, 0.75), (4, 1, 0.875), (5, 1, 0.9375), (6, 1, 0.96875), (8, 1, 0.9921875), (9, 2, 0.9609375)],
)
def test_the_order_statistics_by_hand(n: int, order: int, covered: float) -> None:
    """1 - 2^(1-n) for the range; with nine 1 - 2 (1 + 9) / 512. Eight have 0.93 with the second ones: too little."""
    assert median_interval(np.arange(1.0, n + 1)) == (order, n + 1 - order)
    assert median_coverage(n) == pytest.approx(covered)


def test_an_end_is_one_of_the_values() -> None:
    """Between two groups nothing ran: an end there would leave out the median of a mixture."""
    low, high = median_bounds(np.sort(rng_of("ends").integers(0, 2, (200, 12)), axis=1).astype(float))
    assert set(np.unique([low, high])) == {0.0, 1.0}


def test_fewer_than_two_values_have_no_interval() -> None:
    for interval in (
        median_interval([0.7]),
        median_interval([np.nan, 0.7]),
        mean_interval([0.7], 0.0, 1.0),
        share_interval([1.0, np.nan]),
        share_interval([]),
        iqm_interval([0.7], seed=0),
    ):
        assert all(map(math.isnan, interval))


def test_medians_with_infinite_values_and_holes() -> None:
    nan, inf = np.nan, np.inf
    rows = np.array([[1, nan, 3], [nan, nan, nan], [-inf, inf, nan], [-inf, -inf, 2], [4, 1, 2], [nan, 5, nan]])
    assert medians(rows) == pytest.approx([2, nan, 0, -inf, 2, 5], nan_ok=True)
    assert np.isnan(medians(np.empty(0)))


def test_a_diverged_run_that_decides_is_in_the_interval() -> None:
    assert median_interval([-np.inf, -np.inf, 0.9, 0.92, 0.94]) == (-np.inf, 0.94)
    low, high = iqm_interval([-np.inf] * 4 + [0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97], seed=0)
    assert np.isneginf(low) and 0.93 < high <= 0.97


@pytest.mark.parametrize(("count", "n"), [(0, 2), (2, 2), (0, 5), (2, 5), (3, 10), (19, 20)])
def test_a_mean_of_zeros_and_ones_has_the_exact_interval_of_a_share(count: int, n: int) -> None:
    values = np.repeat([0.0, 1.0], [n - count, count])
    exact = stats.binomtest(count, n).proportion_ci(method="exact")
    assert mean_interval(values, 0.0, 1.0) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert share_interval(values) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_equal_values_have_the_interval_of_what_was_not_seen() -> None:
    """Up to 1 - 0.025^(1/n) of the runs may be at either bound."""
    unseen = 1 - 0.025 ** (1 / 5)
    expected = (500 - unseen * 500, 500 + unseen * 700)
    assert mean_interval([500.0] * 5, 0.0, 1200.0) == pytest.approx(expected)
    assert mean_interval([1200.0] * 5, 0.0, 1200.0) == pytest.approx((1200 - unseen * 1200, 1200))


@pytest.mark.parametrize("n", [2, 5, 9])
def test_the_ends_of_a_mean_are_quantiles_by_the_closed_form(n: int) -> None:
    """P(sum_i D_i x_i > t) is the divided difference of (x - t)_+^n at n + 1 different values."""
    values = (np.arange(n) + rng_of("closed").random(n)) / n
    for end, bound, level in zip(mean_interval(values, 0.0, 1.0), (0.0, 1.0), (0.025, 0.975), strict=True):
        knots = [*values, bound]
        beyond = sum((x - end) ** n / math.prod(x - y for y in knots if y != x) for x in knots if x > end)
        assert 1.0 - beyond == pytest.approx(level, abs=1e-7)


def test_the_ends_of_a_mean_are_quantiles_of_drawn_weights() -> None:
    values = np.array([300.0, 400, 400, 700, 1200, 1200, 1200])
    weights = rng_of("drawn").dirichlet(np.ones(8), 200_000)
    low, high = mean_interval(values, 0.0, 1200.0)
    assert np.mean(weights @ [*values, 0.0] <= low) == pytest.approx(0.025, abs=0.0015)
    assert np.mean(weights @ [*values, 1200.0] <= high) == pytest.approx(0.975, abs=0.0015)


def test_a_mean_beyond_its_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="from 1 to 3 are not between 0 and 2"):
        mean_interval([1.0, 3.0], 0.0, 2.0)


def test_the_interquartile_mean_by_hand() -> None:
    assert iqm(np.array([9.0, 1.0, 2.0, 3.0, -50.0])) == 2.0  # one of five cut at either end
    assert iqm(np.array([1.0, 2.0, 6.0])) == 3.0  # too few to cut


def test_the_interval_of_an_interquartile_mean_by_integration() -> None:
    """One draw of the levels at a time, the quantile function written out as steps and integrated numerically."""
    values = np.sort(rng_of("middle").normal(size=12))
    levels = np.linspace(0.25, 0.75, 2001)
    rng = rng_of("levels")
    low, high = [], []
    for _ in range(4000):
        at = np.searchsorted(np.sort(rng.random(12)), levels)  # so many values lie below each level
        low.append(np.mean(values[np.maximum(at - 1, 0)]))
        high.append(np.mean(values[np.minimum(at, 11)]))
    expected = (np.quantile(low, 0.025), np.quantile(high, 0.975))
    assert iqm_interval(values, seed=0) == pytest.approx(expected, abs=0.06)


def test_the_draws_are_seeded_and_infinite_values_warn_of_nothing() -> None:
    values = [-np.inf, 0.1, 0.2, 0.3, 0.5, 0.9, 0.4, 0.35, 0.33, 0.38, 0.41]
    assert iqm_interval(values, seed=3) == iqm_interval(values, seed=3)
    finite = [0.15, *values[1:]]
    assert iqm_interval(finite, seed=3) != iqm_interval(finite, seed=4)
