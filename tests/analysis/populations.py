"""Populations of runs whose median, mean and interquartile mean are known: what the intervals are held to.

A population is its quantile function. Scores lie on the grid of an evaluation, updates until solved on the looks of a
sweep in `experiments/`, unsolved runs at inf and diverged ones at the worst rank.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import yaml
from scipy import stats

from sweeps.analysis.statistics.intervals import Floats
from sweeps.config.places import ROOT

LEVELS = (np.arange(2**15) + 0.5) / 2**15


@dataclass(frozen=True)
class Population:
    """`quantile` gives the number of a run at levels between 0 and 1; none lies beyond `lowest` and `highest`."""

    name: str
    quantile: Callable[[Floats], Floats]
    lowest: float = -np.inf
    highest: float = np.inf

    def draw(self, count: int, n: int) -> Floats:
        """`[count, n]`: samples of n runs, the same ones in every call."""
        return self.quantile(np.random.default_rng(list(f"{self.name}{n}".encode())).random((count, n)))

    @cached_property
    def medians(self) -> tuple[float, float]:
        """The lowest and the highest number with at least half of the runs on either side of it."""
        low, high = self.quantile(np.array([0.5, np.nextafter(0.5, 1.0)]))
        return float(low), float(high)

    @cached_property
    def mean(self) -> float:
        return float(self.quantile(LEVELS).mean())

    @cached_property
    def iqm(self) -> float:
        """The mean between the quartiles."""
        return float(self.quantile(0.25 + LEVELS / 2).mean())


def law(name: str, distribution: Any, *, grid: float = 0.0) -> Population:
    """A distribution of SciPy, rounded to a grid where one is given."""
    return Population(name, lambda u: np.round(distribution.ppf(u) / grid) * grid if grid else distribution.ppf(u))


def atoms(name: str, shares: dict[float, float]) -> Population:
    """Few values, each with its share of the runs."""
    values, ends = np.array(list(shares)), np.cumsum(list(shares.values())).round(12)
    assert ends[-1] == 1.0 and (np.diff(values) > 0).all()
    return Population(name, lambda u: values[np.searchsorted(ends, u)], values[0], values[-1])


def mixed(name: str, share: float, lower: Population, upper: Population) -> Population:
    """That share of the runs from one population, the others from one that lies wholly above it."""

    def quantile(u: Floats) -> Floats:
        below, above = (u / share).clip(0.0, 1.0), ((u - share) / (1.0 - share)).clip(0.0, 1.0)
        return np.where(u <= share, lower.quantile(below), upper.quantile(above))

    return Population(name, quantile, lower.lowest, upper.highest)


def solving(name: str, shares: dict[int, float], looks: Floats) -> Population:
    """Updates until solved: the share of runs that is solved at each look, counted from 0; the others never."""
    solved = {float(looks[place]): share for place, share in shares.items()}
    unsolved = round(1.0 - sum(solved.values()), 12)
    population = atoms(name, solved | ({np.inf: unsolved} if unsolved else {}))
    return replace(population, lowest=0.0, highest=float(looks[-1]))


def looks(experiment: str) -> Floats:
    """The updates after which a sweep of `experiments/` evaluates its networks."""
    train = yaml.safe_load((ROOT / "experiments" / experiment / "sweep.yaml").read_text())["train"]
    return np.arange(train["eval_every"], train["steps"] + 1.0, train["eval_every"])


NORMAL = law("normal", stats.norm())
SCORES = law("scores on 512 sequences", stats.beta(8, 0.5), grid=1 / 512)
SMOOTH = (
    NORMAL,
    law("log-normal", stats.lognorm(1.0)),
    law("Cauchy", stats.cauchy()),
    law("Student, 2 degrees", stats.t(2)),
    law("most near 1", stats.beta(8, 0.5)),
)
TWO_GROUPS = tuple(
    mixed(f"two groups {share:.0%}", share, law("low", stats.uniform(0.0, 0.1)), law("high", stats.uniform(0.9, 0.1)))
    for share in (0.05, 0.2, 0.48, 0.5, 0.52, 0.74, 0.95)
)
TIED = (
    law("normal to one digit", stats.norm(), grid=0.1),
    law("normal to whole numbers", stats.norm(), grid=1.0),
    SCORES,
    *(atoms(f"two values {share:.0%}", {0.0: share, 1.0: 1 - share}) for share in (0.05, 0.26, 0.48, 0.5, 0.52, 0.8)),
    atoms("three values 48 4 48", {0.0: 0.48, 0.05: 0.04, 1.0: 0.48}),
    atoms("three values 45 10 45", {0.0: 0.45, 0.5: 0.1, 1.0: 0.45}),
)
DIVERGED = tuple(
    mixed(f"scores, diverged {share:.0%}", share, atoms("diverged", {-np.inf: 1.0}), SCORES)
    for share in (0.2, 0.48, 0.52)
)
SOLVING = tuple(
    solving(f"{experiment}: {name}", shares, looks(experiment))
    for experiment in ("first_look", "digits")
    for name, shares in {
        "95% at one look": {4: 0.95},
        "5% at one look": {4: 0.05},
        "half at the first look": {0: 0.5},
        "80% at two looks": {3: 0.4, 4: 0.4},
        "74% at one look": {2: 0.74},
        "even over all looks": dict.fromkeys(range(10), 0.1),
        "a fifth less at every look": {place: round(0.2 * 0.8**place, 6) for place in range(10)},
    }.items()
)


def clipped(population: Population) -> Population:
    """Updates spent: those of an unsolved run are the whole budget."""
    return replace(population, quantile=lambda u: np.minimum(population.quantile(u), population.highest))
