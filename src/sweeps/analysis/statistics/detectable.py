"""The smallest difference that a paired test over seeds finds in 80% of cases: what a result of 'nothing' is worth.

A seed counts as one number, whatever its number of pairs: they need not be independent. Where they are, less is found.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from sweeps.analysis.statistics.intervals import Floats
from sweeps.analysis.statistics.paired import smallest_p

POWER = 0.8
DRAWS = 4000
LARGEST = 20.0
"""Shift in standard deviations up to which is searched: every seed then has the same sign."""


@lru_cache(maxsize=256)
def detectable_share(seeds: int, alpha: float) -> float:
    """The smallest difference of two shares that is found, in closed form; NaN if none could be.

    For the case that is found most easily: one level solves what the other does not, and never the other way round.
    Then p is 2^(1-k) for the k seeds that differ, and k is binomial.
    """
    enough = next((k for k in range(1, seeds + 1) if smallest_p(k) <= alpha), None)
    if enough is None:
        return float("nan")
    return float(optimize.brentq(lambda q: stats.binom.sf(enough - 1, seeds, q) - POWER, 0.0, 1.0))


@lru_cache(maxsize=256)
def detectable_effect(seeds: int, alpha: float) -> float:
    """The smallest rank-biserial correlation that is found, by simulation; NaN if none could be.

    The differences of the seeds are normal around a shift: `DRAWS` samples, always the same ones; the result is the
    mean correlation at the shift whose power is `POWER`.
    """
    critical = _critical(seeds, alpha)
    if smallest_p(seeds) > alpha or np.isnan(critical):
        return float("nan")
    noise = np.random.default_rng(0).standard_normal((DRAWS, seeds))

    def missing(shift: float) -> float:
        return float(np.mean(np.abs(_sums(noise + shift)) >= critical)) - POWER

    if missing(0.0) >= 0:
        return 0.0
    shift = optimize.bisect(missing, 0.0, LARGEST, xtol=1e-3)
    return float(np.mean(_sums(noise + shift)) / (seeds * (seeds + 1) / 2))


def _sums(differences: Floats) -> Floats:
    """The sum of signed ranks of every row."""
    return np.asarray((np.sign(differences) * stats.rankdata(np.abs(differences), axis=1)).sum(axis=1))


def _critical(seeds: int, alpha: float) -> float:
    """The smallest |sum of signed ranks| whose two-sided p is at most alpha; NaN if there is none."""
    chances = np.ones(1)  # of each sum of the ranks with a plus sign: 0 to S(S+1)/2
    for rank in range(1, seeds + 1):
        chances = 0.5 * (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0)))
    largest = len(chances) - 1
    sizes = np.abs(2.0 * np.arange(len(chances)) - largest)
    candidates = [size for size in np.unique(sizes) if chances[sizes >= size].sum() <= alpha * (1 + 1e-12)]
    return float(candidates[0]) if candidates else float("nan")
