"""Intervals against closed forms, SciPy's own, and what they cover in simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sweeps.analysis.statistics.intervals import (
    bootstrap_bounds,
    bootstrap_interval,
    iqm,
    iqm_interval,
    median_bounds,
    median_coverage,
    median_interval,
    medians,
    wilson_interval,
)
from sweeps.analysis.tables.notes import IQM_COVERAGE, MEAN_COVERAGE

SIMULATIONS = 20_000
SIZES = (5, 10, 20)
DISTRIBUTIONS: dict[str, Any] = {
    "normal": stats.norm(),
    "exponential": stats.expon(),
    "log-normal": stats.lognorm(1.0),
    "scores": stats.beta(8, 0.5),  # most near 1, a tail below
    "Cauchy": stats.cauchy(),
}


def draws(name: str, n: int, count: int = SIMULATIONS) -> Any:
    return DISTRIBUTIONS[name].rvs((count, n), random_state=np.random.default_rng(list(f"{name}{n}".encode())))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("n", SIZES)
def test_the_median_interval_covers_93_to_97_percent(name: str, n: int) -> None:
    low, high = median_bounds(draws(name, n))
    truth = DISTRIBUTIONS[name].median()
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


@pytest.mark.parametrize("n", range(2, 9))
def test_the_coverage_that_is_told_is_reached(n: int) -> None:
    low, high = median_bounds(draws("normal", n))
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(median_coverage(n), abs=0.012)


def test_ties_and_diverged_runs_cost_no_coverage() -> None:
    """Scores with two digits of which the lowest fifth diverged: the median stays where it was."""
    values = np.round(draws("normal", 10), 1)
    values[values < -0.84] = -np.inf
    low, high = median_bounds(values)
    assert np.mean((low <= 0) & (high >= 0)) >= 0.945
    assert np.isneginf(low).any() and not np.isnan(low).any()


@pytest.mark.parametrize(("n", "d"), [(6, 1), (10, 2), (10, 3), (20, 6), (25, 8)])
def test_without_interpolation_it_is_the_exact_interval_of_scipy(n: int, d: int) -> None:
    values = draws("exponential", n, 1)[0]
    confidence = 1 - 2 * stats.binom.cdf(d - 1, n, 0.5)
    exact = stats.quantile_test(values, p=0.5).confidence_interval(confidence_level=confidence - 1e-9)
    assert median_interval(values, confidence=confidence - 1e-12) == pytest.approx((exact.low, exact.high), rel=1e-6)


def test_the_interpolation_by_hand() -> None:
    # n = 10: (2, 9) cover 0.97852, (3, 8) 0.89063; I = 0.32454 of the way, weight (n-d) I / (d + (n-2d) I)
    share = (0.978515625 - 0.95) / (0.978515625 - 0.890625)
    weight = 8 * share / (2 + 6 * share)
    assert median_interval(np.arange(1.0, 11.0)) == pytest.approx((2 + weight, 9 - weight), abs=1e-9)


def test_fewer_than_two_values_have_no_interval() -> None:
    for found in (
        median_interval([0.7]),
        median_interval([np.nan, 0.7]),
        iqm_interval([0.7], seed=0),
        bootstrap_interval([0.7], seed=0),
        wilson_interval(1, 1),
        wilson_interval(0, 0),
    ):
        assert all(map(math.isnan, found))


def test_medians_with_infinite_values_and_holes() -> None:
    nan, inf = np.nan, np.inf
    rows = np.array([[1, nan, 3], [nan, nan, nan], [-inf, inf, nan], [-inf, -inf, 2], [4, 1, 2], [nan, 5, nan]])
    assert medians(rows) == pytest.approx([2, nan, 0, -inf, 2, 5], nan_ok=True)
    assert np.isnan(medians(np.empty(0)))


def test_a_diverged_run_that_decides_is_in_the_interval() -> None:
    assert median_interval([-np.inf, -np.inf, 0.9, 0.92, 0.94]) == (-np.inf, 0.94)
    low, high = iqm_interval([-np.inf, -np.inf, 0.9, 0.92, 0.94], seed=0)
    assert np.isneginf(low) and high == pytest.approx(0.94)


@pytest.mark.parametrize("n", SIZES)
def test_wilson_covers_95_percent_averaged_over_true_shares(n: int) -> None:
    """Its coverage oscillates with the true share; the docs give the average and the worst, exact here."""
    bounds = np.array([wilson_interval(count, n) for count in range(n + 1)])
    rng = np.random.default_rng(list(b"shares"))
    truth = rng.uniform(size=SIMULATIONS)
    low, high = bounds[rng.binomial(n, truth)].T
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97
    shares = np.linspace(0.0005, 0.9995, 1999)
    held = (bounds[:, :1] <= shares) & (shares <= bounds[:, 1:])
    covered = (stats.binom.pmf(np.arange(n + 1)[:, None], n, shares) * held).sum(axis=0)
    average, worst = {5: (0.955, 0.832), 10: (0.954, 0.835), 20: (0.953, 0.836)}[n]
    assert covered.mean() == pytest.approx(average, abs=0.001)
    assert covered.min() == pytest.approx(worst, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["normal", "exponential", "log-normal", "scores"])
@pytest.mark.parametrize("n", SIZES)
def test_the_bootstrap_of_the_interquartile_mean_covers_what_is_told(name: str, n: int) -> None:
    """2,000 simulations: within the range told by the tables, and one and a half standard errors beside it."""
    law = DISTRIBUTIONS[name]
    truth = 2 * law.expect(lambda value: value, lb=law.ppf(0.25), ub=law.ppf(0.75))
    low, high = bootstrap_bounds(draws(name, n, 2000), iqm, seed=0, resamples=1000)
    least, most = (float(text) / 100 for text in IQM_COVERAGE[n].removesuffix("%").split(" to "))
    assert least - 0.008 <= np.mean((low <= truth) & (truth <= high)) <= most + 0.008


@pytest.mark.slow
def test_the_bootstrap_of_a_restricted_mean_covers_what_is_told() -> None:
    """2,000 simulations of three laws: the range told by the tables holds all, to one and a half standard errors."""
    rng = np.random.default_rng(list(b"restricted"))
    laws: tuple[tuple[Any, float], ...] = (
        (lambda shape: rng.normal(size=shape), 0.0),
        (lambda shape: np.minimum(rng.exponential(size=shape), 1.5), 1 - math.exp(-1.5)),  # a fifth unsolved
        (lambda shape: np.where(rng.random(shape) < 0.5, 1.0, rng.random(shape)), 0.75),  # half of them
    )
    for n, told in MEAN_COVERAGE.items():
        ends = [float(text) / 100 for text in told.removesuffix("%").split(" to ")]
        least, most = ends[0], ends[-1]
        for draw, truth in laws:
            low, high = bootstrap_bounds(draw((2000, n)), np.mean, seed=0, resamples=1000)
            room = 1.5 * math.sqrt(least * (1 - least) / 2000)
            assert least - room <= np.mean((low <= truth) & (truth <= high)) <= most + room, (n, truth)


@pytest.mark.slow
def test_the_plain_percentile_bootstrap_would_cover_less() -> None:
    """Why the quantiles are taken further out."""
    values = draws("normal", 5, 2000)
    picked = np.random.default_rng(0).integers(0, 5, (1000, 5))
    low, high = np.quantile(iqm(values[:, picked]), (0.025, 0.975), axis=-1)
    assert np.mean((low <= 0) & (high >= 0)) < 0.91


def test_the_interquartile_mean_by_hand() -> None:
    assert iqm(np.array([9.0, 1.0, 2.0, 3.0, -50.0])) == 2.0  # one of five cut at either end
    assert iqm(np.array([1.0, 2.0, 6.0])) == 3.0  # too few to cut


def test_the_bootstrap_of_infinite_values_warns_of_nothing_and_is_seeded() -> None:
    values = [-np.inf, 0.1, 0.2, 0.3, 0.5, 0.9, 0.4, 0.35]
    assert iqm_interval(values, seed=3) == iqm_interval(values, seed=3)
    assert iqm_interval(values[1:], seed=3) != iqm_interval(values[1:], seed=4)
