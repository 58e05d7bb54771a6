"""Paired comparisons: a signed-rank test that keeps a seed's pairs together, Holm's correction, effect sizes.

Runs of one seed share their data and, where only clipping or length differs, their initial weights; a network
whose gradient is never clipped is even the same run under every kind of clipping. Pairs of one seed are
therefore not independent, and the test exchanges the signs of whole seeds. With one pair per seed it is
Wilcoxon's exact signed-rank test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.intervals import CONFIDENCE, NO_INTERVAL, Floats, median_interval, medians

ALPHA = 0.05
TUNED = 2
"""By how much p is multiplied where two halves of the seeds chose for each other (`tuning.tune`), so that seeds are not
independent: tests of runs in which nothing matters then find something in at most 5% (docs/statistics.md)."""
FLIPS = 2**14 - 1
"""Number of sign patterns drawn where there are more (over 14 seeds); otherwise all of them are tried."""


def times(records: Records) -> int:
    """By how much every p of these records is multiplied, and the error of every interval divided."""
    return TUNED if records.tuned else 1


def differences(a: Floats, b: Floats) -> Floats:
    """a - b; 0 for two runs with the same infinite value (tied), NaN where either is missing."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, a - b)


def signed_ranks(difference: Floats) -> Floats:
    """Ranks of |difference| with its sign, along the last axis; ties have their mean rank, zeros 0, NaN stays NaN."""
    size = np.abs(difference)
    ranks = stats.rankdata(np.where(size == 0, np.nan, size), axis=-1, nan_policy="omit")
    return np.where(difference == 0, 0.0, np.sign(difference) * ranks)


def sign_flip_p(sums: Floats, *, seed: int = 0) -> Floats:
    """Two-sided p that the sum over seeds is 0, from exchanging the signs of seeds (SciPy's permutation test).

    Args:
        sums: `[S, ...]`, the summed signed ranks of each seed; a seed without pairs has 0.
        seed: of the patterns drawn where there are over FLIPS of them.

    Returns:
        `[...]`.
    """
    if len(sums) < 2 or sums.size == 0:
        return np.ones(sums.shape[1:])  # with one seed nothing can be significant
    result = stats.permutation_test(
        (sums,),
        np.sum,
        permutation_type="samples",
        n_resamples=FLIPS + 1,
        batch=max(1, 5_000_000 // sums.size),
        vectorized=True,
        axis=0,
        rng=np.random.default_rng(seed),
    )
    return np.asarray(result.pvalue, dtype=np.float64)


def smallest_p(seeds: Any) -> Any:
    """The smallest two-sided p that the test can give: 2^(1-seeds), or what the drawn patterns resolve."""
    return np.maximum(2.0 ** (1.0 - np.asarray(seeds, dtype=float)), 2.0 / (FLIPS + 2)).clip(max=1.0)


def holm(p: Floats, *, alpha: float = ALPHA) -> Floats:
    """p adjusted by Holm's method; the family is all that are not NaN."""
    adjusted = np.full(p.shape, np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        adjusted[tested] = multipletests(p[tested], alpha=alpha, method="holm")[1]
    return adjusted


def compare_pairs(
    first: Floats, second: Floats, *, share: bool = False, seed: int = 0, factor: int = 1
) -> pd.DataFrame:
    """Compare the runs of `first` with those of `second`, pair by pair, for each of P comparisons.

    Args:
        first, second: `[P, S, B]`: P comparisons, S seeds, B blocks; a pair in which a run is missing (NaN) is left
            out.
        share: the values are 0 or 1: the difference is that of the shares, without an interval.
        seed: of the test where there are too many sign patterns to try them all.
        factor: by how much p is multiplied, from `times`.

    Returns:
        A row per comparison. `seeds`, `pairs`: how many both have; `difference`: median over seeds of the median
        difference of the seed's pairs, with `_low, _high` (order statistics); `effect`: matched-pairs
        rank-biserial correlation, from -1 (every pair falls) to 1 (every pair rises); `p`, `smallest_p`.
    """
    d = differences(first, second)
    rows, s, b = d.shape
    ranks = signed_ranks(d.reshape(rows, s * b)).reshape(d.shape)
    total = np.nansum(np.abs(ranks), axis=(1, 2))
    sums = np.nansum(ranks, axis=2)
    present = ~np.isnan(d)
    seeds = present.any(axis=2).sum(axis=1)
    middle = medians(d)
    if share:
        mean = np.nansum(d, axis=(1, 2)) / np.maximum(present.sum(axis=(1, 2)), 1)
        centre, bounds = np.where(seeds > 0, mean, np.nan), [NO_INTERVAL] * rows
    else:
        centre, bounds = (
            medians(middle),
            [median_interval(row, confidence=1 - (1 - CONFIDENCE) / factor) for row in middle],
        )
    p = np.where(seeds > 0, np.minimum(factor * sign_flip_p(sums.T, seed=seed), 1.0), np.nan) if rows else np.empty(0)
    with np.errstate(invalid="ignore"):
        effect = np.where(total > 0, sums.sum(axis=1) / total, np.where(seeds > 0, 0.0, np.nan))
    return pd.DataFrame(
        {
            "seeds": seeds,
            "pairs": present.sum(axis=(1, 2)),
            "difference": centre,
            "difference_low": [low for low, _ in bounds],
            "difference_high": [high for _, high in bounds],
            "effect": effect,
            "p": p,
            "smallest_p": np.where(seeds > 0, np.minimum(factor * smallest_p(seeds), 1.0), np.nan),
        }
    )


def all_pairs(groups: Sequence[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices i < j of every pair within each group; `groups` holds the group of each index."""
    first, second = np.triu_indices(len(groups), k=1)
    same = [groups[int(i)] == groups[int(j)] for i, j in zip(first, second, strict=True)]
    return first[same], second[same]


def too_small(smallest: Floats, *, alpha: float = ALPHA, factor: int = 1) -> str | None:
    """A warning if no comparison of the family could be significant, however large its effect; otherwise None.

    Args:
        smallest: `[P]`, the smallest p that each comparison can give; NaN for one without a pair.
        factor: by which p is multiplied, from `times`.
    """
    kept = smallest[~np.isnan(smallest)]
    if not len(kept):
        return "There is not a single pair to compare."
    least, family = float(kept.min()), len(kept)
    if least * family <= alpha:
        return None
    needed = 1 + math.ceil(math.log2(factor * family / alpha))
    after = "" if family == 1 else f", {min(1.0, least * family):.3g} after Holm's correction over {family} comparisons"
    possible = needed <= math.log2(FLIPS + 1)
    enough = f"; {needed} seeds would be the fewest that could" if possible else "; compare fewer at once"
    return (
        f"Too few seeds to show anything: the smallest p that they allow is {least:.3g}{after}, so that no difference "
        f"could be significant however large it is{enough}."
    )
