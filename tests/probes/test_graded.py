"""Singular values of long products, by `graded`, against as many digits as it takes."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from sweeps.probes.graded import Graded

SIZE, STEPS = 6, 300
Draw = Callable[[np.random.Generator], np.ndarray]
FACTORS: dict[str, Draw] = {
    "vanishing": lambda rng: rng.normal(size=(SIZE, SIZE)) * 0.05,
    "exploding": lambda rng: rng.normal(size=(SIZE, SIZE)) * 3.0,
    "nearly singular": lambda rng: rng.normal(size=(SIZE, SIZE)) / np.cosh(rng.normal(size=SIZE) * 2) ** 2,
    "rotations of different lengths": lambda rng: (
        np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0] * 10.0 ** -np.arange(6)
    ),
}


@pytest.mark.parametrize("kind", FACTORS)
def test_singular_values_of_a_product_of_300_matrices(kind: str) -> None:
    rng, product = np.random.default_rng(11), Graded.identity(1, SIZE, SIZE)
    with mpmath.workdps(4000):
        exact = mpmath.eye(SIZE)
        for _ in range(STEPS):
            factor = FACTORS[kind](rng)
            product, exact = product.times(factor[None]), mpmath.matrix(factor.tolist()) * exact
        wanted = sorted(mpmath.svd_r(exact, compute_uv=False), reverse=True)
        found = product.log2_singular_values()[0]
        errors = [abs(mpmath.mpf(2) ** mpmath.mpf(each) / own - 1) for each, own in zip(found, wanted, strict=True)]
        spread = mpmath.log10(wanted[0] / wanted[-1])
    assert max(errors) < 1e-8
    assert spread > 100, "far more than the digits of float64"


def test_rows_and_rectangular_products() -> None:
    """E' A_2 A_1 E of [9, 9] matrices, E the first 4 columns of the identity."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 3, 9, 9))
    product = Graded.identity(3, 9, 4).times(a).times(b).rows(4)
    wanted = np.linalg.svd((b @ a)[:, :4, :4], compute_uv=False)
    np.testing.assert_allclose(np.exp2(product.log2_singular_values()), wanted, rtol=1e-12)


def test_a_matrix_of_lower_rank_has_singular_values_of_0() -> None:
    rng = np.random.default_rng(3)
    dead = rng.normal(size=(1, 5, 5))
    dead[:, :, 1] = 0.0  # a unit whose slope is 0
    product = Graded.identity(1, 5, 5).times(rng.normal(size=(1, 5, 5))).times(dead).times(rng.normal(size=(1, 5, 5)))
    found = product.log2_singular_values()[0]
    assert np.isfinite(found[:4]).all() and found[4] == -np.inf
    nothing = product.times(np.zeros((1, 5, 5)))
    assert (nothing.log2_singular_values() == -np.inf).all()
    assert (nothing.times(np.ones((1, 5, 5))).log2_singular_values() == -np.inf).all()


def test_each_product_of_a_batch_is_what_it_is_alone() -> None:
    rng = np.random.default_rng(4)
    factors = rng.normal(size=(20, 3, 7, 7)) * np.array([0.1, 1.0, 10.0])[:, None, None]
    together = Graded.identity(3, 7, 7)
    for factor in factors:
        together = together.times(factor)
    for k in range(3):
        alone = Graded.identity(1, 7, 7)
        for factor in factors[:, k : k + 1]:
            alone = alone.times(factor)
        np.testing.assert_allclose(alone.log2_singular_values()[0], together.log2_singular_values()[k], atol=1e-9)
