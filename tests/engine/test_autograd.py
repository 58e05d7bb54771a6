"""Recurrences without a hand-written backward pass have the same interface, numbers and traces as those with one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows
from sweeps.engine.memory import zeros
from sweeps.engine.parameters import Parameters
from sweeps.engine.recurrences import Sizes, build
from sweeps.engine.recurrences.autograd import Autograd, State
from sweeps.engine.setup import set_up


def tanh_step(p: Mapping[str, Tensor], x: Tensor, state: State) -> State:
    return (torch.tanh(x @ p["weight_ih"] + state[0] @ p["weight_hh"] + p["bias"].unsqueeze(1)),)


def lstm_step(p: Mapping[str, Tensor], x: Tensor, state: State) -> State:
    h, c = state
    i, f, o, g = (x @ p["weight_ih"] + h @ p["weight_hh"] + p["bias"].unsqueeze(1)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


CASES = {"rnn_tanh": (("h",), tanh_step, 1), "lstm": (("i", "f", "o", "g"), lstm_step, 2)}


@pytest.mark.parametrize("arch", CASES)
@pytest.mark.parametrize("scale", [1e-12, 0.3, 1.0])
def test_equals_the_hand_written_backward(arch: str, scale: float) -> None:
    """Weights of scale 1e-12 drive the gradient hundreds of decades down."""
    sizes = Sizes(3, 40, 8, 2, 12)
    fast, slow = build(arch, sizes, "torch"), Autograd(sizes, *CASES[arch][:2], states=CASES[arch][2])
    rng = torch.Generator().manual_seed(0)
    p, x, start = Parameters.zeros(3, fast.shapes()), zeros(3, 320, 2), zeros(3, 8, 12)
    for tensor in (p.flat, x, start):
        tensor.normal_(generator=rng)
    p.flat.mul_(0.4)
    p["weight_hh"].mul_(scale)
    results = []
    for recurrence in (fast, slow):
        grads, trace = Parameters.zeros(3, fast.shapes()), Trace(3, 40)
        h = recurrence.forward(p, x, keep=True).clone()
        recurrence.through_time(p, Rows.of(start), trace)
        recurrence.backward(p, x, start.clone(), grads)
        results.append((h, grads, trace.log10_norm()))
    (h_fast, g_fast, n_fast), (h_slow, g_slow, n_slow) = results
    torch.testing.assert_close(h_slow, h_fast, rtol=1e-5, atol=1e-6)
    for name in fast.shapes():
        torch.testing.assert_close(g_slow[name], g_fast[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(n_slow, n_fast, atol=5e-5)
    if scale == 1e-12 and arch == "rnn_tanh":
        assert n_fast[:, 0].max() < -100


@pytest.mark.parametrize("arch", CASES)
def test_saturated_units_keep_their_derivative(arch: str) -> None:
    """At pre-activations of 30 autograd's own 1 - tanh**2 is exactly 0 in float64."""
    sizes = Sizes(2, 6, 8, 2, 12)
    fast, slow = build(arch, sizes, "torch"), Autograd(sizes, *CASES[arch][:2], states=CASES[arch][2])
    rng = torch.Generator().manual_seed(0)
    p, x, start = Parameters.zeros(2, fast.shapes()), zeros(2, 48, 2), zeros(2, 8, 12)
    for tensor in (p.flat, x, start):
        tensor.normal_(generator=rng)
    p["bias"].fill_(30.0)
    norms = []
    for recurrence in (fast, slow):
        trace = Trace(2, 6)
        recurrence.forward(p, x, keep=True)
        recurrence.through_time(p, Rows.of(start), trace)
        norms.append(trace.log10_norm())
    assert np.isfinite(norms[0]).all() and norms[0].min() < -10
    np.testing.assert_allclose(norms[1], norms[0], atol=1e-4)


def test_a_recurrence_of_ones_own_trains_in_a_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered recurrence is built by name like the others, and its cells may differ in their settings."""
    from sweeps.engine.recurrences import base
    from sweeps.engine.train import train

    monkeypatch.setitem(base._REGISTRY, "rnn_tanh", {"torch": lambda sizes: Autograd(sizes, ("h",), tanh_step)})
    settings = [make_cell(f"seed={seed}", "train.steps=20", "optim.lr=0.01") for seed in range(2)]
    assert isinstance(set_up(settings).network.recurrence, Autograd)
    measured = [m for row in train(settings, lambda training, lane: None) for m in row]
    first, last = (np.mean([m.eval_loss for m in measured if m.step == step]) for step in (0, 20))
    assert last < first
    assert np.isfinite([m.log10_norm for m in measured]).all()
