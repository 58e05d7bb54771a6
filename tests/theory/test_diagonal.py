"""The linear recurrent unit at its start: rings as the engine draws them, run on white noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sweeps.engine.architectures.lru import log_decay
from sweeps.theory import diagonal


def moduli(r_min: float, r_max: float) -> np.ndarray:
    """|lambda| of 400,000 units of the engine's `lru`."""
    nu = log_decay(np.random.default_rng(0), (400_000,), r_min, r_max)
    return np.exp(-np.exp(nu))


@pytest.mark.parametrize(("low", "high", "value"), [(0.0, 0.9, 2.050), (0.9, 0.99, 13.265)])
def test_the_power_of_states_over_a_ring(low: float, high: float, value: float) -> None:
    squared = moduli(low, high) ** 2
    assert diagonal.state_power(low, high) == pytest.approx(np.mean(1 / (1 - squared)), rel=0.01)
    assert diagonal.state_power(low, high) == pytest.approx(value, abs=6e-4)


def test_the_normaliser_keeps_the_power_of_the_input() -> None:
    """Complex units run on white noise until they are stationary."""
    rng, modulus = np.random.default_rng(0), np.array([[0.0], [0.5], [0.95]])
    turn, s = modulus * np.exp(1j), np.zeros((3, 4000), dtype=complex)
    for _ in range(200):
        s = turn * s + diagonal.normaliser(modulus) * rng.normal(size=(3, 4000))
    assert (np.abs(s) ** 2).mean(1) == pytest.approx(1, abs=0.1)
    assert diagonal.normaliser(1 - 1e-12) == pytest.approx(math.sqrt(2e-12), rel=1e-3)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.4, 0.9)])
def test_the_gradient_of_a_ring(low: float, high: float) -> None:
    lags, r = np.array([0, 1, 10, 60]), moduli(low, high)
    true = [math.log10(np.mean(r ** (2 * k))) / 2 for k in lags]
    assert diagonal.log10_gradient(low, high, lags) == pytest.approx(true, abs=0.005)


def test_a_whole_disk_has_a_power_law() -> None:
    """E |lambda|^2k = 1 / (k + 1)."""
    assert diagonal.log10_gradient(0, 1, [0, 9, 999]) == pytest.approx([0, -0.5, -1.5])
    assert diagonal.state_power(0, 1) == math.inf


def test_what_is_no_ring_is_refused() -> None:
    with pytest.raises(ValueError, match=r"r_min, r_max: given 0\.9 and 0\.5, must be 0 <= r_min < r_max <= 1"):
        diagonal.state_power(0.9, 0.5)
    with pytest.raises(ValueError, match="modulus: given 1, must be at least 0 and below 1"):
        diagonal.normaliser(1.0)
