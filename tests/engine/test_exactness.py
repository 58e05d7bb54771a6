"""The trace is the exact derivative: compared with the same network in many digits, from the same float32 weights.

`truth.py` runs its own forward and backward pass. If shifting every pre-activation by one unit in float32's last place
changes that truth by less than SENSITIVE, the trace must agree with it to EXACT. Otherwise float32 rounding decides the
forward pass, and the trace must agree with the truth along the pre-activations that the engine computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from engine.truth import LONG, MANY, Array, Digits, Truth
from helpers import make_cell, make_cells
from sweeps.engine.adjoint import Trace
from sweeps.engine.network import Network
from sweeps.engine.setup import set_up
from sweeps.engine.update import Update
from sweeps.execute.worker import train_pack
from sweeps.plan.packs import Pack

EXACT = 1e-4
"""Relative error of a norm; in log10, 4.3e-5."""
ALONG = 2e-5
"""The same along the engine's own pre-activations; what remains is the rounding of its last state and output."""
SENSITIVE = 1e-6
"""Gates and cell states are rounded too, some ten times as much as one unit in the last place of a pre-activation."""
Move = Callable[[int, str, Array], Array]


class Case:
    """One network after some updates, a batch, and what the engine records of it."""

    def __init__(self, kernel: str, *overrides: str, updates: int = 0, change: Callable[[Network], Any] | None = None):
        training = set_up([make_cell(*overrides)], kernel)
        with torch.no_grad():
            update = Update(training)
            for _ in range(updates):
                update.backward()
                update.clip()
                update.apply()
        self.network = training.network
        self.x, self.y, *_ = training.data.next()
        if change:
            change(self.network)

    def record(self) -> Array:
        sizes = self.network.sizes
        trace = Trace(1, sizes.length)
        with torch.no_grad():
            self.network.through_time(self.x, self.y, [trace])
        return trace.log10_norm()[0]

    def truth(self, digits: Digits = LONG, move: Move | None = None) -> Array:
        network, s = self.network, self.network.sizes
        p = {name: value[0].numpy() for name, value in network.p.items()}
        x = self.x[0].view(s.length, s.batch, s.inputs).numpy()
        return Truth(network.arch, p, digits, move).log10_norms(x, self.y[0].numpy(), network.loss_name)

    def own(self, digits: Digits = LONG) -> Array:
        """The truth along the pre-activations of the engine's last forward pass that kept them."""
        pre: Tensor = self.network.layers[0].directions[0].recurrence.pre[0]  # type: ignore[attr-defined]
        blocks = dict(zip("rzn", pre.chunk(3, -1), strict=True)) if self.network.arch == "gru" else {"a": pre}
        if self.network.arch == "gru":
            blocks["s"] = self.network.layers[0].directions[0].recurrence.s[0]  # type: ignore[attr-defined]
        return self.truth(digits, lambda t, name, a: digits.hold(blocks[name][t].numpy()))

    def sensitivity(self) -> float:
        """Relative change of the truth when pre-activations change by one unit in float32's last place."""
        rng, truth = np.random.default_rng(0), self.truth()

        def moved(sign: Callable[[tuple[int, ...]], Any]) -> float:
            shifted = self.truth(move=lambda t, name, a: a + sign(a.shape) * np.spacing(abs(a).astype(np.float32)))
            return float(np.max(error(shifted, truth)))

        return max(moved(lambda shape: 1), *(moved(lambda shape: rng.choice([-1, 1], shape)) for _ in range(2)))


def error(recorded: Array, want: Array) -> Array:
    """Relative error of norms given as log10; -inf agrees with -inf alone."""
    same = (recorded == -np.inf) & (want == -np.inf)
    with np.errstate(invalid="ignore"):
        return np.where(same, 0.0, abs(np.expm1(np.where(same, 0.0, recorded - want) * math.log(10))))


def assert_exact(case: Case) -> None:
    record = case.record()
    assert np.isfinite(record).all()
    assert error(record, case.own()).max() < ALONG
    if case.sensitivity() < SENSITIVE:
        assert error(record, case.truth()).max() < EXACT


