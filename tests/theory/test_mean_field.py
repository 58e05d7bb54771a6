"""Mean-field theory against simulated networks of 300 units, another quadrature, and expansions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate

from sweeps.theory import mean_field
from theory.simulated import PHI, growth, matrices, slopes

MATRICES = ["gaussian", "orthogonal"]


@pytest.mark.parametrize(("drive", "gain"), [(0.0, 1.0), (0.01, 1.1934), (0.05, 1.3270), (0.1, 1.4093), (0.5, 1.6862)])
def test_the_critical_line_of_a_driven_tanh_network(drive: float, gain: float) -> None:
    """Computed once with other means, to four decimals."""
    assert mean_field.critical_gain("tanh", drive) == pytest.approx(gain, abs=6e-5)
    assert mean_field.critical_gain("relu", drive) == math.sqrt(2)


def test_a_weak_drive_leaves_a_power_law() -> None:
    """E tanh^2 = q - 2 q^2 + 17/3 q^3 and E tanh'^2 = 1 - 2 q + 7 q^2 for a small q, so that s = 4/3 q^3 at chi = 1."""
    q = mean_field.critical_variance(1e-8)
    assert q == pytest.approx((0.75 * 1e-8) ** (1 / 3), rel=0.01)
    assert mean_field.critical_gain("tanh", 1e-8) ** 2 == pytest.approx(1 + 2 * q, abs=4 * q**2)


@pytest.mark.parametrize("phi", list(PHI))
@pytest.mark.parametrize("variance", [0.01, 1.0, 9.0])
def test_the_averages_are_those_of_adaptive_quadrature(phi: str, variance: float) -> None:
    value, slope = PHI[phi]
    sd = math.sqrt(variance)

    def mean(function: Callable[[np.ndarray], np.ndarray], power: int) -> float:
        """E f(z)^power; in two halves, for the corner of relu."""
        halves = [
            integrate.quad(lambda z: float(function(np.array(sd * z))) ** power * math.exp(-z * z / 2), *ends)[0]
            for ends in ((-12, 0), (0, 12))
        ]
        return sum(halves) / math.sqrt(2 * math.pi)

    true = mean(value, 2), mean(slope, 2), mean(slope, 4)
    assert mean_field.moments(phi, variance) == pytest.approx(true, rel=1e-7)


@pytest.mark.parametrize(
    ("gain", "drive", "q", "chi"),
    [(0.7, 0.05, 0.0864, 0.4241), (1.0, 0.05, 0.1936, 0.7590), (1.0, 0.5, 0.8689, 0.4897), (1.5, 0.5, 1.5731, 0.8710)],
)
def test_values_computed_once_with_other_means(gain: float, drive: float, q: float, chi: float) -> None:
    assert mean_field.fixed_point("tanh", gain, drive) == pytest.approx(q, abs=6e-5)
    assert mean_field.gradient_factor("tanh", gain, drive) == pytest.approx(chi, abs=6e-5)


@pytest.mark.parametrize("phi", list(PHI))
def test_the_fixed_point_is_where_the_variance_goes(phi: str) -> None:
    """Also from far above and far below: it is the stable one."""
    for gain, drive in ((0.5, 0.0), (1.1, 0.0), (1.3, 0.0), (1.3, 0.2), (0.0, 0.3)):
        for q in (1e-3, 3.0):
            for _ in range(600):
                q = gain**2 * mean_field.moments(phi, q).square + drive
            assert mean_field.fixed_point(phi, gain, drive) == pytest.approx(q, rel=1e-6, abs=1e-15)
    assert mean_field.fixed_point("relu", 1.5, 0.1) == math.inf


@pytest.mark.parametrize("phi", list(PHI))
def test_chi_is_one_at_the_critical_gain(phi: str) -> None:
    for drive in (0.01, 1.0, 30.0):
        assert mean_field.gradient_factor(phi, mean_field.critical_gain(phi, drive), drive) == pytest.approx(1)
    assert mean_field.gradient_factor("tanh", mean_field.critical_gain("tanh", 0.0), 0.0) == 1


