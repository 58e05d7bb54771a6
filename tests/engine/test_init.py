"""Initialisations have the distributions of their papers; gate blocks are independent; cells of a seed are paired."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.engine import init
from sweeps.engine.setup import set_up


def draw(name: str, n: int = 200, gain: float = 1.0, **options: Any) -> np.ndarray:
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


def test_a_diagonal_of_some_gate_blocks() -> None:
    w = draw("diagonal", 300, 2.0, place=init.Place(), low=0.5, high=0.9)
    assert np.count_nonzero(w - np.diag(np.diag(w))) == 0
    assert np.diag(w).mean() == pytest.approx(1.4, abs=0.04) and 1.0 <= np.diag(w).min() <= np.diag(w).max() <= 1.8
    assert np.diag(w).var() == pytest.approx(0.8**2 / 12, rel=0.15)
    cell = make_cell("arch=lstm", "init=diagonal", "init.blocks=g+f", "init.gain=0.5")
    for name, block in zip("ifog", set_up([cell]).network.p["weight_hh"][0].split(8, -1), strict=True):
        if name in "gf":
            assert torch.equal(block, block.diag().diag())
        else:
            torch.testing.assert_close(block.T @ block, 0.25 * torch.eye(8), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("n", "incoming"), [(60, 15), (9, 15), (20, 1), (1, 15)])
def test_sparse_has_a_number_of_incoming_connections_and_a_spectral_radius(n: int, incoming: int) -> None:
    w = draw("sparse", n, 0.95, incoming=incoming)
    assert (np.count_nonzero(w, 0) == min(n, incoming)).all()
    assert abs(np.linalg.eigvals(w)).max() == pytest.approx(0.95, rel=1e-9)
    if (n, incoming) == (60, 15):  # what goes out of a unit is binomial: places are uniform
        assert np.count_nonzero(w, 1).std() == pytest.approx((60 * 0.25 * 0.75) ** 0.5, rel=0.4)


@pytest.mark.parametrize(
    ("options", "lowest", "highest", "mean"),
    [
        ({}, 0.0, 1.0, 0.5),
        ({"angle_low": 0.0, "angle_high": 0.5}, 0.0, 0.5, 0.25),
        ({"angle_low": 0.25, "angle_high": 0.25}, 0.25, 0.25, 0.25),
        # of tan(a / 2), a uniform on [0, pi / 2]: the mean is 2 log 2 / pi, as an angle
        ({"angle_low": 0.0, "angle_high": 0.5, "distribution": "cayley"}, 0.0, 1 / np.pi, 2 * np.log(2) / np.pi**2),
    ],
)
def test_the_angles_of_rotations(options: dict[str, float], lowest: float, highest: float, mean: float) -> None:
    w = draw("rotations", 201, 1.5, **options)
    np.testing.assert_allclose(w.T @ w, 1.5**2 * np.eye(201), atol=1e-12)
    eigenvalues = np.linalg.eigvals(w)
    angles = np.sort(abs(np.angle(eigenvalues)) / np.pi)
    assert angles[0] == 0, "the unit without a partner keeps its state"
    assert angles[1:].min() >= lowest - 1e-9 and angles[1:].max() <= highest + 1e-9
    assert angles[1:].mean() == pytest.approx(mean, abs=4 * (highest - lowest) / (12 * 100) ** 0.5 + 1e-9)


@pytest.mark.parametrize(("arch", "keeps"), [("lstm", {"f": 1, "i": -1}), ("gru", {"z": 1})])
def test_chrono_gives_units_the_time_scales_of_the_task(arch: str, keeps: dict[str, int]) -> None:
    """exp of the bias that keeps the state is uniform on [1, t_max - 1]; the input gate has its negative."""
    blocks = {"lstm": "ifog", "gru": "rzn"}[arch]
    own = (f"arch={arch}", "init=chrono", "arch.hidden=300", "executor.kernel=reference", "train.batch=1")
    cells = [make_cell(*own, "init.t_max=51"), make_cell(*own, "task.length=21")]
    p = set_up(cells[:1]).network.p, set_up(cells[1:]).network.p
    for parameters, t_max in zip(p, (51, 21), strict=True):
        bias = dict(zip(blocks, parameters["bias"][0].double().split(300), strict=True))
        kept = bias["f" if arch == "lstm" else "z"]
        scales = kept.exp()
        assert float(scales.min()) >= 1 and float(scales.max()) <= t_max - 1 + 1e-4
        assert float(scales.mean()) == pytest.approx(t_max / 2, abs=4 * (t_max - 2) / (12 * 300) ** 0.5)
        assert float(scales.var()) == pytest.approx((t_max - 2) ** 2 / 12, rel=0.2)
        for block, values in bias.items():
            assert torch.equal(values, keeps.get(block, 0) * kept), block


def test_chrono_has_the_matrices_of_orthogonal() -> None:
    cells = [make_cell("arch=lstm", f"init={name}") for name in ("chrono", "orthogonal")]
    p = set_up(cells).network.p
    for name in ("weight_hh", "weight_ih", "weight_out"):
        assert torch.equal(p[name][0], p[name][1])
    assert not torch.equal(p["bias"][0], p["bias"][1])


def test_scales_of_inputs_readout_and_start_states() -> None:
    """Each is a factor on its own weights and on nothing else."""
    shape = ("stack.layers=2", "stack.embedding=3", "stack.start=random")
    plain = set_up([make_cell(*shape)])
    for setting, scaled in (
        ("init.input_scale", ("weight_ih", "weight_ih_l1")),
        ("init.readout_scale", ("weight_out",)),
        ("stack.start_scale", ()),
    ):
        other = set_up([make_cell(*shape, f"{setting}=0.25")])
        for name, values in plain.network.p.items():
            assert torch.equal(other.network.p[name], values * (0.25 if name in scaled else 1)), (setting, name)
        starts = [training.data.next().start for training in (set_up([make_cell(*shape)]), other)]
        assert starts[0] is not None and starts[1] is not None
        assert torch.equal(starts[1], starts[0] * (0.25 if setting == "stack.start_scale" else 1))


def test_the_update_bias_of_a_gru_is_that_of_z() -> None:
    settings = [make_cell("arch=gru", f"arch.update_bias={b}") for b in (0.0, 2.0)]
    bias = set_up(settings).network.p["bias"]
    assert torch.equal(bias[1] - bias[0], torch.tensor([0.0, 2.0, 0.0]).repeat_interleave(8))