@pytest.mark.parametrize("arch", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
@pytest.mark.parametrize("task", ["adding", "binary_sum"])
def test_the_oracle_in_long_doubles_agrees_with_fifty_digits(arch: str, task: str) -> None:
    case = Case("torch", f"arch={arch}", "init=orthogonal", "init.gain=2", f"task={task}", "task.length=60",
                "arch.hidden=5", "train.batch=2", updates=3)  # fmt: skip
    with mpmath.workdps(50):
        assert error(case.truth(LONG), case.truth(MANY)).max() < 1e-12


def test_an_lstm_that_saturates_keeps_its_gradient(kernel: str) -> None:
    """Cell states of some 40, whose tanh is 1 in float32: recorded as 10^-561.7 while derivatives came from states."""
    case = Case(kernel, "arch=lstm", "arch.hidden=32", "arch.forget_bias=5", "init=identity", "task=adding",
                "task.length=1000", "train.batch=8", "seed=1023")  # fmt: skip
    recorded, want = case.record(), case.truth()
    assert want[0] == pytest.approx(-16.43, abs=0.01)
    assert recorded[0] == pytest.approx(-16.43, abs=0.01)
    assert error(recorded, want).max() < EXACT


SATURATED = [
    (("arch=lstm", "arch.forget_bias=5", "init=identity"), 0),
    (("arch=lstm", "arch.forget_bias=8", "init=orthogonal"), 0),
    (("arch=lstm", "init=orthogonal", "optim.lr=0.3"), 30),
    (("arch=gru", "init=orthogonal", "init.gain=4"), 0),
    (("arch=gru", "init=xavier", "optim.lr=0.3", "clip=norm"), 8),
    (("arch=rnn_tanh", "init=orthogonal", "init.gain=4"), 0),
    (("arch=rnn_tanh", "init=xavier", "optim.lr=0.3", "clip=norm"), 8),
    (("arch=rnn_tanh", "init=xavier", "optim.lr=0.03"), 30),
]


@pytest.mark.parametrize(("overrides", "updates"), SATURATED)
def test_saturated_networks(overrides: tuple[str, ...], updates: int, kernel: str) -> None:
    assert_exact(Case(kernel, *overrides, "task.length=400", "arch.hidden=8", "train.batch=2", updates=updates))


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [13, 64])
@pytest.mark.parametrize(("overrides", "updates"), SATURATED)
def test_saturated_networks_over_a_thousand_steps(
    overrides: tuple[str, ...], updates: int, hidden: int, kernel: str
) -> None:
    """Trained on shorter sequences: over a thousand steps the float32 gradient of some updates would overflow."""
    size = (f"arch.hidden={hidden}", "train.batch=3", "seed=7")
    trained = Case(kernel, *overrides, "task.length=100", *size, updates=updates).network.p

    def change(network: Network) -> None:
        for name, value in trained.items():
            network.p[name].copy_(value)

    assert_exact(Case(kernel, *overrides, "task.length=1000", *size, change=change))


def test_a_tanh_network_after_a_high_learning_rate_is_not_dead(kernel: str) -> None:
    """Recorded as -inf at 99 of 100 steps while derivatives came from states; the truth at lag 1 is 10^-9.2."""
    case = Case(kernel, "arch=rnn_tanh", "init=xavier", "optim.lr=0.3", "task.length=100", "arch.hidden=64",
                "train.batch=32", "train.eval_size=32", "seed=1044", updates=100)  # fmt: skip
    recorded = case.record()
    assert np.isfinite(recorded).all()
    assert error(recorded, case.own()).max() < ALONG


@pytest.mark.parametrize(
    ("overrides", "scale", "bias", "below"),
    [
        (("arch=rnn_tanh", "arch.hidden=5"), 3e4, None, -1e5),  # every unit at pre-activations of 1e4
        (("arch=rnn_tanh", "arch.hidden=16"), 3e4, None, -1e4),
        (("arch=gru", "arch.hidden=5"), 1.0, [0.0, -2000.0, 0.0], -5.0),  # r, z, n: nothing is kept
        (("arch=gru", "arch.hidden=9"), 1.0, [-2000.0, -2000.0, 700.0], -1e4),
        (("arch=lstm", "arch.hidden=5"), 3e3, None, -50.0),
        (("arch=lstm", "arch.hidden=9"), 1.0, [0.0, 2000.0, 0.0, 0.0], -1.0),  # i, f, o, g
        (("arch=lstm", "arch.hidden=9"), 1.0, [0.0, -2000.0, 0.0, 0.0], -15.0),
        (("arch=lstm", "arch.hidden=9"), 1.0, [-200.0, -900.0, 0.0, 900.0], -1e3),
    ],
)
def test_beyond_the_range_of_every_dtype(
    overrides: tuple[str, ...], scale: float, bias: list[float] | None, below: float, kernel: str
) -> None:
    """Derivatives of 10^-8000 per time step, which are 0 in float64: each row of them has a power of two."""

    def change(network: Network) -> None:
        for name in ("weight_hh", "weight_ih"):
            network.p[name].mul_(scale)
        if bias:
            network.p["bias"].copy_(torch.tensor(bias).repeat_interleave(network.sizes.hidden))

    case = Case(kernel, *overrides, "init=orthogonal", "task=adding", "task.length=30", "train.batch=2", "seed=3",
                change=change)  # fmt: skip
    recorded = case.record()
    with mpmath.workdps(40):
        want = case.own(MANY)
    assert want.min() < below and np.isfinite(want).all()
    np.testing.assert_allclose(recorded, want, rtol=1e-12, atol=ALONG)


