"""The coverage of every interval that a report prints: simulated, and exact where a population has two values.

An interval must hold all medians of a population at once, where ties leave it several. The fast tests have the sizes
at which intervals change their order statistics; the slow ones every size from 3 to 30.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from analysis.populations import (
    DIVERGED,
    SMOOTH,
    SOLVING,
    TIED,
    TWO_GROUPS,
    Population,
    atoms,
    clipped,
)
from sweeps.analysis.statistics.interquartile import IQM_SEEDS, iqm, iqm_interval
from sweeps.analysis.statistics.intervals import (
    Floats,
    mean_interval,
    median_coverage,
    median_interval,
    share_interval,
)
from sweeps.analysis.statistics.paired import compare_pairs
from sweeps.tables.steps_to_solve import MEAN_SEEDS

LEAST = 0.9
"""The least coverage of every interval from 5 seeds on, whatever is stated."""
SIZES = (3, 5, 6, 7, 9, 10, 11, 12, 13, 20)
EVERY = tuple(range(3, 31))


@dataclass(frozen=True)
class Kind:
    """An interval: how it is made of a sample, which number of a population it should hold, its stated coverage at n.

    `stated` is 0 where none is printed. The first `quick` of its populations are in the fast tests.
    """

    name: str
    interval: Callable[[Floats, Population], tuple[float, float]]
    truth: Callable[[Population], tuple[float, float]]
    stated: Callable[[int], float]
    populations: Sequence[Population]
    count: int
    quick: int


def twice(value: float) -> tuple[float, float]:
    return value, value


def of_seeds(a: float, b: float) -> Population:
    """The shares of seeds with three runs each, which may be as good as one."""
    law = stats.beta(a, b)
    return Population(f"three runs a seed, beta({a}, {b})", lambda u: np.round(law.ppf(u) * 3) / 3, 0.0, 1.0)


SHARES = tuple(of_seeds(a, b) for a, b in ((0.1, 0.1), (0.05, 0.5), (2.0, 2.0), (8.0, 0.5)))
KINDS = (
    Kind(
        "median",
        lambda values, _: median_interval(values),
        lambda population: population.medians,
        median_coverage,
        (*SMOOTH, *TWO_GROUPS, *TIED, *DIVERGED, *SOLVING),
        2000,
        99,
    ),
    Kind(
        "restricted mean",
        lambda values, population: mean_interval(values, 0.0, population.highest),
        lambda population: twice(population.mean),
        lambda n: 0.95 if n >= MEAN_SEEDS else 0.0,
        tuple(map(clipped, SOLVING)),
        1000,
        7,
    ),
    Kind(
        "share of pooled runs",
        lambda values, _: share_interval(values),
        lambda population: twice(population.mean),
        lambda n: 0.95,
        SHARES,
        1000,
        4,
    ),
    Kind(
        "interquartile mean",
        lambda values, _: iqm_interval(values, seed=0),
        lambda population: twice(population.iqm),
        lambda n: 0.95 if n >= IQM_SEEDS else 0.0,
        (*TIED[::-1], DIVERGED[0], *TWO_GROUPS, *SMOOTH),
        200,
        8,
    ),
)
CASES = [
    pytest.param(
        kind, population, id=f"{kind.name}, {population.name}", marks=[pytest.mark.slow] * (place >= kind.quick)
    )
    for kind in KINDS
    for place, population in enumerate(kind.populations)
]


def covered(kind: Kind, population: Population, n: int, count: int) -> float:
    """The share of samples whose interval holds the truth; samples with the same values have the same interval."""
    samples, times = np.unique(np.sort(population.draw(count, n), axis=1), axis=0, return_counts=True)
    low, high = np.array([kind.interval(sample, population) for sample in samples]).T
    first, last = kind.truth(population)
    room = 1e-9 * max(1.0, abs(first)) if math.isfinite(first) else 0.0
    return float(np.sum(times * ((low <= first + room) & (last - room <= high))) / count)


def short(kind: Kind, population: Population, sizes: Iterable[int], count: int) -> list[str]:
    """The sizes at which an interval covers less than is stated, by more than the simulation can be off."""
    failures = []
    for n in sizes:
        stated = kind.stated(n)
        if not stated:
            continue
        share = covered(kind, population, n, count)
        least = stated - 3.5 * math.sqrt(stated * (1 - stated) / count)
        if share < least or (n >= 5 and share < LEAST):
            failures.append(f"n = {n}: {share:.1%} where {stated:.1%} are stated")
    return failures


@pytest.mark.parametrize(("kind", "population"), CASES)
def test_every_interval_covers_what_is_stated(kind: Kind, population: Population) -> None:
    assert not short(kind, population, SIZES, kind.count // 4)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "population"), CASES)
def test_every_interval_covers_what_is_stated_at_every_size(kind: Kind, population: Population) -> None:
    assert not short(kind, population, EVERY, kind.count)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_worst_mixture_of_two_values_is_covered(kind: Kind) -> None:
    """Exact: a sample of n is known by how many have the higher value; the least over 400 mixtures, for every n."""
    unit = atoms("unit", {0.0: 0.5, 1.0: 0.5})
    upper = np.linspace(0.0012, 0.9988, 400)
    truths = [kind.truth(atoms("mixture", {0.0: 1.0 - share, 1.0: share})) for share in upper]
    first, last = np.array(truths).T
    worst = {}
    for n in EVERY:
        if not kind.stated(n):
            continue
        counts = np.arange(n + 1)
        ends = np.array([kind.interval(np.repeat([0.0, 1.0], [n - k, k]), unit) for k in counts])
        low, high = ends[:, :1] - 1e-9, ends[:, 1:] + 1e-9
        share = (stats.binom.pmf(counts[:, None], n, upper) * ((low <= first) & (last <= high))).sum(axis=0).min()
        worst[n] = share - kind.stated(n)
    assert worst and min(worst.values()) >= -0.002, worst  # 10,000 draws miss the level of a quantile by 0.0016


def test_where_no_coverage_is_stated_no_interval_is_printed() -> None:
    rng = np.random.default_rng(0)
    for n in EVERY:
        assert np.isnan(iqm_interval(rng.random(n), seed=0)).all() == (n < IQM_SEEDS)


@pytest.mark.parametrize("n", [5, 6, 9])
@pytest.mark.parametrize("diverged", [0.0, 0.3])
def test_differences_of_pairs(n: int, diverged: float) -> None:
    """Two arms that share a seed's luck and are equal otherwise: scores of two digits, two pooled blocks a seed."""
    rng = np.random.default_rng(list(f"pairs{n}{diverged}".encode()))
    luck = rng.normal(0, 0.1, (600, n, 2))
    first, second = (np.round(luck + rng.standard_t(3, luck.shape) * 0.05, 2) for _ in range(2))
    for arm in (first, second):
        arm[rng.random(arm.shape) < diverged] = -np.inf
    result = compare_pairs(first, second)
    inside = (result["difference_low"] <= 0.0) & (result["difference_high"] >= 0.0)
    stated = median_coverage(n)
    assert inside.mean() >= stated - 3.5 * math.sqrt(stated * (1 - stated) / len(inside))


