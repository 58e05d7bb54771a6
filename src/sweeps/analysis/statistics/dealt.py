"""How often numbers that are dealt out at random to the runs of each seed go with an axis as much as the measured ones.

Runs of one seed may differ in any way from those of another, so numbers are dealt within seeds. A run counts as one
number: this says what a pattern in these runs is worth a word. What holds beyond their seeds, tests over seeds say.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pandas as pd
from scipy import stats

from sweeps.analysis.statistics.intervals import Floats

DEALINGS = 999
TINY = 1e-9
"""Relative size below which a sum of squares is the rounding of zero."""
ROUNDING = 1e-6
"""Relative difference up to which two p are the same."""


def luck(ranks: Floats, seeds: pd.Series, directions: Sequence[tuple[Floats, Floats]]) -> list[float]:
    """For each of several effects how often dealings have one as strong among it and all that are weaker than it.

    How strong an effect is, is the p of its F test. In pure noise any of them is at or below 5% in at most 5% of
    studies, whatever the numbers (Westfall and Young 1993, step-down); beside effects approximately (Manly 2007).

    Args:
        ranks: `[n]`, of mean 0.
        seeds: `[n]`, the seed of each run.
        directions: for each effect orthonormal `[n, q]` of its own, and `[n, g]` of all else, at right angles to them.
    """
    if not directions or not ranks.any():
        return [1.0] * len(directions)
    dealt = np.vstack([ranks, ranks[_dealings(ranks, seeds)]])
    p = np.array([_p_of_f(dealt, own, given) for own, given in directions])  # [effects, 1 + DEALINGS]
    order = np.argsort(p[:, 0], kind="stable")  # the strongest first
    strongest = np.minimum.accumulate(p[order[::-1]], axis=0)[::-1]  # among each effect and all that are weaker
    reached = (strongest[:, 1:] <= p[order, :1] * (1 + ROUNDING)).sum(axis=1)
    found = np.empty(len(order))
    found[order] = np.maximum.accumulate((reached + 1) / (DEALINGS + 1))
    return [float(each) for each in found]


def _dealings(ranks: Floats, seeds: pd.Series) -> np.ndarray:
    """`[DEALINGS, n]`: which run's number each run gets, always one of its own seed.

    The draws go by the ranks: the same for the same records, but another sample in another study. With one sample for
    all of them the rate of 5% would hold on the average over samples only, and this one may be above it.
    """
    codes = pd.factorize(seeds)[0]
    places = np.argsort(codes, kind="stable")
    halves = np.rint(2 * (ranks - ranks.min())).astype("<i8")  # of ties: mean ranks
    drawn = np.random.default_rng(crc32(halves.tobytes())).random((DEALINGS, len(codes)))
    dealings = np.empty(drawn.shape, dtype=np.intp)
    dealings[:, places] = np.argsort(codes + drawn, axis=1)
    return dealings


def _p_of_f(numbers: Floats, own: Floats, given: Floats) -> Floats:
    """`[d]` from `[d, n]`: the p of the F test of directions, 0 where they leave nothing, 1 where they have nothing."""
    explained = np.sum((numbers @ own) ** 2, axis=1)
    total = np.sum(numbers**2, axis=1)
    rest = total - np.sum((numbers @ given) ** 2, axis=1) - explained
    rest[rest < TINY * total] = 0.0
    explained[explained < TINY * total] = 0.0
    count, left = own.shape[1], numbers.shape[1] - own.shape[1] - given.shape[1]
    if not count or left <= 0:
        return np.ones(len(numbers))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(explained > 0, explained / count / (rest / left), 0.0)
    return np.asarray(stats.f.sf(ratio, count, left), dtype=np.float64)
