"""Paired tests against SciPy's exact ones and enumeration; family-wise error under the null by simulation."""

from __future__ import annotations

import gc
import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sweeps.analysis.statistics.paired import (
    FLIPS,
    all_pairs,
    compare_pairs,
    differences,
    holm,
    sign_flip_p,
    signed_ranks,
    smallest_p,
    too_small,
)

SIMULATIONS = 2000
SEEDS = 10


def rng_of(phrase: str) -> np.random.Generator:
    return np.random.default_rng(list(phrase.encode()))


@pytest.mark.parametrize("n", [5, 8, 14])
def test_one_pair_per_seed_is_the_exact_wilcoxon_test(n: int) -> None:
    rng = rng_of("wilcoxon")
    a, b = rng.normal(0.4, 1, (6, n, 1)), rng.normal(0, 1, (6, n, 1))
    exact = [stats.wilcoxon(x[:, 0], y[:, 0], method="exact").pvalue for x, y in zip(a, b, strict=True)]
    assert compare_pairs(a, b)["p"].to_numpy() == pytest.approx(exact)


def test_many_seeds_draw_their_patterns_and_stay_near_the_exact_p() -> None:
    rng = rng_of("many")
    a, b = rng.normal(0.5, 1, (4, 25, 1)), rng.normal(0, 1, (4, 25, 1))
    exact = [stats.wilcoxon(x[:, 0], y[:, 0], method="exact").pvalue for x, y in zip(a, b, strict=True)]
    assert compare_pairs(a, b, seed=1)["p"].to_numpy() == pytest.approx(exact, abs=0.01)


def test_seeds_are_flipped_whole() -> None:
    """Against all 2^4 patterns written out, with several pairs per seed, a hole and a tie."""
    d = rng_of("whole").normal(0.3, 1, (1, 4, 3))
    d[0, 1, 2], d[0, 2, 0] = np.nan, 0.0
    sums = np.nansum(signed_ranks(d.reshape(1, 12)).reshape(4, 3), axis=1)
    flipped = [abs(np.dot(signs, sums)) for signs in itertools.product((-1, 1), repeat=4)]
    expected = np.mean(np.array(flipped) >= abs(sums.sum()) - 1e-12)
    result = compare_pairs(d, np.zeros_like(d))
    assert result["p"].iloc[0] == pytest.approx(expected)
    assert (result["pairs"].iloc[0], result["seeds"].iloc[0]) == (11, 4)


def family_wise_error(first: Any, second: Any, pairs: int, *, skip: set[int] | None = None) -> float:
    """Share of simulations with a significant pair. `[simulations * pairs, S, B]`, pairs fastest."""
    p = compare_pairs(first, second)["p"].to_numpy().reshape(SIMULATIONS, pairs)
    judged = [place for place in range(pairs) if place not in (skip or set())]
    gc.freeze()  # statsmodels collects garbage in every call, which would take minutes here
    try:
        return float(np.mean([(holm(row)[judged] < 0.05).any() for row in p]))
    finally:
        gc.unfreeze()


def simulated(phrase: str, arms: int = 4, blocks: int = 1) -> Any:
    """`[simulations, arms, seeds, blocks]` under the null: a seed's luck is shared by all arms."""
    rng = rng_of(phrase)
    shared = rng.normal(0, 2, (SIMULATIONS, 1, SEEDS, blocks))
    return shared + rng.standard_t(3, (SIMULATIONS, arms, SEEDS, blocks))


def both_sides(values: Any) -> tuple[Any, Any, int]:
    first, second = all_pairs([()] * values.shape[1])
    shape = (-1, *values.shape[2:])
    return values[:, first].reshape(shape), values[:, second].reshape(shape), len(first)


def test_family_wise_error_under_the_null_is_at_most_5_percent() -> None:
    error = family_wise_error(*both_sides(simulated("null")))
    assert 0.005 < error <= 0.055


def test_family_wise_error_with_diverged_runs() -> None:
    values = simulated("diverged")
    values[rng_of("who").uniform(size=values.shape) < 0.3] = -np.inf
    assert 0.005 < family_wise_error(*both_sides(values)) <= 0.055


