"""The LSTM of small states against torch's, whose gradient is taken by autograd."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sweeps.theory import lstm
from theory.simulated import matrix

H = 200


@pytest.mark.parametrize("kind", ["gaussian", "orthogonal"])
def test_the_gradient_of_torchs_lstm(kind: str) -> None:
    """At states of 0: the mean over 4 networks, 0.03 in log10 of the norm where it falls from 0.2 to 0.02."""
    gain, bias, steps = 0.8, 0.7, 12
    found = []
    for seed in range(4):
        rng, cell = np.random.default_rng(seed), torch.nn.LSTMCell(1, H, dtype=torch.float64)
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.zero_()
            blocks = [gain * matrix(rng, H, kind) for _ in range(4)]
            cell.weight_hh.copy_(torch.from_numpy(np.concatenate(blocks)))
            cell.bias_ih[H : 2 * H] = bias
        starts = [torch.zeros(8, H, dtype=torch.float64, requires_grad=True) for _ in range(steps)]
        h, c = torch.zeros(8, H, dtype=torch.float64), torch.zeros(8, H, dtype=torch.float64)
        for start in starts:
            h, c = cell(torch.zeros(8, 1, dtype=torch.float64), (h + start, c))
        v = torch.from_numpy(rng.normal(size=(8, H)))
        gradients = torch.autograd.grad((h * v).sum(), starts)[::-1]
        found.append([float((each**2).sum() / (v**2).sum()) for each in gradients])
    theory = lstm.log10_gradient(bias, steps, gain)[1:]
    assert np.log10(np.mean(found, axis=0)) / 2 == pytest.approx(theory, abs=0.03)


def test_the_slope_at_long_lags() -> None:
    curve = lstm.log10_gradient(0.3, 3000, 1.2)
    assert curve[0] == 0 and curve[1] == pytest.approx(math.log10(0.3))
    assert 10 ** (2 * (curve[-1] - curve[-2])) == pytest.approx(lstm.gradient_factor(0.3, 1.2), rel=1e-3)


def test_a_forget_bias_of_one_is_nearly_critical() -> None:
    assert lstm.critical_forget_bias() == pytest.approx(math.log(3))
    assert lstm.gradient_factor(lstm.critical_forget_bias([0.5, 2.0]), [0.5, 2.0]) == pytest.approx(1)
    assert list(lstm.log10_gradient(1.0, 2, 0.0)) == [0, -math.inf, -math.inf]


def test_gains_of_no_critical_bias_are_refused() -> None:
    with pytest.raises(ValueError, match="gain: given 4, must be above 0 and below 4"):
        lstm.critical_forget_bias(4.0)
