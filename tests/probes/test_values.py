"""What probes record, against computations of their own from the weights and the batch alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest
import torch

import sweeps
from helpers import make_cell
from sweeps.engine.setup import Training, set_up
from sweeps.engine.update import Update
from sweeps.probes.base import NAMES, probe
from sweeps.probes.snapshot import snapshot

H, T = 6, 300


def measured(*overrides: str) -> tuple[Training, Update, Any]:
    """A pack of one cell after the gradients of its first batch, and what probes see of it."""
    training = set_up([make_cell(*overrides)])
    update = Update(training)
    with torch.no_grad():
        update.backward(traced=True)
        return training, update, snapshot(training, 0)


def frame(name: str, seen: Any) -> pd.DataFrame:
    rows = probe(name).rows
    assert rows is not None
    return pd.DataFrame(rows(seen), columns=probe(name).columns)


@pytest.mark.parametrize("gain", [0.3, 1.0, 2.5])
def test_singular_values_of_a_tanh_network_over_300_steps(gain: float) -> None:
    """J_t = W diag(1 - h_t^2) for row vectors, h by mpmath from the float32 weights and inputs."""
    training, _, seen = measured(
        "arch=rnn_tanh", f"arch.hidden={H}", f"task.length={T}", "init=random", f"init.gain={gain / np.sqrt(H):.17g}",
        "init.std=1", "train.batch=2", "seed=5",
    )  # fmt: skip
    found = frame("jacobian", seen)
    p = {name: training.network.p[name][0].tolist() for name in ("weight_hh", "weight_ih", "bias")}
    x = training.data.batch.x[0].view(T, 2, -1)[:, 1].tolist()
    with mpmath.workdps(3000):
        w, u, b = (mpmath.matrix(p[name]) for name in ("weight_hh", "weight_ih", "bias"))
        h, steps = mpmath.zeros(1, H), []
        for x_t in x:
            a = h * w + mpmath.matrix([x_t]) * u + b.T
            h = a.apply(mpmath.tanh)
            steps.append(w * mpmath.diag([1 - value**2 for value in h]))
        product = mpmath.eye(H)
        wanted = {}
        for t in range(T - 1, 0, -1):
            product = steps[t] * product
            wanted[T - t] = product.copy()
        own = found[(found["sequence"] == 1)]
        assert set(own["lag"]) == {1, 2, 4, 8, 16, 32, 64, 128, 256, 299}
        for lag in (1, 16, 299):
            exact = sorted(mpmath.svd_r(wanted[lag], compute_uv=False), reverse=True)
            values = own.loc[own["lag"] == lag, "log10_sigma"].tolist()
            errors = [abs(mpmath.mpf(10) ** mpmath.mpf(each) / e - 1) for each, e in zip(values, exact, strict=True)]
            assert max(errors) < 1e-8


@pytest.mark.parametrize("arch", ["rnn_tanh", "rnn_relu", "lstm", "gru", "mgu", "cornn", "lru", "slstm"])
def test_the_gradient_of_the_record_stays_below_the_largest_singular_value(arch: str) -> None:
    """||dL/dh_t|| <= sigma_1 ||dL/dh_T|| in each sequence, and so over a batch of one; the loss is of h_T alone."""
    _, update, seen = measured(f"arch={arch}", "task=adding", "task.length=40", "arch.hidden=8", "train.batch=1")
    found, (norms, _) = frame("jacobian", seen), update.log10_norm()
    largest = found[found["i"] == 0].set_index("t")["log10_sigma"]
    squares = (10.0 ** (2 * found["log10_sigma"])).groupby(found["t"]).sum()
    ratio = norms[0, 0, largest.index.to_numpy()] - norms[0, 0, -1]
    assert (ratio <= largest.to_numpy() + 1e-4).all()
    assert (ratio <= 0.5 * np.log10(squares[largest.index].to_numpy()) + 1e-4).all()
    assert norms[0, 0, 0] > -np.inf


def test_the_lyapunov_exponent_is_the_slope_of_the_gradient(tmp_path: Path) -> None:
    """Over 400 steps, where |lambda| > 0.1: both are the rate at which the same products grow (Vogt et al. 2022)."""
    for gain in (0.5, 0.8):
        _, update, seen = measured(
            "arch=rnn_tanh", "init=random", "init.std=1", f"init.gain={gain / np.sqrt(32):.17g}", "arch.hidden=32",
            "task.length=400", "train.batch=4", "seed=3",
        )  # fmt: skip
        found = frame("lyapunov", seen)
        (norms, _) = update.log10_norm()
        slope = float(np.polyfit(np.arange(100, 360), norms[0, 0, 100:360] * np.log(10), 1)[0])
        exponent = float(found["exponent"][0])
        assert exponent < -0.1 and found["exponent"].is_monotonic_decreasing
        assert slope == pytest.approx(-exponent, rel=0.05)


def test_gates_carry_what_a_forget_bias_says() -> None:
    """With weights of 0 every forget gate is sigmoid(b): a step keeps that, n steps its n-th power."""
    training, _, _ = measured("arch=lstm", "arch.forget_bias=2", "task.length=9", "arch.hidden=3")
    for name in ("weight_hh", "weight_ih"):
        training.network.p[name].zero_()
    f = 1 / (1 + np.exp(-2.0))
    found = frame("gates", snapshot(training, 0))
    own = found[found["gate"] == "f"].set_index("t")
    np.testing.assert_allclose(own["mean"], f, rtol=1e-12)
    np.testing.assert_allclose(own["log10_carry"], [(8 - t) * np.log10(f) for t in range(9)], atol=1e-12)
    assert (own["tenth_8"] == 1).all() and found.loc[found["gate"] == "i", "log10_carry"].isna().all()
    assert set(found["gate"]) == {"i", "f", "o"}


def test_saturation_counts_slopes() -> None:
    """tanh(2x) of planted biases: 3 units of 5 beyond |a| = 2.9945, where the slope is a hundredth."""
    training, _, _ = measured("arch=rnn_tanh", "task.length=7", "arch.hidden=5")
    for name in ("weight_hh", "weight_ih"):
        training.network.p[name].zero_()
    a = np.array([0.0, 1.0, 3.0, -3.0, 40.0])
    training.network.p["bias"][0] = torch.from_numpy(a)
    [row] = frame("saturation", snapshot(training, 0)).to_dict("records")
    assert row["saturated"] == pytest.approx(0.6)
    assert row["slope"] == pytest.approx(np.mean(1 / np.cosh(a) ** 2), rel=1e-12)


def test_the_spectrum_is_that_of_the_recurrent_matrix() -> None:
    training, _, seen = measured("arch=lstm", "arch.hidden=4", "init=random", "init.std=1", "task.length=3")
    found = frame("spectrum", seen)
    assert list(found["matrix"].unique()) == [f"weight_hh.{gate}" for gate in "ifog"]
    own = found[found["matrix"] == "weight_hh.o"]
    w = training.network.p["weight_hh"][0, :, 8:12].double().numpy()
    eigen = own["re"].to_numpy() + 1j * own["im"].to_numpy()
    np.testing.assert_allclose(np.prod(eigen).real, np.linalg.det(w), rtol=1e-9)
    np.testing.assert_allclose(np.sum(eigen).real, np.trace(w), rtol=1e-9)
    np.testing.assert_allclose((own["sigma"] ** 2).sum(), (w**2).sum(), rtol=1e-9)
    far = np.linalg.norm(w.T @ w - np.eye(4)) / 2
    np.testing.assert_allclose(own["from_orthogonal"], far, rtol=1e-9)


def test_the_matrix_of_an_orthogonal_network_is_the_orthogonal_one() -> None:
    _, _, seen = measured("arch=rnn_orthogonal", "init=random", "init.std=1", "arch.hidden=8", "task.length=3")
    found = frame("spectrum", seen)
    assert len(found) == 8 and found["from_orthogonal"].max() < 1e-12


def test_hidden_states_are_those_of_torch() -> None:
    training, _, seen = measured("arch=gru", "arch.hidden=5", "task.length=11", "stack.layers=2", "train.batch=3")
    found, p = frame("hidden_states", seen), training.network.p
    module = torch.nn.GRU(2, 5, num_layers=2).double()
    for n, suffix in enumerate(("", "_ln1") if "weight_hh_ln1" in p else ("", "_l1")):
        own = {name: p[name + suffix][0].double() for name in ("weight_ih", "weight_hh", "bias", "bias_hn")}
        getattr(module, f"weight_ih_l{n}").data.copy_(own["weight_ih"].T)
        getattr(module, f"weight_hh_l{n}").data.copy_(own["weight_hh"].T)
        getattr(module, f"bias_ih_l{n}").data.copy_(own["bias"])
        getattr(module, f"bias_hh_l{n}").data.copy_(torch.cat([torch.zeros(10).double(), own["bias_hn"]]))
    x = training.data.batch.x[0].view(11, 3, 2)[:, :1].double()
    states, _ = module(x)
    h = found[(found["what"] == "h") & (found["layer"] == 1)]["value"].to_numpy().reshape(11, 5)
    np.testing.assert_allclose(h, states[:, 0].detach(), atol=1e-7)  # the states below are float32
    inputs = found[found["what"] == "input"]["value"].to_numpy().reshape(11, 2)
    np.testing.assert_array_equal(inputs, x[:, 0])
    answers = found[found["what"] == "answer"]["value"].to_numpy()
    last = training.network.forward(training.data.batch.x, training.data.batch.start)
    assert answers[-1] == pytest.approx(float(last.flatten()[0]), abs=1e-5)


def test_clipping_by_value_turns_the_gradient_and_by_norm_does_not(tmp_path: Path) -> None:
    shape = ("arch=rnn_tanh", "arch.hidden=6", "task.length=8", "train.steps=40", "train.log_every=10", "tracker=csv",
             "train.eval_every=20", "train.batch=4", "train.eval_size=8", "probe=clipping")  # fmt: skip
    rows = {}
    for clip in ("clip=norm", "clip=value"):
        cells = sweeps.compose(*shape, clip, "clip.threshold=0.05")
        records = sweeps.train(cells, tmp_path / clip)
        [cell] = records.cells["cell"]
        rows[clip] = pd.read_csv(tmp_path / clip / str(cell) / "probe_clipping.csv")
        assert list(rows[clip]["updates"]) == [20, 20] and (rows[clip]["clipped"] > 0.5).all()
    assert rows["clip=norm"]["angle_largest"].max() < 1e-3
    assert rows["clip=value"]["angle"].min() > 1
    assert (rows["clip=norm"]["scale"] < 1).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "clipping"])
@pytest.mark.parametrize("arch", ["rnn_leaky", "rnn_residual", "rnn_antisymmetric", "rnn_layernorm", "lstm_layernorm",
                                  "lstm_peephole", "janet", "minlstm", "mingru", "rnn_sigmoid"])  # fmt: skip
def test_every_architecture_has_every_probe(name: str, arch: str) -> None:
    _, _, seen = measured(f"arch={arch}", "arch.hidden=4", "task.length=6", "train.batch=2")
    found = frame(name, seen)
    gated = any(gate in arch for gate in ("lstm", "gru", "janet"))
    minimal = arch in ("minlstm", "mingru")
    assert len(found) or (name == "gates" and not gated) or (name == "spectrum" and minimal)
    numbers = found.select_dtypes("number").drop(columns="log10_carry", errors="ignore").to_numpy()
    lost = ~np.isfinite(numbers)
    assert not lost.any() or (name in ("jacobian", "lyapunov") and arch == "rnn_layernorm" and lost.mean() < 0.1), (
        "only what layer normalisation takes away, its mean, is gone altogether"
    )