@pytest.mark.parametrize("arch", ["lstm", "gru"])
def test_where_rounding_decides_which_gates_open_it_is_the_gradient_of_the_computed_states(
    arch: str, kernel: str
) -> None:
    """Weights of 30 times the usual: no float32 forward pass has the gradient of the true one, by decades."""

    def change(network: Network) -> None:
        for name in ("weight_hh", "weight_ih"):
            network.p[name].mul_(30)

    case = Case(kernel, f"arch={arch}", "init=orthogonal", "task=adding", "task.length=100", "arch.hidden=16",
                "train.batch=2", "seed=3", change=change)  # fmt: skip
    recorded, true = case.record(), case.truth()
    assert abs(recorded - true).max() > 1
    assert error(recorded, case.own()).max() < ALONG


@pytest.mark.parametrize("seed", [1, 2])
def test_a_unit_that_counts_outlives_all_others(seed: int, kernel: str) -> None:
    """One unit's share of dL/dc enters 10^-440 below the others' and is all that is left hundreds of steps back."""
    case = Case(kernel, "arch=lstm", "arch.hidden=16", "init=orthogonal", "task=adding", "task.length=500",
                "train.batch=2", "optim=rmsprop", "optim.lr=0.3", f"seed={seed}", updates=5)  # fmt: skip
    recorded, want = case.record(), case.own()
    assert -450 < want[0] < -430
    assert error(recorded, want).max() < ALONG


def test_relu_states_below_float32_are_not_dead_units(kernel: str) -> None:
    """In a digit's blank steps the states fall below 1e-38 and are flushed to zero; the gradient still passes."""

    def change(network: Network) -> None:
        w = network.p["weight_hh"].abs_()
        w.mul_(0.5 / float(torch.linalg.eigvals(w[0]).abs().max()))
        network.p["weight_ih"].abs_()

    case = Case(kernel, "arch=rnn_relu", "task=digits", "task.length=500", "arch.hidden=20", "train.batch=2",
                change=change)  # fmt: skip
    torch.set_flush_denormal(True)
    recorded, want = case.record(), case.truth()
    assert not case.network.layers[0].directions[0].recurrence.h[0, -1].any()  # type: ignore[attr-defined]
    assert want[0] < -130
    assert error(recorded, want).max() < EXACT


@pytest.mark.parametrize(("init", "first"), [("orthogonal", -72.58), ("xavier", -96.79)])
def test_relu_networks_as_they_start_fade_and_live(init: str, first: float, kernel: str) -> None:
    """Recorded as -inf at 499 of 500 steps. Units next to their kink make roundings matter, so decades only."""
    case = Case(kernel, "arch=rnn_relu", f"init={init}", "task=digits", "task.validation=0",
                "task.length=500", "arch.hidden=64", "seed=1", "train.batch=2")  # fmt: skip
    torch.set_flush_denormal(True)
    recorded, want = case.record(), case.truth()
    assert want[0] == pytest.approx(first, abs=0.01)
    np.testing.assert_allclose(recorded, want, rtol=0, atol=5)


def test_a_cell_state_of_hundreds(kernel: str) -> None:
    """tanh'(400) is 10^-347; what is left 400 steps back went through it once, and is below float64's range."""

    def change(network: Network) -> None:
        network.p["bias"].copy_(torch.tensor([20.0, 20.0, -20.0, 20.0]).repeat_interleave(5))  # i, f, o, g

    case = Case(kernel, "arch=lstm", "arch.hidden=5", "task=adding", "task.length=400", "train.batch=2", change=change)
    recorded = case.record()
    with mpmath.workdps(40):
        want = case.own(MANY)
    assert np.isfinite(want).all() and want.min() < -308
    np.testing.assert_allclose(recorded, want, rtol=1e-12, atol=ALONG)


@pytest.mark.parametrize("gap", [10.0, 60.0, 3000.0])
def test_an_answer_that_is_sure(gap: float, kernel: str) -> None:
    """Softmax saturates too: p - 1 is 0 in float64 from a distance of 37 nats on, p itself from 745."""
    case = Case(kernel, "arch=rnn_tanh", "task=binary_sum", "task.length=8", "train.batch=3",
                change=lambda network: network.p["bias_out"][:, 1:].sub_(gap))  # fmt: skip
    case.y.zero_()
    recorded = case.record()
    with mpmath.workdps(40):
        want = case.own(MANY)
    assert np.isfinite(want).all() and want.max() < -gap / 2.31 + 1
    np.testing.assert_allclose(recorded, want, rtol=1e-12, atol=ALONG)


