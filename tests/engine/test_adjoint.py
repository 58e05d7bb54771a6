"""The trace is recorded far outside float32's range, and recording it changes no training gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import architecture
from sweeps.engine.extended import ZERO, Rows
from sweeps.engine.reference import states
from sweeps.engine.setup import set_up


def log10_norm(x: torch.Tensor) -> float:
    """log10 of the norm of a float64 tensor whose squares would underflow."""
    size = x.abs().max().item()
    return math.log10(size) + math.log10(float((x / size).norm()))


@pytest.mark.parametrize("arch", ["rnn_tanh", "lstm", "gru"])
def test_vanishing_net_agrees_with_float64_below_float32(arch: str, kernel: str) -> None:
    """random init shrinks the adjoint by some 30 to 150 decades over 150 steps; float64 still holds that."""
    forgetful = ("arch.forget_bias=-1",) if arch == "lstm" else ()
    settings = make_cell(
        f"arch={arch}", "init=random", "task=binary_sum", "task.length=150", "arch.hidden=12", *forgetful
    )
    training = set_up([settings, settings], kernel)
    if arch == "gru":
        training.network.p["bias"][..., 12:24].fill_(-4.0)  # the update gate keeps nothing
    x, y, *_ = training.data.next()
    trace = Trace(2, 150)
    training.network.gradients(x, y, [trace])
    p = {name: value[:1].double().detach().requires_grad_() for name, value in training.network.p.items()}
    h = states(architecture(arch), p, x[:1].double().view(1, 150, 8, 1), 12)
    loss = torch.nn.functional.cross_entropy(h[-1][0] @ p["weight_out"][0] + p["bias_out"][0], y[0])
    want = np.array([log10_norm(g) for g in torch.autograd.grad(loss, h)])
    assert want[0] < -45, "the case must leave float32's range to prove anything"
    np.testing.assert_allclose(trace.log10_norm()[0], want, atol=1e-4)


def test_exploding_net_is_recorded_past_float32(kernel: str) -> None:
    settings = make_cell("arch=rnn_relu", "init=identity", "init.gain=3", "task=adding", "task.length=90")
    training = set_up([settings], kernel)
    x, y, *_ = training.data.next()
    training.network.p["weight_ih"].abs_()  # every unit stays active
    x.mul_(1e-36)  # small states, so that the loss is finite: 3^90 is 1e43
    trace = Trace(1, 90)
    training.network.gradients(x, y, [trace])
    recorded = trace.log10_norm()[0]
    assert np.isfinite(recorded).all()
    assert recorded[0] > 42
    np.testing.assert_allclose(np.diff(recorded[::-1])[1:], math.log10(3), atol=1e-5)


def test_zero_is_minus_infinity_and_only_zero(kernel: str) -> None:
    settings = make_cell("arch=rnn_relu", "task=adding", "task.length=10")
    training = set_up([settings], kernel)
    training.network.p["bias"].fill_(-1e6)  # no unit is active
    x, y, *_ = training.data.next()
    trace = Trace(1, 10)
    training.network.gradients(x, y, [trace])
    assert np.isfinite(trace.log10_norm()[0, -1])  # dL/dh_{T-1} comes from the readout
    assert (trace.log10_norm()[0, :-1] == -np.inf).all()


def test_a_norm_is_that_of_all_rows_however_far_apart_they_lie() -> None:
    """Each sequence of each lane has a power of two of its own."""
    trace = Trace(2, 1)
    value = torch.ones(2, 3, 4, dtype=torch.float64)
    exponent = torch.tensor([[-5000.0, -5002.0, -9000.0], [7000.0, 100.0, ZERO]], dtype=torch.float64)
    value[1, 2] = 0
    trace.note(0, Rows(value, exponent[..., None]))
    want = [math.log10(2 * math.sqrt(1 + 2.0**-4)) - 5000 * math.log10(2), math.log10(2) + 7000 * math.log10(2)]
    np.testing.assert_allclose(trace.log10_norm()[:, 0], want, rtol=1e-14)


@pytest.mark.parametrize("arch", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
@pytest.mark.parametrize(
    ("init", "gain"), [("random", 1.0), ("orthogonal", 1.0), ("orthogonal", 1.7), ("identity", 0.4)]
)
def test_tracing_changes_no_gradient(arch: str, init: str, gain: float, kernel: str) -> None:
    """The weight gradients are the same bits with a trace and without: it is computed in a backward pass of its own."""
    torch.set_flush_denormal(True)
    settings = [
        make_cell(f"arch={arch}", f"init={init}", f"init.gain={gain}", "task.length=60", f"seed={seed}")
        for seed in range(3)
    ]
    training = set_up(settings, kernel)
    x, y, *_ = training.data.next()
    training.network.gradients(x, y)
    plain = training.network.grads.flat.clone()
    training.network.gradients(x, y, [Trace(3, 60)])
    assert torch.equal(plain, training.network.grads.flat)
