"""What the engine records of its own networks before training, beside theory: nothing is fitted."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import make_cell
from sweeps.engine.initial_weights import drives_of
from sweeps.engine.setup import set_up
from sweeps.engine.train import train
from sweeps.theory import carry, diagonal, gru, identity_relu, lstm, mean_field

LAGS = np.arange(31)


def recorded(*settings: str, seeds: int = 3) -> tuple[np.ndarray, float]:
    """log10 ||dL/dh_{T-1-k}|| / ||dL/dh_{T-1}|| for k = 0 to 30 at update 0, the mean over seeds; and the drive."""
    shape = ("arch.hidden=256", "task=parity", "task.length=60", "train.steps=1", "train.batch=16", *settings)
    cells = [make_cell(*shape, f"seed={seed}") for seed in range(seeds)]
    first = next(iter(train(cells, lambda pack, lane: None)))
    norms = np.mean([each.log10_norm for each in first], axis=0).reshape(-1)[::-1]
    training = set_up(cells[:1])
    [drive] = drives_of(training.network, cells[0], training.task)
    return norms[:31] - norms[0], drive


def apart_per_step(found: np.ndarray, theory: np.ndarray) -> float:
    """The factor per step by which two curves part at most, over lags from 5 on."""
    return float(10 ** (np.abs(found - theory)[5:] / LAGS[5:]).max())


@pytest.mark.parametrize("arch", ["rnn_tanh", "rnn_relu", "rnn_sigmoid"])
def test_plain_networks(arch: str) -> None:
    found, drive = recorded(f"arch={arch}", "init=orthogonal")
    chi = mean_field.gradient_factor(arch.removeprefix("rnn_"), 1.0, drive)
    assert apart_per_step(found, mean_field.log10_gradient(chi, LAGS)) < 1.02


def test_a_critical_network_keeps_its_gradient() -> None:
    found, _ = recorded("arch=rnn_tanh", "init=critical")
    assert apart_per_step(found, np.zeros(31)) < 1.01


def test_a_gru() -> None:
    found, drive = recorded("arch=gru", "init=orthogonal")
    assert apart_per_step(found, gru.log10_gradient(1.0, drive, 30)) < 1.02


@pytest.mark.parametrize("bias", [0, 1])
def test_an_lstm(bias: int) -> None:
    found, _ = recorded("arch=lstm", "init=orthogonal", f"arch.forget_bias={bias}")
    assert apart_per_step(found, lstm.log10_gradient(bias, 30)) < 1.01


def test_a_relu_network_that_starts_at_the_identity() -> None:
    found, _ = recorded("arch=rnn_relu", "init=identity")
    assert found == pytest.approx(np.log10(identity_relu.gradient_square(60)[:31]) / 2, abs=0.03)


def test_a_linear_recurrent_unit() -> None:
    found, _ = recorded("arch=lru", "arch.r_min=0.5", "arch.r_max=0.95")
    assert found == pytest.approx(diagonal.log10_gradient(0.5, 0.95, LAGS), abs=0.05)


def test_a_mingru() -> None:
    found, drive = recorded("arch=mingru")
    assert apart_per_step(found, carry.log10_carry_norm(0.0, LAGS, variance=drive)) < 1.01
