"""Critical points of mean-field theory: closed forms, and wide random networks whose gradients keep their size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers import make_cell
from sweeps.engine import mean_field
from sweeps.engine.init import INITS, Place
from sweeps.engine.initial_weights import drives_of
from sweeps.engine.setup import set_up


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


@pytest.mark.parametrize("matrix", ["orthogonal", "random"])
@pytest.mark.parametrize(("phi", "drive"), [("tanh", 0.05), ("tanh", 0.5), ("relu", 0.5)])
def test_a_gradient_keeps_its_size_at_the_critical_gain(phi: str, drive: float, matrix: str) -> None:
    """The chi of a simulated network: the mean factor of the squared norm of a vector that goes back one step."""
    n, steps = 400, 12
    factors = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        w = INITS["critical"](rng, n, 1.0, place=Place("", phi, drive), matrix=matrix)
        h, slopes = np.zeros(n), []
        for _ in range(steps + 8):
            a = h @ w + rng.normal(0, math.sqrt(drive), n)
            h = np.tanh(a) if phi == "tanh" else np.maximum(a, 0)
            slopes.append(1 - h**2 if phi == "tanh" else (a > 0).astype(float))
        v = rng.normal(size=n)
        start = np.linalg.norm(v)
        for slope in slopes[: -steps - 1 : -1]:
            v = (v * slope) @ w.T
        factors.append((np.linalg.norm(v) / start) ** (2 / steps))
    assert np.mean(factors) == pytest.approx(1, abs=0.06)


def test_the_drive_is_what_the_inputs_add_to_a_unit() -> None:
    """Measured on the pre-activations of the network itself, x_t U, over units, sequences and time steps."""
    shape = ("init=critical", "task=copy", "arch.hidden=128", "train.batch=16", "init.input_scale=0.5")
    training = set_up([make_cell(*shape, f"seed={seed}") for seed in range(12)])
    training.data.next()
    added = training.data.batch.x @ training.network.p["weight_ih"]
    [drive] = drives_of(training.network, make_cell(*shape), training.task)
    assert drive == pytest.approx(float((added**2).mean()), rel=0.08)
    weights = training.network.p["weight_hh"][0].double()
    assert float((weights @ weights.T).diagonal().mean()) == pytest.approx(
        mean_field.critical_gain("tanh", drive) ** 2, rel=1e-5
    )


def test_a_layer_above_reads_the_stationary_states_of_that_below() -> None:
    cell = make_cell("init=critical", "arch.hidden=16", "stack.layers=2")
    training = set_up([cell])
    low, high = drives_of(training.network, cell, training.task)
    states = mean_field.mean_square(mean_field.critical_variance(low))  # E h^2, of 16 units
    assert high == pytest.approx(16 * states * 2 / (16 + 16))
    for drive, name in ((low, "weight_hh"), (high, "weight_hh_l1")):
        norm = float((training.network.p[name][0] ** 2).sum()) / 16
        assert norm == pytest.approx(mean_field.critical_gain("tanh", drive) ** 2, rel=1e-5)
