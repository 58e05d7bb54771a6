"""Theory of gated networks against simulated ones of 400 units, and against limits that can be seen by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sweeps.theory import gru, minimal_rnn
from theory.simulated import Array, matrix

H = 400


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def minimal_growth(gain: float, input_gain: float, power: float, bias: float, kind: str, seed: int) -> float:
    """ln of the factor of the squared norm per step, over 20 steps of h = u h + (1 - u) x."""
    rng, h = np.random.default_rng(seed), np.zeros(H)
    w, kept = gain * matrix(rng, H, kind), []
    for _ in range(100):
        x, through = math.sqrt(power) * rng.normal(size=(2, H))
        u = sigmoid(h @ w + input_gain * through + bias)
        kept.append((u, u * (1 - u) * (h - x)))
        h = u * h + (1 - u) * x
    v = rng.normal(size=(16, H))
    start = (v**2).sum()
    for u, gate in kept[:-21:-1]:
        v = v * u + (v * gate) @ w.T
    return math.log((v**2).sum() / start) / 20


@pytest.mark.parametrize(
    ("numbers", "chi", "within"),
    [((1, 1, 0.5, 0), 0.3169, 0.05), ((0.5, 1, 1, 1), 0.5294, 0.03), ((1, 1, 0.5, 3), 0.8900, 0.005)],
)
def test_the_minimal_rnn(numbers: tuple[float, float, float, float], chi: float, within: float) -> None:
    found = minimal_rnn.minimal_rnn(*numbers)
    assert found.chi == pytest.approx(chi, abs=6e-5)
    simulated = np.mean([minimal_growth(*numbers, kind="gaussian", seed=seed) for seed in range(4)])
    assert math.exp(simulated) == pytest.approx(found.chi, rel=within)


def gru_norms(gain: float, drive: float, update: float, reset: float, kind: str, seed: int, steps: int) -> Array:
    """Squared norms of vectors that go back 1 to `steps` steps through a GRU, over that of the start, [steps]."""
    rng, h = np.random.default_rng(seed), np.zeros(H)
    w_z, w_r, w_n = (gain * matrix(rng, H, kind) for _ in range(3))
    kept = []
    for _ in range(steps + 100):
        x_z, x_r, x_n = math.sqrt(drive) * rng.normal(size=(3, H))
        z, r, s = sigmoid(h @ w_z + x_z + update), sigmoid(h @ w_r + x_r + reset), h @ w_n
        n = np.tanh(x_n + r * s)
        slope = (1 - z) * (1 - n**2)
        kept.append((z, z * (1 - z) * (h - n), slope * r, slope * s * r * (1 - r)))
        h = z * h + (1 - z) * n
    v = rng.normal(size=(16, H))
    squares = [(v**2).sum()]
    for z, to_z, to_n, to_r in kept[: -steps - 1 : -1]:
        v = v * z + (v * to_z) @ w_z.T + (v * to_n) @ w_n.T + (v * to_r) @ w_r.T
        squares.append((v**2).sum())
    return np.array(squares[1:]) / squares[0]


CASES = [(1.0, 0.1, 0.0, 0.0), (1.0, 1.0, 2.0, 0.0), (2.0, 0.5, 0.0, 0.0), (1.0, 0.5, -1.0, 1.0), (0.5, 1.0, 1.0, 0.0)]


def test_the_gradient_of_a_gru_at_every_lag() -> None:
    compare(CASES[:2], "gaussian", nets=3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gaussian", "orthogonal"])
def test_the_gradient_of_a_gru_over_gains_drives_and_biases(kind: str) -> None:
    compare([*CASES, (1.0, 2.0, 0.0, 0.0), (2.0, 2.0, 0.0, 0.0)], kind, nets=8)


def compare(cases: list[tuple[float, float, float, float]], kind: str, nets: int) -> None:
    """Per step within 4%, at all lags up to 20; that of the last step alone, raised to lag 20, is far from it."""
    for gain, drive, update, reset in cases:
        found = np.mean([gru_norms(gain, drive, update, reset, kind, seed, 20) for seed in range(nets)], axis=0)
        theory = 2 * gru.log10_gradient(gain, drive, 20, update, reset)[1:]
        assert (abs(np.log10(found) - theory) / np.arange(1, 21)).max() < math.log10(1.04), (gain, drive, update)


def test_the_factors_of_a_gru_are_averages_over_units() -> None:
    """Of 400,000 units with Gaussian pre-activations, derivatives of h_t by autograd of the definition."""
    for gain, drive, update, reset in CASES[2:4]:
        q, units = gru.state_variance(gain, drive, update, reset), torch.Generator().manual_seed(0)
        drawn = [torch.randn(400_000, generator=units, dtype=torch.float64) for _ in range(5)]
        scale = math.sqrt(gain**2 * q + drive)
        h, a_z, a_r, s = math.sqrt(q) * drawn[0], update + scale * drawn[1], reset + scale * drawn[2], drawn[3]
        ways = [each.requires_grad_() for each in (h, a_z, a_r, gain * math.sqrt(q) * s)]
        h, a_z, a_r, s = ways
        n = torch.tanh(math.sqrt(drive) * drawn[4] + a_r.sigmoid() * s)
        after = a_z.sigmoid() * h + (1 - a_z.sigmoid()) * n
        z, *through = torch.autograd.grad(after.sum(), ways)
        b = through[2]
        meeting = (z**2).mean() + gain**2 * sum((each**2).mean() for each in through)
        apart = z.mean() ** 2 + gain**2 * b.mean() ** 2
        true = [float(each.detach()) for each in (meeting, apart, gain * (z * b).mean(), gain * z.mean() * b.mean())]
        assert gru.factors(gain, drive, update, reset) == pytest.approx(true, rel=0.005)
        assert float((after.detach() ** 2).mean()) == pytest.approx(q, rel=0.01)


def test_a_gru_with_neither_states_nor_inputs_by_hand() -> None:
    """z = r = 1/2, n' = 1: the Jacobian is I / 2 + gain W / 4, whose powers go with (1/2 + gain/4)^2 in the end."""
    gain = 0.6
    squares = [
        sum(math.comb(k, j) ** 2 * 0.25 ** (k - j) * (gain / 4) ** (2 * j) for j in range(k + 1)) for k in range(9)
    ]
    assert gru.log10_gradient(gain, 0.0, 8) == pytest.approx(np.log10(squares) / 2)
    assert gru.gradient_factor(gain, 0.0) == pytest.approx((0.5 + gain / 4) ** 2)


def test_the_factor_of_long_lags_is_the_slope_of_the_curve() -> None:
    for case in CASES:
        curve = gru.log10_gradient(case[0], case[1], 1200, *case[2:])
        assert 10 ** (2 * (curve[-1] - curve[-2])) == pytest.approx(gru.gradient_factor(*case), rel=1e-3)
    assert gru.gradient_factor(0.0, 0.5) == pytest.approx(gru.factors(0.0, 0.5).meeting)


def test_numbers_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="drive: given -1, must be at least 0"):
        gru.factors(1.0, -1.0)
    with pytest.raises(ValueError, match="power: given -2, must be at least 0"):
        minimal_rnn.minimal_rnn(1.0, 1.0, -2.0)
