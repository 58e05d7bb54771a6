"""One unit that keeps a bit: its curve is run, with noise just below and above what it bears."""

from __future__ import annotations

import numpy as np
import pytest

from sweeps.theory import latching

W = np.array([1.05, 1.25, 2.0, 5.0])


def run(w: float, noise: float, steps: int = 5000) -> float:
    x = 1.0
    for _ in range(steps):
        x = np.tanh(w * x + noise)
    return float(x)


def test_values_computed_once_with_other_means() -> None:
    factor = latching.gradient_factor(W)
    assert factor == pytest.approx([0.9057, 0.6191, 0.1664, 0.0009], abs=6e-5)
    assert latching.stable_point(1.25) == pytest.approx(0.7104, abs=6e-5)
    assert latching.safe_noise(W) == pytest.approx([0.0073, 0.0778, 0.533, 3.03], rel=0.01)
    assert np.round(latching.steps_until(factor, 1e-7)).tolist() == [163, 34, 9, 2]


@pytest.mark.parametrize("w", [1.25, 2.0])
def test_a_unit_that_is_run(w: float) -> None:
    """It stays where theory says, its derivative falls by the factor of theory, and noise flips it from there on."""
    assert run(w, 0.0) == pytest.approx(float(latching.stable_point(w)), rel=1e-9)
    start, step = run(w, 0.0), 1e-4
    apart = [start + step, start - step]
    for _ in range(3):
        apart = [np.tanh(w * x) for x in apart]
    assert (apart[0] - apart[1]) / (2 * step) == pytest.approx(float(latching.gradient_factor(w)) ** 3, rel=1e-3)
    safe = float(latching.safe_noise(w))
    assert run(w, -0.99 * safe) > 0 > run(w, -1.01 * safe)


def test_the_surer_the_bit_the_faster_the_gradient_goes() -> None:
    w = np.linspace(1.001, 8, 50)
    assert (np.diff(latching.safe_noise(w)) > 0).all()
    assert (np.diff(latching.gradient_factor(w)) < 0).all()


def test_a_unit_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="w: given 1, must be above 1"):
        latching.stable_point([2.0, 1.0])
    with pytest.raises(ValueError, match="fraction: given 2, must be above 0 and below 1"):
        latching.steps_until(0.5, 2)
