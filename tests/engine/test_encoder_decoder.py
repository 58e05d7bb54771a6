"""An encoder and a decoder, with and without attention: loss, gradients and every dL/dh_t along both.

The truth is a loop over torch.nn's cells in float64, with a softmax written out, differentiated by autograd as a whole.
Far below float64's range it is a textbook's backward pass in many digits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.torch_cells import cell_of
from sweeps.config.schema import Stack
from sweeps.engine.adjoint import Trace
from sweeps.engine.network import Network
from sweeps.engine.recurrences import Sizes

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
LANES, LENGTH, SOURCE, BATCH, INPUTS, HIDDEN, OUTPUTS = 2, 9, 5, 3, 2, 5, 4
KINDS = (("plain", "dot"), ("encoder_decoder", "none"), ("encoder_decoder", "dot"))
NAMES = ("weight_ih", "weight_hh", "bias", "bias_hn")


class Case(NamedTuple):
    network: Network
    x: Tensor
    y: Tensor
    weights: Tensor
    start: Tensor | None
    masks: dict[str, Tensor]


def case(arch: str, stack: Stack, kernel: str, loss: str = "cross_entropy") -> Case:
    rng = torch.Generator().manual_seed(11)
    sizes = Sizes(LANES, LENGTH, BATCH, INPUTS, HIDDEN, source=SOURCE)
    network = Network(arch, sizes, OUTPUTS, loss, kernel, stack=stack, every=True)
    for value in network.p.values():
        value.copy_(torch.randn(value.shape, generator=rng) * (0.3 if arch == "rnn_relu" else 0.6))
    x = torch.randn(LANES, LENGTH * BATCH, INPUTS, generator=rng)
    y = torch.randn(LANES, LENGTH * BATCH, OUTPUTS, generator=rng)
    weights = torch.randint(0, 3, (LANES, LENGTH, BATCH), generator=rng).float()
    weights[:, :SOURCE], weights[:, SOURCE + 1] = 0, 1
    start = torch.randn(LANES, BATCH, network.state_width, generator=rng) if stack.start == "random" else None
    shape = (LANES, LENGTH, BATCH, HIDDEN)
    masks = {str(n): torch.bernoulli(torch.full(shape, 0.7), generator=rng) / 0.7 for n in range(stack.layers - 1)}
    y = y if loss == "mse" else y.argmax(-1)
    return Case(network, x, y, weights.flatten(1), start, masks if stack.dropout else {})


class Wanted(NamedTuple):
    loss: Tensor
    gradients: dict[str, Tensor]
    last: np.ndarray  # [layers, T]
    total: np.ndarray


def truth(c: Case, lane: int) -> Wanted:
    network, stack = c.network, c.network.stack
    states = 2 if network.arch == "lstm" else 1
    own = {name: value[lane].double() for name, value in network.p.items()}
    leaves: dict[str, tuple[Any, Tensor]] = {}

    def cell(n: int, decoder: bool) -> Any:
        end = ("_decoder" if decoder else "") + (f"_l{n}" if n else "")
        p = {name: own[name + end] for name in NAMES if name + end in own}
        made, _ = cell_of(network.arch, p)
        for name, theirs in zip(NAMES, ("weight_ih", "weight_hh", "bias_ih", "bias_hh"), strict=True):
            if name in p:
                leaves[name + end] = ("hn" if name == "bias_hn" else network.arch, getattr(made, theirs))
        return made

    x, seen = list(c.x[lane].double().view(LENGTH, BATCH, INPUTS)), []
    for n in range(stack.layers):
        encoder = cell(n, False)
        decoder = cell(n, True) if stack.kind == "encoder_decoder" else encoder
        begin = torch.zeros(BATCH, states * HIDDEN, dtype=torch.float64)
        if c.start is not None:
            begin = c.start[lane].double().split(states * HIDDEN, -1)[n]
        elif stack.start == "learned":
            name = "start" + (f"_l{n}" if n else "")
            leaves[name] = ("start", own[name].clone().requires_grad_())
            begin = leaves[name][1].expand(BATCH, -1)
        state, out = begin.split(HIDDEN, -1), []
        for t, x_t in enumerate(x):
            after = (encoder if t < SOURCE else decoder)(x_t, state if states == 2 else state[0])
            state = after if states == 2 else (after,)
            out.append(state[0])
        seen.append(out)
        below, x = x, out
        if n < stack.layers - 1 and c.masks:
            x = [y * mask.double() for y, mask in zip(x, c.masks[str(n)][lane], strict=True)]
        if stack.residual and n:
            x = [y + under for y, under in zip(x, below, strict=True)]
    if stack.attention == "dot":
        read = [torch.cat([e, torch.zeros_like(e)], -1) for e in x[:SOURCE]]
        for h in x[SOURCE:]:
            scores = torch.stack([(h * e).sum(-1) for e in x[:SOURCE]])  # [S, B]
            weight = (scores - scores.detach().amax(0)).exp()
            context = sum(a.unsqueeze(-1) * e for a, e in zip(weight / weight.sum(0), x[:SOURCE], strict=True))
            read.append(torch.cat([h, context], -1))
        x = read
    w, b = (own[name].clone().requires_grad_() for name in ("weight_out", "bias_out"))
    leaves |= {"weight_out": ("out", w), "bias_out": ("out", b)}
    answer, y = torch.stack(x) @ w + b, c.y[lane].view(LENGTH, BATCH, *c.y.shape[2:])
    if network.loss_name == "mse":
        each = (answer - y.double()).square().mean(-1)
    else:
        each = torch.nn.functional.cross_entropy(answer.permute(0, 2, 1), y, reduction="none")
    counts = c.weights[lane].view(LENGTH, BATCH).double()
    loss = (each * counts).sum() / counts.sum()
    last = torch.stack([each[max(t for t in range(LENGTH) if counts[t, s] > 0), s] for s in range(BATCH)]).mean()
    flat = [h for out in seen for h in out]

    def norms(of: Tensor) -> np.ndarray:
        found = torch.autograd.grad(of, flat, retain_graph=True, allow_unused=True)
        return np.array([0.0 if g is None else float(g.norm()) for g in found]).reshape(len(seen), LENGTH)

    by_last, total = norms(last), norms(loss)
    gradients = {}
    for name, (kind, value) in leaves.items():
        (gradient,) = torch.autograd.grad(loss, value, retain_graph=True)
        if kind == "hn":
            gradient = gradient[2 * HIDDEN :]
        elif kind == "lstm":  # torch orders the gates i, f, g, o
            i, f, g, o = gradient.chunk(4, 0)
            gradient = torch.cat([i, f, o, g], 0)
        gradients[name] = gradient.mT if kind in ARCHS and gradient.dim() == 2 else gradient
    return Wanted(loss.detach(), gradients, by_last, total)


STACKS = [
    (1, "zero", 0.0, False, "cross_entropy"),
    (1, "learned", 0.0, False, "mse"),
    (2, "random", 0.3, False, "mse"),
    (3, "learned", 0.0, True, "cross_entropy"),
]


@pytest.mark.parametrize(("kind", "attention"), KINDS)
@pytest.mark.parametrize("arch", ARCHS)
def test_agrees_with_a_loop_over_the_cells_of_torch_nn(arch: str, kind: str, attention: str, any_kernel: str) -> None:
    for n, (layers, start, dropout, residual, loss) in enumerate(STACKS):
        stack = Stack(layers, start=start, dropout=dropout, residual=residual, kind=kind, attention=attention)
        c, lane = case(arch, stack, any_kernel, loss), n % LANES
        network = c.network
        traces, totals = ([Trace(LANES, LENGTH) for _ in network.traced] for _ in range(2))
        with torch.no_grad():
            losses = network.gradients(c.x, c.y, traces, totals, c.weights, c.start, c.masks)
        want = truth(c, lane)
        assert float(losses[lane]) == pytest.approx(float(want.loss), rel=1e-5), stack
        assert set(want.gradients) == set(network.grads)
        for name, gradient in want.gradients.items():
            got = network.grads[name][lane].double()
            allowed = 2e-5 * (gradient.abs() + gradient.abs().max()) + 1e-7
            assert ((got - gradient).abs() <= allowed).all(), f"{stack}: {name}\n{got}\n{gradient}"
        for recorded, norms in ((traces, want.last), (totals, want.total)):
            shown = np.array([trace.log10_norm()[lane] for trace in recorded])
            assert (np.isfinite(shown) == (norms > 0)).all(), stack
            np.testing.assert_allclose(10**shown, norms, rtol=1e-4, err_msg=str(stack))


def test_gradients_are_those_of_the_loss_by_central_differences(any_kernel: str) -> None:
    """Each parameter along a random direction; the network is its own witness."""
    c = case("lstm", Stack(2, kind="encoder_decoder", attention="dot"), any_kernel)
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        c.network.gradients(c.x, c.y, (), (), c.weights)
        for name, value in c.network.p.items():
            direction = torch.randn(value.shape, generator=rng)
            slope = (c.network.grads[name] * direction).double().flatten(1).sum(1)
            ends = []
            for step in (0.004, -0.004):
                value += step * direction
                each, _ = c.network.loss(c.network.forward(c.x), c.y)
                ends.append((each * c.weights).double().sum(1) / c.weights.sum(1))
                value -= step * direction
            np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 0.008, rtol=2e-2, atol=1e-3, err_msg=name)
