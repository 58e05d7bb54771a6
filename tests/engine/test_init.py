"""Initialisations have the distributions of their papers; gate blocks are independent; cells of a seed are paired."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.engine import init
from sweeps.engine.setup import set_up


def draw(name: str, n: int = 200, gain: float = 1.0, **options: float) -> np.ndarray:
    return init.INITS[name](np.random.default_rng(0), n, gain, **options)


@pytest.mark.parametrize("gain", [0.5, 1.0, 1.5])
def test_variances(gain: float) -> None:
    n, tolerance = 200, 0.03  # 40,000 elements: the standard error of a variance is 0.7% (Gaussian)
    assert draw("random", n, gain).std() == pytest.approx(0.01 * gain, rel=tolerance)
    assert draw("random", n, gain, std=0.3).std() == pytest.approx(0.3 * gain, rel=tolerance)
    assert draw("random", n, gain, fan_in=True).std() == pytest.approx(gain / n**0.5, rel=tolerance)
    assert draw("xavier", n, gain).std() == pytest.approx(gain / n**0.5, rel=tolerance)
    assert abs(draw("xavier", n, gain)).max() <= gain * (3 / n) ** 0.5
    assert draw("he", n, gain).std() == pytest.approx(gain * (2 / n) ** 0.5, rel=tolerance)


@pytest.mark.parametrize("gain", [0.5, 1.0, 1.5])
def test_orthogonal_and_identity(gain: float) -> None:
    w = draw("orthogonal", 33, gain)
    np.testing.assert_allclose(w.T @ w, gain**2 * np.eye(33), atol=1e-12)
    assert np.array_equal(draw("identity", 33, gain), gain * np.eye(33))


def test_orthogonal_is_uniform_over_the_group() -> None:
    """Without the sign fix QR favours one sign on the diagonal; the mean of a Haar matrix is zero."""
    rng = np.random.default_rng(0)
    mean = np.mean([init.orthogonal(rng, 4, 1.0) for _ in range(4000)], axis=0)
    assert abs(mean).max() < 5 * 0.5 / 4000**0.5  # elements have variance 1/4


@pytest.mark.parametrize("arch", ["lstm", "gru"])
def test_each_gate_block_is_drawn_on_its_own(arch: str) -> None:
    training = set_up([make_cell(f"arch={arch}", "init=orthogonal")])
    blocks = training.network.p["weight_hh"][0].split(8, -1)
    for i, block in enumerate(blocks):
        torch.testing.assert_close(block.T @ block, torch.eye(8), atol=1e-5, rtol=0)
        assert not any(torch.equal(block, other) for other in blocks[:i])


def test_forget_bias_is_a_setting_per_lane() -> None:
    settings = [make_cell("arch=lstm", f"arch.forget_bias={b}") for b in (1.0, -2.5)]
    bias = set_up(settings).network.p["bias"]
    for lane, value in enumerate((1.0, -2.5)):
        want = torch.zeros(4, 8)
        want[1] = value  # blocks i, f, o, g
        assert torch.equal(bias[lane], want.flatten())


def test_cells_of_a_seed_share_input_and_readout_weights() -> None:
    inits = ("random", "xavier", "he", "orthogonal", "identity")
    p = set_up([make_cell(f"init={name}") for name in inits] + [make_cell("seed=1")]).network.p
    for name in ("weight_ih", "weight_out"):
        assert all(torch.equal(p[name][0], p[name][k]) for k in range(5))
        assert not torch.equal(p[name][0], p[name][5])
    assert not torch.equal(p["weight_hh"][0], p["weight_hh"][1])