def interpolated(values: Floats) -> tuple[float, float]:
    """Hettmansperger and Sheather (1986): between two order statistics of which the inner one covers too little."""
    n = len(values)
    reached = 1.0 - 2.0 * stats.binom.cdf(np.arange(n // 2 + 1), n, 0.5)
    d = int(np.sum(reached >= 0.95))
    share = (reached[d - 1] - 0.95) / (reached[d - 1] - reached[d])
    inner = (n - d) * share / (d + (n - 2 * d) * share)
    ordered = np.sort(values)
    return (1 - inner) * ordered[d - 1] + inner * ordered[d], (1 - inner) * ordered[-d] + inner * ordered[-d - 1]


def bootstrapped(values: Floats, statistic: Callable[..., Floats]) -> tuple[float, float]:
    result = stats.bootstrap((values,), statistic, method="percentile", n_resamples=500, rng=np.random.default_rng(0))
    return tuple(result.confidence_interval)


def students(values: Floats) -> tuple[float, float]:
    return tuple(stats.t.interval(0.95, len(values) - 1, values.mean(), max(stats.sem(values), 1e-300)))


def wilson(values: Floats) -> tuple[float, float]:
    interval = stats.binomtest(int(values.sum()), len(values)).proportion_ci(method="wilson")
    return interval.low, interval.high


MEDIAN, RESTRICTED, SHARE, MIDDLE = KINDS
USUAL = [
    ("interpolated", interpolated, MEDIAN, "two values 50%", 6, 0.78),
    ("interpolated", interpolated, MEDIAN, "three values 48 4 48", 6, 0.89),
    ("interpolated", interpolated, MEDIAN, "two groups 50%", 9, 0.82),
    ("bootstrap", lambda x: bootstrapped(x, np.mean), RESTRICTED, "first_look: 95% at one look", 5, 0.23),
    ("bootstrap", lambda x: bootstrapped(x, np.mean), RESTRICTED, "first_look: 5% at one look", 15, 0.54),
    ("Student's t", students, RESTRICTED, "first_look: 80% at two looks", 5, 0.71),
    ("Wilson", wilson, SHARE, "solved 96.5%", 5, 0.84),
    ("bootstrap", lambda x: bootstrapped(x, iqm), MIDDLE, "two values 26%", 5, 0.78),
]
"""The interval, what it is of, where it fails, and its coverage there."""


@pytest.mark.parametrize(("usual", "interval", "kind", "name", "n", "about"), USUAL)
def test_the_usual_intervals_cover_less(
    usual: str, interval: Callable[[Floats], tuple[float, float]], kind: Kind, name: str, n: int, about: float
) -> None:
    """Why none of them is printed; also shows that the tests above would have failed for them."""
    populations = {each.name: each for each in (*kind.populations, atoms("solved 96.5%", {0.0: 0.035, 1.0: 0.965}))}
    share = covered(replace(kind, interval=lambda values, _: interval(values)), populations[name], n, 500)
    assert share == pytest.approx(about, abs=0.04) and share < LEAST


def test_the_interval_of_a_row_that_came_out_best_covers_less() -> None:
    """Twenty equal rows: why tables say that an interval is of its row alone, and give none against the best."""
    values = np.random.default_rng(0).normal(size=(4000, 20, 5))
    best = np.median(values, axis=2).argmax(axis=1)
    own = np.take_along_axis(values, best[:, None, None], axis=1)
    against = (values - own)[best != 0, 0]
    for numbers, stated in ((own[:, 0], 0.83), (against, 0.87)):
        inside = (numbers.min(axis=1) <= 0) & (numbers.max(axis=1) >= 0)
        assert inside.mean() == pytest.approx(stated, abs=0.015) and inside.mean() < LEAST
