"""The gradient through time is exact far outside float32's range, and reading it changes no training gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.reference import REFERENCE
from sweeps.engine.setup import set_up


def log10_norm(x: torch.Tensor) -> float:
    """log10 of the norm of a float64 tensor whose squares would underflow."""
    size = x.abs().max().item()
    return math.log10(size) + math.log10(float((x / size).norm()))


@pytest.mark.parametrize("arch", ["rnn_tanh", "lstm", "gru"])
def test_vanishing_net_agrees_with_float64_below_float32(arch: str, kernel: str) -> None:
    """random init shrinks the adjoint by some 30 to 150 decades over 150 steps; float64 still holds that."""
    forgetful = ("arch.forget_bias=-1",) if arch == "lstm" else ()
    cell = make_cell(f"arch={arch}", "init=random", "task=binary_sum", "task.length=150", "arch.hidden=12", *forgetful)
    pack = set_up([cell, cell], kernel)
    if arch == "gru":
        pack.network.p["bias"][..., 12:24].fill_(-4.0)  # the update gate keeps nothing
    x, y = pack.data.next()
    trace = Trace(2, 150)
    pack.network.gradients(x, y, trace)
    p = {name: value[0].double().detach().requires_grad_() for name, value in pack.network.p.items()}
    states = REFERENCE[arch](p, x[0].double().view(150, 8, 1))
    loss = torch.nn.functional.cross_entropy(states[-1] @ p["weight_out"] + p["bias_out"], y[0])
    want = np.array([log10_norm(g) for g in torch.autograd.grad(loss, states)])
    assert want[0] < -45, "the case must leave float32's range to prove anything"
    np.testing.assert_allclose(trace.log10_norm()[0], want, atol=2e-4)


@pytest.mark.parametrize(("arch", "length"), [("rnn_tanh", 26), ("rnn_relu", 18), ("lstm", 17), ("gru", 17)])
def test_what_reaches_the_first_step_trains_as_long_as_float32_can_hold_it(arch: str, length: int, kernel: str) -> None:
    """Only the first input is not zero, so that the input weights' gradient is all of that step, some 2^-100 of it."""
    forgetful = ("arch.forget_bias=-4",) if arch == "lstm" else ()
    pack = set_up([make_cell(f"arch={arch}", "init=random", f"task.length={length}", *forgetful)], kernel)
    if arch == "gru":
        pack.network.p["bias"][..., 8:16].fill_(-4.0)  # the update gate keeps nothing
    x, y = pack.data.next()
    x[:, 8:].zero_()
    pack.network.gradients(x, y)
    want = pack.network.grads["weight_ih"].clone()
    trace = Trace(1, length)
    pack.network.gradients(x, y, trace)
    assert trace.exponents[0, 0] < -70, "the step must lie deep to prove anything"
    assert want.abs().max() > 2.0**-126
    torch.testing.assert_close(pack.network.grads["weight_ih"], want, rtol=1e-5, atol=0)


def test_exploding_net_is_recorded_past_float32(kernel: str) -> None:
    cell = make_cell("arch=rnn_relu", "init=identity", "init.gain=3", "task=adding", "task.length=90")
    pack = set_up([cell], kernel)
    x, y = pack.data.next()
    pack.network.p["weight_ih"].abs_()  # no unit dies
    x.mul_(1e-36)  # small states, so that the loss is finite: 3^90 is 1e43
    trace = Trace(1, 90)
    pack.network.gradients(x, y, trace)
    found = trace.log10_norm()[0]
    assert np.isfinite(found).all()
    assert found[0] > 42
    np.testing.assert_allclose(np.diff(found[::-1])[1:], math.log10(3), atol=1e-5)


def test_zero_is_minus_infinity_and_only_zero(kernel: str) -> None:
    cell = make_cell("arch=rnn_relu", "task=adding", "task.length=10")
    pack = set_up([cell], kernel)
    pack.network.p["bias"].fill_(-1e6)  # every unit is dead
    x, y = pack.data.next()
    trace = Trace(1, 10)
    pack.network.gradients(x, y, trace)
    assert np.isfinite(trace.log10_norm()[0, -1])  # dL/dh_{T-1} comes from the readout
    assert (trace.log10_norm()[0, :-1] == -np.inf).all()


def test_a_norm_whose_squares_leave_float32_is_exact_beside_any_neighbour() -> None:
    sizes = (math.nan, 1e-25, 1e25, 1.0)
    for order in (sizes, sizes[::-1]):
        trace = Trace(4, 1)
        trace.visit(0, torch.tensor(order)[:, None, None].expand(4, 2, 2).clone())
        found = dict(zip(map(str, order), trace.log10_norm()[:, 0], strict=True))
        assert math.isnan(found["nan"])
        for size in sizes[1:]:
            assert found[str(size)] == pytest.approx(math.log10(2 * size), abs=1e-6)


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_what_is_carried_along_is_kept_in_range_too(size: float) -> None:
    """The adjoint of an LSTM's cell may be far larger, or all that is left, and must come back as large as it was."""
    trace = Trace(1, 2)
    dh, dc = torch.zeros(1, 2, 2), torch.full((1, 2, 2), size)
    trace.visit(1, dh, dc)
    assert 0.5 <= float(dc.norm()) <= 1
    dh.copy_(dc)  # the gate lets it through
    trace.visit(0, dh, dc)
    assert trace.log10_norm()[0, 1] == -np.inf
    assert trace.log10_norm()[0, 0] == pytest.approx(math.log10(2 * size), abs=1e-6)


@pytest.mark.parametrize("arch", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
@pytest.mark.parametrize(
    ("init", "gain"), [("random", 1.0), ("orthogonal", 1.0), ("orthogonal", 1.7), ("identity", 0.4)]
)
def test_tracing_changes_no_gradient(arch: str, init: str, gain: float, kernel: str) -> None:
    """Scaling by powers of two is exact: the weight gradients are the same bits with a trace and without."""
    torch.set_flush_denormal(True)
    cells = [
        make_cell(f"arch={arch}", f"init={init}", f"init.gain={gain}", "task.length=60", f"seed={seed}")
        for seed in range(3)
    ]
    pack = set_up(cells, kernel)
    x, y = pack.data.next()
    pack.network.gradients(x, y)
    plain = pack.network.grads.flat.clone()
    pack.network.gradients(x, y, Trace(3, 60))
    assert torch.equal(plain, pack.network.grads.flat)