@pytest.mark.parametrize("kind", MATRICES)
def test_chi_is_that_of_simulated_networks(kind: str) -> None:
    """The mean over networks of the squared norm within 3% per step, as theory means it."""
    weights = matrices(kind, 6, 300)
    for phi, gain, drive in (("tanh", 1.0, 0.05), ("tanh", 1.5, 0.5), ("relu", 0.7, 0.5), ("sigmoid", 2.0, 0.5)):
        found = np.exp(20 * growth(phi, [gain * w for w in weights], drive)).mean() ** (1 / 20)
        assert found == pytest.approx(mean_field.gradient_factor(phi, gain, drive), rel=0.03), (phi, gain, drive)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.parametrize(
    ("phi", "gains", "light"),
    [("tanh", (0.5, 0.7, 1.0, 1.3, 1.5, 2.0), 2.0), ("relu", (0.7, 1.0, 1.3), 1.0), ("sigmoid", (1.0, 2.0, 4.0), 2.0)],
)
def test_chi_over_a_grid_of_gains_and_drives(phi: str, gains: tuple[float, ...], light: float, kind: str) -> None:
    """3% per step of the typical network (the mean of the logarithm, as records average it) everywhere; of the mean of
    the squared norm for tanh everywhere, for relu and sigmoid, whose states have a mean, up to the gain `light`."""
    weights = matrices(kind, 12, 300)
    for gain in gains:
        for drive in (0.05, 0.5, 2.0):
            each = growth(phi, [gain * w for w in weights], drive)
            chi = mean_field.gradient_factor(phi, gain, drive)
            assert math.exp(each.mean()) == pytest.approx(chi, rel=0.03), (gain, drive)
            if gain <= light:
                assert np.exp(20 * each).mean() ** (1 / 20) == pytest.approx(chi, rel=0.03), (gain, drive)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.parametrize(("phi", "drive"), [("tanh", 0.05), ("tanh", 0.1), ("tanh", 0.5), ("relu", 0.5)])
def test_the_gain_at_which_simulated_gradients_keep_their_size(phi: str, drive: float, kind: str) -> None:
    """The zero of a line through ln growth at six gains around it, of 8 networks each."""
    critical, weights = mean_field.critical_gain(phi, drive), matrices(kind, 8, 300)
    gains = critical + np.linspace(-0.15, 0.15, 6)
    rates = [growth(phi, [gain * w for w in weights], drive).mean() for gain in gains]
    slope, offset = np.polyfit(gains, rates, 1)
    assert -offset / slope == pytest.approx(critical, abs=0.03)


@pytest.mark.parametrize("kind", MATRICES)
def test_the_spread_of_singular_values_is_that_of_simulated_jacobians(kind: str) -> None:
    phi, gain, drive, n = "tanh", 1.2, 0.3, 200
    for lag in (1, 3):
        spreads = []
        for seed, w in enumerate(matrices(kind, 6, n)):
            product = np.eye(n)
            for slope in slopes(phi, gain * w, drive, lag, seed):
                product = product @ (gain * w * slope)
            squared = np.linalg.svd(product, compute_uv=False) ** 2
            spreads.append(squared.var() / squared.mean() ** 2)
        assert np.mean(spreads) == pytest.approx(mean_field.singular_spread(phi, gain, drive, lag, kind), rel=0.1)


def test_a_gradient_falls_by_e_over_two_time_scales() -> None:
    chi = 0.9
    lag = 2 * float(mean_field.time_scale(chi))
    assert mean_field.log10_gradient(chi, lag) == pytest.approx(-math.log10(math.e))
    assert mean_field.time_scale(1.0) == math.inf and mean_field.time_scale(0.0) == 0
    assert mean_field.time_scale(1 / chi) == pytest.approx(lag / 2)


def test_what_the_theory_is_not_of_is_refused() -> None:
    with pytest.raises(ValueError, match=r"phi: 'tahn' is not known; did you mean 'tanh'\? \(allowed: relu, sigmoid,"):
        mean_field.gradient_factor("tahn", 1.0, 0.1)
    with pytest.raises(ValueError, match="drive: given -1, must be at least 0"):
        mean_field.critical_gain("tanh", -1.0)
    with pytest.raises(ValueError, match="gain: given nan, must be at least 0"):
        mean_field.fixed_point("tanh", math.nan, 0.1)
    with pytest.raises(ValueError, match="matrix: 'gauss' is not known; did you mean 'gaussian'"):
        mean_field.singular_spread("tanh", 1.0, 0.1, 3, "gauss")
