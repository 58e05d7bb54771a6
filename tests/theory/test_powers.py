"""Powers of matrices in many digits, Pascanu's bound on gradients of whole networks, products of random matrices."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from sweeps.theory import powers
from theory.simulated import PHI, growth, matrix


def test_norms_of_powers_far_outside_the_range_of_a_float() -> None:
    w = np.random.default_rng(0).normal(0, 0.02, (5, 5))
    found = powers.log10_power_norms(w, 300)
    with mpmath.workdps(600):
        exact = mpmath.matrix(w.tolist()) ** 300
        largest = max(mpmath.svd_r(exact, compute_uv=False))
        assert found[300] == pytest.approx(float(mpmath.log10(largest)), rel=1e-10)
    assert found[300] < -330 and found[0] == 0
    assert (found >= powers.log10_radius_envelope(w, np.arange(301)) - 1e-9).all()
    assert (found <= powers.log10_singular_envelope(w, np.arange(301)) + 1e-9).all()


def test_a_matrix_that_is_not_normal_grows_before_it_falls() -> None:
    """[[a, b], [0, a]]^k = a^k [[1, k b / a], [0, 1]]; its singular values s and 1/s times a^k, s - 1/s = k b / a."""
    a, b, k = 0.9, 2.0, np.arange(60)
    found = powers.log10_power_norms([[a, b], [0, a]], 59)
    assert found == pytest.approx(k * math.log10(a) + np.arcsinh(k * b / a / 2) / math.log(10))
    assert found.max() > 0.5 and powers.log10_radius_envelope([[a, b], [0, a]], 9) == pytest.approx(9 * math.log10(a))
    nilpotent = powers.log10_power_norms([[0, 3], [0, 0]], 3)
    assert list(nilpotent) == [0, math.log10(3), -math.inf, -math.inf]
    assert list(powers.log10_radius_envelope(np.zeros((2, 2)), [0, 1])) == [0, -math.inf]


def test_of_an_orthogonal_matrix_all_three_are_one() -> None:
    w = 1.1 * matrix(np.random.default_rng(0), 20, "orthogonal")
    lags = np.arange(50)
    for found in (
        powers.log10_power_norms(w, 49),
        powers.log10_radius_envelope(w, lags),
        powers.log10_singular_envelope(w, lags),
    ):
        assert found == pytest.approx(lags * math.log10(1.1))


@pytest.mark.parametrize("phi", list(PHI))
def test_no_gradient_is_above_pascanus_bound(phi: str) -> None:
    """Of random matrices, and of one that is not normal whose eigenvalues would promise less than the gradient is."""
    for seed in range(5):
        w = 1.5 * matrix(np.random.default_rng(seed), 30, "gaussian")
        rate = growth(phi, [w], drive=0.1)[0] * 20 / 2 / math.log(10)
        assert rate <= powers.log10_pascanu_bound(w, phi, 20)
    shear = np.array([[0.5, 40.0], [0.0, 0.5]])
    slopes = PHI[phi][1](np.full(2, 0.1))
    after = math.log10(np.linalg.norm((np.array([1.0, 0.0]) * slopes) @ shear))
    gamma = 0.25 if phi == "sigmoid" else 1
    assert math.log10(gamma * 0.5) < after <= powers.log10_pascanu_bound(shear, phi, 1)
    assert powers.log10_pascanu_bound(2 * np.eye(3), phi, 1) == pytest.approx(math.log10(2 * gamma))


def test_the_exponents_of_products_of_gaussian_matrices() -> None:
    """Newman's spectrum, against QR of a long product."""
    n, gain, steps = 16, 1.1, 3000
    rng, q, logs = np.random.default_rng(0), np.eye(n), np.zeros(n)
    for _ in range(steps):
        q, r = np.linalg.qr(gain / math.sqrt(n) * rng.normal(size=(n, n)) @ q)
        logs += np.log(np.abs(np.diag(r)))
    assert logs / steps == pytest.approx(powers.gaussian_exponents(n, gain), abs=0.05)
    assert logs[:8] / steps == pytest.approx(powers.gaussian_exponents(n, gain)[:8], abs=0.015)
    assert powers.gaussian_exponents(16)[0] == pytest.approx(-0.0319, abs=6e-5)
    assert powers.gaussian_exponents(64, 1.1)[0] == pytest.approx(0.0875, abs=6e-5)


def test_what_is_no_recurrent_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"w: given an array of shape \(2, 3\), must be a square matrix \[H, H\]"):
        powers.log10_power_norms(np.ones((2, 3)), 3)
    with pytest.raises(ValueError, match="w: an element is not finite"):
        powers.log10_singular_envelope([[math.nan]], 3)
