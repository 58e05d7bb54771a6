"""Initialisation at the critical point of mean-field theory: what drives a layer, and networks that keep gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers import make_cell
from sweeps.engine.init import INITS, Place
from sweeps.engine.initial_weights import drives_of
from sweeps.engine.setup import set_up
from sweeps.theory import mean_field


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
    states = mean_field.moments("tanh", mean_field.critical_variance(low)).square  # E h^2, of 16 units
    assert high == pytest.approx(16 * states * 2 / (16 + 16))
    for drive, name in ((low, "weight_hh"), (high, "weight_hh_l1")):
        norm = float((training.network.p[name][0] ** 2).sum()) / 16
        assert norm == pytest.approx(mean_field.critical_gain("tanh", drive) ** 2, rel=1e-5)