EXTREME = {
    "vanishing": ("rnn_tanh", "init.gain=0.5"),
    "vanishing lstm": ("lstm", "init.gain=0.5", "arch.forget_bias=-1"),
    "vanishing gru": ("gru", "init.gain=0.5"),
    "exploding": ("rnn_tanh", "init.gain=4", "seed=11"),
    "exploding lstm": ("lstm", "init.gain=12", "seed=10"),
    "exploding gru": ("gru", "init.gain=8", "seed=7"),
}


@pytest.mark.parametrize("name", list(EXTREME))
def test_over_two_thousand_steps(name: str, kernel: str) -> None:
    arch, *overrides = EXTREME[name]
    case = Case(kernel, f"arch={arch}", "init=orthogonal", *overrides, "task=adding", "task.length=2000",
                "train.batch=2")  # fmt: skip
    if name.startswith("exploding"):
        case.x.mul_(0.1)
    recorded = case.record()
    assert recorded.min() < -200 if name.startswith("vanishing") else recorded.max() > 45
    assert error(recorded, case.own()).max() < ALONG


def test_an_exploding_relu_network(kernel: str) -> None:
    """Positive weights of spectral radius 1.05, and inputs so small that the states stay finite."""

    def change(network: Network) -> None:
        w = network.p["weight_hh"].abs_()
        w.mul_(1.05 / float(torch.linalg.eigvals(w[0]).abs().max()))
        network.p["weight_ih"].abs_()

    case = Case(kernel, "arch=rnn_relu", "task=adding", "task.length=2000", "train.batch=2", change=change)
    case.x.mul_(1e-30)
    recorded = case.record()
    assert recorded.max() > 40
    assert error(recorded, case.own()).max() < ALONG


def test_zero_is_where_the_net_died_and_nowhere_below(kernel: str) -> None:
    """All relu units die at step 700: -inf before it; from it on numbers, though the first of them is near 1e-400."""
    case = Case(kernel, "arch=rnn_relu", "init=identity", "init.gain=0.5", "task=adding", "task.length=2000",
                "train.batch=2", change=lambda network: network.p["weight_ih"].abs_())  # fmt: skip
    case.x.view(2000, 2, 2)[700] = -1e6
    recorded = case.record()
    assert (recorded[:700] == -np.inf).all()
    assert -400 < recorded[700] < -380
    assert error(recorded, case.own()).max() < ALONG


@pytest.mark.parametrize("hidden", [8, 16])
@pytest.mark.parametrize("gain", [0.3, 0.5, 0.97, 1.0, 1.1, 3.0])
def test_linear_orthogonal_net_has_slope_log_gain(gain: float, hidden: int, kernel: str) -> None:
    """A tanh net at rest is linear, h_t = gain Q h_{t-1}: a straight line, down to 1e-1045 and up to 1e954."""
    case = Case(kernel, "arch=rnn_tanh", "init=orthogonal", f"init.gain={gain}", "task=adding", "task.length=2000",
                "train.batch=2", f"arch.hidden={hidden}")  # fmt: skip
    case.x.zero_()
    recorded = case.record()
    slope, start = np.polyfit(np.arange(2000)[::-1], recorded, 1)
    assert slope == pytest.approx(math.log10(gain), abs=1e-6)
    np.testing.assert_allclose(recorded[::-1], start + slope * np.arange(2000), atol=1e-4)


def test_the_file_of_a_run_is_exact(kernel: str, tmp_path: Path) -> None:
    """gradient_through_time.csv of a trained cell: at step 0 the truth, at each later row as far below float32."""
    overrides = ("arch=rnn_tanh", "init=orthogonal", "init.gain=0.5", "task=adding", "task.length=2000",
                 "train.batch=2", "train.steps=4", f"executor.kernel={kernel}")  # fmt: skip
    [cell] = make_cells(overrides)
    train_pack(Pack((cell,)), tmp_path, lambda kind, content: None)
    table = pd.read_csv(tmp_path / cell.id / "gradient_through_time.csv")
    by_step = {int(str(step)): rows.sort_values("t").log10_norm.to_numpy() for step, rows in table.groupby("step")}
    assert list(by_step) == [0, 2, 4]
    assert all(recorded.shape == (2000,) and -700 < recorded[0] < -600 for recorded in by_step.values())
    assert error(by_step[0], Case(kernel, *overrides).truth()).max() < EXACT
