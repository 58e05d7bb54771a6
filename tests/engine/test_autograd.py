"""Recurrences without a hand-written backward pass have the same interface, numbers and traces as those with one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import State, architecture
from sweeps.engine.extended import Rows
from sweeps.engine.memory import zeros
from sweeps.engine.parameters import Parameters
from sweeps.engine.recurrences import Sizes, build, choice
from sweeps.engine.recurrences.apart import Apart
from sweeps.engine.setup import set_up
from sweeps.probes.weights import parameter_rows

CASES = ("rnn_tanh", "lstm", "gru")


@pytest.mark.parametrize("arch", CASES)
@pytest.mark.parametrize("scale", [1e-12, 0.3, 1.0])
def test_equals_the_hand_written_backward(arch: str, scale: float) -> None:
    """Weights of scale 1e-12 drive the gradient hundreds of decades down."""
    sizes = Sizes(3, 40, 8, 2, 12)
    fast, slow = build(arch, sizes, "torch"), build(arch, sizes, "reference")
    shapes = {name: each.shape for name, each in architecture(arch).parameters(2, 12).items()}
    rng = torch.Generator().manual_seed(0)
    p, x, start = Parameters.zeros(3, shapes), zeros(3, 320, 2), zeros(3, 8, 12)
    for tensor in (p.flat, x, start):
        tensor.normal_(generator=rng)
    p.flat.mul_(0.4)
    p["weight_hh"].mul_(scale)
    results = []
    for recurrence in (fast, slow):
        grads, trace = Parameters.zeros(3, shapes), Trace(3, 40)
        h = recurrence.forward(p, x, keep=True)[:, -1].clone()
        recurrence.through_time(p, Rows.of(start), trace)
        recurrence.backward(p, x, start.clone(), grads)
        results.append((h, grads, trace.log10_norm()))
    (h_fast, g_fast, n_fast), (h_slow, g_slow, n_slow) = results
    torch.testing.assert_close(h_slow, h_fast, rtol=1e-5, atol=1e-6)
    for name in shapes:
        torch.testing.assert_close(g_slow[name], g_fast[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(n_slow, n_fast, atol=5e-5)
    if scale == 1e-12 and arch == "rnn_tanh":
        assert n_fast[:, 0].max() < -100


@pytest.mark.parametrize("arch", CASES)
def test_saturated_units_keep_their_derivative(arch: str) -> None:
    """At pre-activations of 30 autograd's own 1 - tanh**2 is exactly 0 in float64."""
    sizes = Sizes(2, 6, 8, 2, 12)
    fast, slow = build(arch, sizes, "torch"), build(arch, sizes, "reference")
    shapes = {name: each.shape for name, each in architecture(arch).parameters(2, 12).items()}
    rng = torch.Generator().manual_seed(0)
    p, x, start = Parameters.zeros(2, shapes), zeros(2, 48, 2), zeros(2, 8, 12)
    for tensor in (p.flat, x, start):
        tensor.normal_(generator=rng)
    p["bias"].fill_(30.0)
    if arch == "gru":
        p["bias"][:, 12:24] = -30.0  # a state that is all new: the one before it is reached through tanh' alone
    norms = []
    for recurrence in (fast, slow):
        trace = Trace(2, 6)
        recurrence.forward(p, x, keep=True)
        recurrence.through_time(p, Rows.of(start), trace)
        norms.append(trace.log10_norm())
    assert np.isfinite(norms[0]).all() and norms[0].min() < -10
    np.testing.assert_allclose(norms[1], norms[0], atol=1e-4)


def test_an_architecture_of_ones_own_trains_in_a_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered architecture is built by name like the others, and its cells may differ in their settings."""
    from sweeps.engine.architectures import base
    from sweeps.engine.train import train

    def step(p: base.Weights, x: Tensor, state: State) -> State:
        return (state[0] / 2 + (x @ p["u"] + state[0] @ p["w"]).tanh() / 2 + p["start"].unsqueeze(1),)

    def parameters(inputs: int, hidden: int, start: float) -> dict[str, base.Parameter]:
        return {
            "w": base.Parameter((hidden, hidden), "recurrent"),
            "u": base.Parameter((inputs, hidden), "input"),
            "start": base.Parameter((hidden,), values={"": start}),
        }

    monkeypatch.setitem(base._REGISTRY, "rnn_tanh", base.Architecture(parameters, step))
    monkeypatch.setattr(choice, "_FAST", {})
    cells = [make_cell(f"seed={seed}", "train.steps=20", "optim.lr=0.01", "init=identity") for seed in range(2)]
    cells = [replace(cell, arch=replace(cell.arch, options={"start": cell.seed / 4})) for cell in cells]
    training = set_up(cells)
    assert isinstance(training.network.layers[0].directions[0].recurrence, Apart)
    assert torch.equal(training.network.p["w"][0], torch.eye(cells[0].arch.hidden)), "the initialisation draws w"
    assert training.network.p["start"][:, 0].tolist() == [0.0, 0.25], "an option of its parameters, lane by lane"
    assert [row.parameter for row in parameter_rows(training, 1)] == ["w", "u", "start", "weight_out", "bias_out"]
    assert parameter_rows(training, 1)[0].sigma_max == pytest.approx(1.0)
    measured = [m for row in train(cells, lambda training, lane: None) for m in row]
    first, last = (np.mean([m.eval_loss for m in measured if m.step == step]) for step in (0, 20))
    assert last < first
    assert np.isfinite([m.log10_norm for m in measured]).all()
