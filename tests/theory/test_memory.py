"""Sensitivity of a linear unit: sums over its whole past, and units that are run."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sweeps.theory import memory


@pytest.mark.parametrize(("rho", "eigenvalue"), [(0.0, 0.9), (0.9, 0.9), (-0.5, 0.7), (0.6, -0.8), (0.99, 0.95)])
def test_the_variances_are_sums_over_the_past(rho: float, eigenvalue: float) -> None:
    """h = sum_k lambda^k x_{-k}, dh/dlambda = sum_k k lambda^(k-1) x_{-k}, with E x_{-j} x_{-k} = rho^|j-k|."""
    k = np.arange(700)
    correlation = float(rho) ** abs(k[:, None] - k)
    weights, slopes = eigenvalue**k, k * eigenvalue ** np.maximum(k - 1.0, 0)
    assert memory.state_variance(eigenvalue, rho) == pytest.approx(weights @ correlation @ weights, rel=1e-9)
    assert memory.sensitivity(eigenvalue, rho) == pytest.approx(slopes @ correlation @ slopes, rel=1e-9)


def test_units_that_are_run() -> None:
    """Within 3%, with inputs x_t = rho x_{t-1} + sqrt(1 - rho^2) noise."""
    rng, rho, eigenvalue = np.random.default_rng(0), 0.6, 0.9
    x = rng.normal(size=40_000)
    h, slope = np.zeros_like(x), np.zeros_like(x)
    for _ in range(150):
        x = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=len(x))
        h, slope = eigenvalue * h + x, eigenvalue * slope + h
    assert np.mean(h**2) == pytest.approx(memory.state_variance(eigenvalue, rho), rel=0.03)
    assert np.mean(slope**2) == pytest.approx(memory.sensitivity(eigenvalue, rho), rel=0.03)


def test_the_curse_is_of_the_third_power() -> None:
    away = np.array([0.1, 0.03, 0.01])
    slope = np.polyfit(np.log(away), np.log(memory.sensitivity(1 - away)), 1)[0]
    assert slope == pytest.approx(-3, abs=0.1)
    assert memory.sensitivity(1 - away[2]) * away[2] ** 3 == pytest.approx(0.251, abs=6e-4)


def test_the_loss_of_a_pupil_is_half_the_square_of_what_differs() -> None:
    pupil, teacher = 0.8 * np.exp(0.5j), 0.9 * np.exp(0.7j)
    k = np.arange(600)
    assert memory.teacher_loss(pupil, teacher) == pytest.approx(0.5 * (abs(pupil**k - teacher**k) ** 2).sum())
    assert memory.teacher_loss(teacher, teacher) == pytest.approx(0)


def test_a_memory_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="eigenvalue: given 1, must be above -1 and below 1"):
        memory.sensitivity(1.0)
    with pytest.raises(ValueError, match=r"modulus of teacher: given 1\.5, must be at least 0 and below 1"):
        memory.teacher_loss(0.5, 1.5)
