"""Carries against torch's LSTM, drawn gates and the biases that the engine itself draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sweeps.engine.init import time_scale_biases
from sweeps.theory import carry


@pytest.mark.parametrize(("bias", "value"), [(0.0, 6.2e-61), (1.0, 6.2e-28), (4.0, 0.0265), (10.0, 0.991)])
def test_the_carry_of_a_cell_state_in_torchs_lstm(bias: float, value: float) -> None:
    """dc_T/dc_0 of an LSTM without weights, by autograd in float64, T = 200: the law within 1%."""
    cell = torch.nn.LSTMCell(1, 2, dtype=torch.float64)
    for parameter in cell.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        cell.bias_ih[2:4] = bias
    start = torch.ones(1, 2, dtype=torch.float64, requires_grad=True)
    h, c = torch.zeros(1, 2, dtype=torch.float64), start
    for _ in range(200):
        h, c = cell(torch.zeros(1, 1, dtype=torch.float64), (h, c))
    [gradient] = torch.autograd.grad(c.sum(), start)
    law = float(carry.log10_carry(bias, 200))
    assert law == pytest.approx(math.log10(float(gradient[0, 0])), abs=math.log10(1.01))
    assert 10**law == pytest.approx(value, rel=0.01)
    assert carry.log10_carry_norm(bias, 200) == pytest.approx(law)
    assert 10 ** float(carry.log10_carry(bias, carry.time_scale(bias))) == pytest.approx(1 / math.e)


def test_carries_of_gates_that_inputs_move() -> None:
    z = np.random.default_rng(0).normal(1.5, 1.2, (30, 20_000))
    logs = -np.log10(1 + np.exp(-z)).sum(0)
    assert carry.log10_carry(1.5, 30, variance=1.44) == pytest.approx(logs.mean(), rel=0.01)
    norm = math.log10(np.mean(10 ** (2 * logs))) / 2
    assert carry.log10_carry_norm(1.5, 30, variance=1.44) == pytest.approx(norm, abs=0.02)


@pytest.mark.parametrize(("t_max", "lag", "value"), [(200, 200, 0.1491), (750, 750, 0.1486), (300, 200, 0.2486)])
def test_the_carry_of_chrono_as_the_engine_draws_it(t_max: int, lag: int, value: float) -> None:
    """Within 1% of the mean over 200,000 units."""
    biases = time_scale_biases(np.random.default_rng(0), 200_000, t_max)
    assert carry.chrono_carry(t_max, lag) == pytest.approx(np.mean((1 + np.exp(-biases)) ** -lag), rel=0.01)
    assert carry.chrono_carry(t_max, lag) == pytest.approx(value, abs=6e-5)
    assert carry.chrono_carry(1e6 * t_max / lag, 1e6) == pytest.approx(carry.chrono_limit(t_max / lag), rel=1e-4)


def test_the_limits_of_chrono() -> None:
    assert carry.chrono_limit([1.0, 1.5]) == pytest.approx([0.1485, 0.2478], abs=6e-5)
    assert carry.chrono_carry(50, [0, 1]) == pytest.approx([1, 1 - math.log(50 / 2) / 48], rel=1e-9)


def test_what_is_no_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="t_max: given 2, must be above 2"):
        carry.chrono_carry(2, 10)
    with pytest.raises(ValueError, match="lag: given -1, must be at least 0"):
        carry.log10_carry(0.0, -1)
    with pytest.raises(ValueError, match="variance: given -1, must be at least 0"):
        carry.log10_carry(0.0, 1, variance=-1)
