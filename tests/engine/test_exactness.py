"""dL/dh_t is exact: held against multi-precision arithmetic over 2,000 steps, from 1e-800 to past 1e300.

The truth is the chain rule in 30 digits along the engine's own forward pass: its float32 weights, states, gates and
outputs are taken as exact numbers. On any other trajectory the comparison would be of forward passes: a chaotic net
leaves it within a few hundred steps; gates taken anew from the states differ from the stored ones by a rounding each,
which by itself moves the norms of the nets below by up to 3e-6 where they vanish and 1e-3 where they explode; and an
output that is close to its target has few digits of their difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import mpmath
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from helpers import make_cell, make_cells
from sweeps.engine.adjoint import Trace
from sweeps.engine.network import Network
from sweeps.engine.recurrences.base import WIDE_UP_TO
from sweeps.engine.setup import set_up
from sweeps.execute.worker import train_pack
from sweeps.plan.packs import Pack

T, H, B = 2000, 8, 2
EXACT = 1e-5
"""Relative error of a norm; in log10, 4.3e-6."""
EXPLODES = {"rnn_tanh": (4.0, 11), "rnn_relu": (1.0, 0), "lstm": (12.0, 10), "gru": (8.0, 7)}
"""Gain and seed of nets whose gradient passes 1e38: chaotic ones, and a relu net with growing states."""
States = dict[str, Tensor]


@pytest.fixture(autouse=True)
def thirty_digits() -> Iterator[None]:
    with mpmath.workdps(30):
        yield


def exact(x: Tensor) -> np.ndarray:
    """The same numbers in multi-precision, each float32 exactly."""
    return np.vectorize(mpmath.mpf, otypes=[object])(x.double().numpy())


def times(rows: np.ndarray, w: np.ndarray) -> np.ndarray:
    """`rows [B, N]` times `w [N, M]`."""
    return np.array([[mpmath.fdot(zip(row, column, strict=True)) for column in w.T] for row in rows], dtype=object)


def true_norms(network: Network, states: States, y: Tensor) -> list[mpmath.mpf]:
    """||dL/dh_t|| of lane 0 for t = 0 .. T-1, L the mean squared error, by the chain rule as a textbook writes it."""
    p = {name: exact(value[0]) for name, value in network.p.items()}
    h, back = exact(states["h"]), p["weight_hh"].T  # h[t + 1] is h_t
    others = {name: exact(value) for name, value in states.items() if name not in ("h", "outputs")}
    error = exact(states["outputs"]) - exact(y[0])  # an output near its target has few digits of it
    dh = times(2 * error / error.size, p["weight_out"].T)
    dc = np.zeros_like(dh)
    norms = []
    for t in reversed(range(network.sizes.steps)):
        norms.append(mpmath.sqrt(mpmath.fsum(dh.ravel(), squared=True)))
        if network.arch == "rnn_tanh":
            dh = times(dh * (1 - h[t + 1] ** 2), back)
        elif network.arch == "rnn_relu":
            dh = times(dh * (h[t + 1] > 0), back)
        elif network.arch == "lstm":
            i, f, o, g = np.split(others["gate"][t], 4, -1)
            tanh_c = others["tanh_c"][t]
            dc = dc + dh * o * (1 - tanh_c**2)
            d_i, d_f = dc * g * i * (1 - i), dc * others["c"][t] * f * (1 - f)  # c[t] is c_{t-1}
            d_o, d_g = dh * tanh_c * o * (1 - o), dc * i * (1 - g**2)
            dc = dc * f
            dh = times(np.concatenate([d_i, d_f, d_o, d_g], -1), back)
        else:
            r, z, n = np.split(others["gate"][t], 3, -1)
            d_n = dh * (1 - z) * (1 - n**2)
            d_r, d_z = d_n * others["s"][t] * r * (1 - r), dh * (h[t] - n) * z * (1 - z)
            dh = dh * z + times(np.concatenate([d_r, d_z, d_n * r], -1), back)
    return norms[::-1]


def backward(network: Network, x: Tensor, y: Tensor) -> tuple[States, np.ndarray]:
    """Lane 0's stored forward pass, and the engine's record of the gradient through it, `[T]`."""
    outputs = network.forward(x)
    buffers = {name: getattr(network.recurrence, name, None) for name in ("h", "c", "gate", "tanh_c", "s")}
    states = {name: buffer[0].clone() for name, buffer in buffers.items() if buffer is not None}
    states["outputs"] = outputs[0].clone()
    trace = Trace(network.sizes.lanes, network.sizes.steps)
    network.gradients(x, y, trace)
    return states, trace.log10_norm()[0]


def assert_exact(found: np.ndarray, want: list[mpmath.mpf]) -> None:
    """Each norm to EXACT, and zero where, and only where, the truth is."""
    zero = np.array([norm == 0 for norm in want])
    assert (found[zero] == -np.inf).all() and np.isfinite(found[~zero]).all()
    error = [float(abs(mpmath.mpf(10) ** a / b - 1)) for a, b in zip(found[~zero], np.array(want)[~zero], strict=True)]
    assert max(error) < EXACT, f"relative error {max(error):.1e}, {int(np.argmax(error))} steps from the start"


def small_net(arch: str, gain: float, seed: int, kernel: str, *overrides: str) -> tuple[Network, Tensor, Tensor]:
    cell = make_cell(f"arch={arch}", "init=orthogonal", f"init.gain={gain}", "task=adding", f"task.length={T}",
                     f"arch.hidden={H}", f"train.batch={B}", f"seed={seed}", *overrides)  # fmt: skip
    pack = set_up([cell], kernel)
    return pack.network, *pack.data.next()


@pytest.mark.parametrize("arch", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_vanishing_gradient_is_exact(arch: str, kernel: str) -> None:
    network, x, y = small_net(arch, 0.5, 0, kernel, *(["arch.forget_bias=-1"] if arch == "lstm" else []))
    if arch == "rnn_relu":
        network.p["bias"].fill_(0.3)  # keeps some units alive
    states, found = backward(network, x, y)
    assert found[0] < -300
    assert_exact(found, true_norms(network, states, y))


@pytest.mark.parametrize("arch", list(EXPLODES))
def test_exploding_gradient_is_exact(arch: str, kernel: str) -> None:
    network, x, y = small_net(arch, *EXPLODES[arch], kernel)
    x.mul_(0.1)
    if arch == "rnn_relu":  # positive weights of spectral radius 1.05, and inputs so small that the states stay finite
        w = network.p["weight_hh"].abs_()
        w.mul_(1.05 / float(torch.linalg.eigvals(w[0]).abs().max()))
        network.p["weight_ih"].abs_()
        x.mul_(1e-29)
    states, found = backward(network, x, y)
    assert found.max() > 45
    assert_exact(found, true_norms(network, states, y))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("gain", [1.0, 3.0, 8.0])
@pytest.mark.parametrize("arch", list(EXPLODES))
def test_any_gradient_is_exact(arch: str, gain: float, seed: int, kernel: str) -> None:
    """Nets at random between the two: saturated, dying, chaotic, frozen."""
    network, x, y = small_net(arch, gain if arch != "rnn_relu" else min(gain, 1.02), seed, kernel)
    states, found = backward(network, x, y)
    assert_exact(found, true_norms(network, states, y))


def test_zero_is_where_the_net_died_and_nowhere_below(kernel: str) -> None:
    """All relu units die at step 700: -inf before it; from it on numbers, though the first of them is near 1e-400."""
    network, x, y = small_net("rnn_relu", 0.5, 0, kernel, "init=identity")
    network.p["weight_ih"].abs_()
    x.view(T, B, 2)[700] = -1e6
    states, found = backward(network, x, y)
    assert (found[:700] == -np.inf).all()
    assert -400 < found[700] < -380
    assert_exact(found, true_norms(network, states, y))


@pytest.mark.parametrize("hidden", [WIDE_UP_TO, 2 * WIDE_UP_TO])
@pytest.mark.parametrize("gain", [0.3, 0.5, 0.97, 1.0, 1.1, 3.0])
def test_linear_orthogonal_net_has_slope_log_gain(gain: float, hidden: int, kernel: str) -> None:
    """A tanh net at rest is linear, h_t = gain Q h_{t-1}: a straight line, down to 1e-1045 and up to 1e954."""
    network, x, y = small_net("rnn_tanh", gain, 0, kernel, f"arch.hidden={hidden}")
    states, found = backward(network, x.zero_(), y)
    assert not states["h"].any()
    slope, start = np.polyfit(np.arange(T)[::-1], found, 1)
    assert slope == pytest.approx(math.log10(gain), abs=1e-6)
    np.testing.assert_allclose(found[::-1], start + slope * np.arange(T), atol=1e-5)


def test_the_file_of_a_run_is_exact(kernel: str, tmp_path: Path) -> None:
    """gradient_through_time.csv of a trained cell: at step 0 the truth, at each later row as far below float32."""
    overrides = ("arch=rnn_tanh", "init=orthogonal", "init.gain=0.5", "task=adding", f"task.length={T}",
                 f"arch.hidden={H}", f"train.batch={B}", "train.steps=4", f"executor.kernel={kernel}")  # fmt: skip
    [cell] = make_cells(overrides)
    train_pack(Pack((cell,)), tmp_path, lambda kind, content: None)
    table = pd.read_csv(tmp_path / cell.id / "gradient_through_time.csv")
    assert np.isfinite(table.log10_norm).all()
    by_step = {int(str(step)): rows.sort_values("t").log10_norm.to_numpy() for step, rows in table.groupby("step")}
    assert list(by_step) == [0, 2, 4]
    assert all(found.shape == (T,) and found[0] < -600 for found in by_step.values())
    pack = set_up([cell.settings], kernel)
    x, y = pack.data.next()
    states, _ = backward(pack.network, x, y)
    assert_exact(by_step[0], true_norms(pack.network, states, y))