def test_family_wise_error_where_one_arm_differs() -> None:
    """Of the pairs of the three equal arms alone, beside an arm that is far better."""
    values = simulated("partial")
    values[:, 0] += 20
    first, second, pairs = both_sides(values)
    assert 0.005 < family_wise_error(first, second, pairs, skip={0, 1, 2}) <= 0.055


def test_pooled_settings_are_not_counted_as_independent() -> None:
    """A network that is never clipped is the same run under each of three kinds of clipping: three equal blocks.

    Exchanging whole seeds keeps the error; a test over all pairs as if independent does not.
    """
    values = np.repeat(simulated("copies", arms=2), 3, axis=3)
    first, second, pairs = both_sides(values)
    assert family_wise_error(first, second, pairs) <= 0.055
    d = (first - second).reshape(SIMULATIONS, -1)
    naive = stats.wilcoxon(d, axis=1, method="asymptotic").pvalue
    assert np.mean(naive < 0.05) > 0.15


def test_a_true_difference_is_found() -> None:
    values = simulated("power")
    values[:, 0] += 6
    assert family_wise_error(*both_sides(values)) > 0.9


def test_holm_by_hand() -> None:
    # sorted 0.01 x 3, 0.02 x 2, 0.04 x 1, made monotone; a missing comparison is no part of the family
    assert holm(np.array([0.04, 0.01, np.nan, 0.02])) == pytest.approx([0.04, 0.03, np.nan, 0.04], nan_ok=True)
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_effects_by_hand() -> None:
    a = np.array([[[5.0], [4.0], [9.0], [1.0]]])
    b = np.array([[[4.0], [2.0], [4.0], [4.0]]])  # differences 1 2 5 -3, signed ranks 1 2 4 -3
    row = compare_pairs(a, b).iloc[0]
    assert row["effect"] == pytest.approx((7 - 3) / 10)
    assert (row["difference"], row["difference_low"], row["difference_high"]) == (1.5, -3.0, 5.0)


def test_diverged_runs_in_pairs() -> None:
    inf = np.inf
    assert differences(np.array([-inf, -inf, 1.0, np.nan]), np.array([-inf, 1.0, -inf, 1.0])) == pytest.approx(
        [0.0, -inf, inf, np.nan], nan_ok=True
    )
    a = np.array([[[-inf], [-inf], [0.5], [0.5]]])
    b = np.array([[[-inf], [0.2], [0.4], [0.1]]])  # tied, lost by the largest rank, won, won
    row = compare_pairs(a, b).iloc[0]
    assert row["effect"] == pytest.approx((1 + 2 - 3) / 6) and row["pairs"] == 4


def test_a_comparison_without_pairs_has_no_numbers() -> None:
    a = np.full((1, 3, 1), np.nan)
    row = compare_pairs(a, np.zeros_like(a)).iloc[0]
    assert row["pairs"] == 0 and row[["difference", "effect", "p", "smallest_p"]].isna().all()


def test_equal_runs_are_no_evidence() -> None:
    a = np.ones((1, 9, 2))
    row = compare_pairs(a, a).iloc[0]
    assert (row["p"], row["effect"], row["difference"]) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("n", [1, 2, 5, 10, 14, 20])
def test_the_smallest_p_is_that_of_a_perfect_result(n: int) -> None:
    best = sign_flip_p(np.arange(1.0, n + 1)[:, None])[0]
    assert best == pytest.approx(smallest_p(n))
    assert smallest_p(n) == pytest.approx(max(2.0 ** (1 - n), 2 / (FLIPS + 2)))


def test_the_warning_names_the_seeds_that_would_do() -> None:
    warning = too_small(np.full(6, smallest_p(5)))
    assert warning is not None and "0.0625" in warning and "0.375" in warning and "8 seeds" in warning
    assert too_small(np.full(6, smallest_p(8))) is None  # 6 x 2^-7 = 0.047
    assert too_small(np.full(6, smallest_p(7))) is not None
    assert too_small(np.array([np.nan])) == "There is not a single pair to compare."
    beyond = too_small(np.full(570, smallest_p(2)))
    assert beyond is not None and "compare fewer at once" in beyond
