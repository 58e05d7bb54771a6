"""Every kind of network: layers, directions, readouts, start states and truncation, against torch.nn in float64.

The truth is a loop over torch.nn's cells: one time step, one direction and one layer after the other, with all states
detached at every cut, differentiated by autograd as a whole. Where torch.nn has the network as a module, that is a
second truth.
"""

from __future__ import annotations

import itertools
import zlib
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
LANES, LENGTH, BATCH, INPUTS, HIDDEN, OUTPUTS = 2, 7, 3, 2, 5, 4
READOUTS = ("last", "mean", "every", "weighted")
"""The last: an answer at every time step, with a weight for each, of which some are 0."""
STARTS = ("zero", "random", "learned")
CUTS = (0, 3)
NAMES = ("weight_ih", "weight_hh", "bias")


BETWEEN = (
    ("none", 0.0, False, 0.0, 0.0),
    ("layer", 0.0, False, 0.3, 0.0),
    ("none", 0.3, False, 0.0, 0.4),
    ("layer", 0.3, True, 0.2, 0.5),
    ("none", 0.0, True, 0.0, 0.3),
)
"""Normalisation, dropout between layers, residual connections, dropout of inputs and of outputs: each combination of
the others takes the next."""


class Case(NamedTuple):
    network: Network
    masks: dict[str, Tensor]
    x: Tensor
    y: Tensor
    weights: Tensor | None
    start: Tensor | None


@pytest.mark.parametrize("arch", ARCHS)
def test_a_residual_network_of_one_unit(arch: str, any_kernel: str) -> None:
    """Its gradient is that of its own loss, by central differences."""
    sizes = Sizes(1, 4, 2, 2, 1)
    network = Network(arch, sizes, 1, "mse", any_kernel, stack=Stack(layers=2, residual=True))
    rng = torch.Generator().manual_seed(5)
    network.p.flat.copy_(torch.rand(network.p.flat.shape, generator=rng))
    x, y = torch.rand(1, 8, 2, generator=rng), torch.rand(1, 2, 1, generator=rng)
    with torch.no_grad():
        network.gradients(x, y)
        weight, got = network.p["weight_ih"], float(network.grads["weight_ih"].sum())
        ends = []
        for step in (0.02, -0.02):
            weight += step
            ends.append(float(network.loss(network.forward(x), y)[0].mean()))
            weight -= step
    assert got == pytest.approx((ends[0] - ends[1]) / 0.04, rel=5e-3)


def case(
    arch: str, layers: int, bidirectional: bool, readout: str, start: str, cut: int, kernel: str, between: int
) -> Case:
    """A pack with random weights, biases, inputs and targets."""
    rng = torch.Generator().manual_seed(zlib.crc32(repr((layers, bidirectional, readout, start, cut)).encode()))
    every = readout in ("every", "weighted")
    between_layers = BETWEEN[between]
    read = "mean" if readout == "mean" else "last"
    stack = Stack(layers, bidirectional, start, read, *between_layers)
    sizes = Sizes(LANES, LENGTH, BATCH, INPUTS, HIDDEN, truncate=cut)
    loss = "cross_entropy" if layers == 2 else "mse"
    network = Network(arch, sizes, OUTPUTS, loss, kernel, stack=stack, every=every)
    for value in network.p.values():
        value.copy_(torch.randn(value.shape, generator=rng) * 0.6)
    answers = LENGTH * BATCH if every else BATCH
    y = torch.randn(LANES, answers, OUTPUTS, generator=rng)
    weights = torch.randint(0, 3, (LANES, LENGTH, BATCH), generator=rng).float()
    weights[:, 2] += 1  # some answer of each sequence counts
    masks = {}
    for place, (width, dropped) in network.drops.items():
        left = torch.full((LANES, LENGTH, BATCH, width), 1 - dropped)
        masks[place] = torch.bernoulli(left, generator=rng) / (1 - dropped)
    return Case(
        network,
        masks,
        torch.randn(LANES, LENGTH * BATCH, INPUTS, generator=rng),
        y if loss == "mse" else y.argmax(-1),
        weights.flatten(1) if readout == "weighted" else None,
        torch.randn(LANES, BATCH, network.state_width, generator=rng) if start == "random" else None,
    )


class Truth(NamedTuple):
    loss: Tensor
    gradients: dict[str, Tensor]  # by the names of the network
    last: np.ndarray  # ||dL/dh_t|| for the loss of each sequence's last answer, [layers * directions, T]
    total: np.ndarray  # for the loss of all answers


def truth(c: Case, lane: int) -> Truth:
    network, stack = c.network, c.network.stack
    directions, cut = (2 if stack.bidirectional else 1), network.sizes.truncate
    states = 2 if network.arch == "lstm" else 1
    own = {name: value[lane].double() for name, value in network.p.items()}
    x: list[Tensor] = list(c.x[lane].double().view(LENGTH, BATCH, INPUTS))
    if stack.input_dropout:
        x = [x_t * mask.double() for x_t, mask in zip(x, c.masks["inputs"][lane], strict=True)]
    seen: list[list[Tensor]] = []
    leaves: dict[str, tuple[Any, Tensor]] = {}
    for n in range(stack.layers):
        outputs = []
        for d in range(directions):
            end = (f"_l{n}" if n else "") + ("_reverse" if d else "")
            p = {name: own[name + end] for name in (*NAMES, "bias_hn") if name + end in own}
            cell, _ = cell_of(network.arch, p)
            leaves |= {name + end: (network.arch, getattr(cell, theirs)) for name, theirs in
                       zip(NAMES, ("weight_ih", "weight_hh", "bias_ih"), strict=True)}  # fmt: skip
            if "bias_hn" in p:
                leaves["bias_hn" + end] = ("hn", cell.bias_hh)
            begin = torch.zeros(BATCH, states * HIDDEN, dtype=torch.float64)
            if c.start is not None:
                at = (n * directions + d) * states * HIDDEN
                begin = c.start[lane, :, at : at + states * HIDDEN].double()
            if "start" + end in own:
                learned = own["start" + end].clone().requires_grad_()
                leaves["start" + end] = ("start", learned)
                begin = learned.expand(BATCH, -1)
            state: tuple[Tensor, ...] = begin.split(HIDDEN, -1)
            steps = []
            for t, x_t in enumerate(reversed(x) if d else x):
                if cut and t and (LENGTH - t) % cut == 0:
                    state = tuple(part.detach() for part in state)
                after = cell(x_t, state if states == 2 else state[0])
                state = after if states == 2 else (after,)
                steps.append(state[0])
            seen.append(steps)
            outputs.append(steps[::-1] if d else steps)
        below, x = x, [torch.cat(parts, -1) for parts in zip(*outputs, strict=True)]
        if n < stack.layers - 1:
            if stack.norm == "layer":
                end = f"_l{n}" if n else ""
                gain, bias = (own[name + end].clone().requires_grad_() for name in ("norm_gain", "norm_bias"))
                leaves |= {"norm_gain" + end: ("norm", gain), "norm_bias" + end: ("norm", bias)}
                x = [torch.nn.functional.layer_norm(y, y.shape[-1:], gain, bias) for y in x]
            if stack.dropout:
                x = [y * mask.double() for y, mask in zip(x, c.masks[str(n)][lane], strict=True)]
        if stack.residual and n:
            x = [y + under for y, under in zip(x, below, strict=True)]
    if stack.output_dropout:
        x = [y * mask.double() for y, mask in zip(x, c.masks["outputs"][lane], strict=True)]
    w, b = (own[name].clone().requires_grad_() for name in ("weight_out", "bias_out"))
    leaves |= {"weight_out": ("out", w), "bias_out": ("out", b)}
    if network.every:
        read = torch.stack(x)
    elif stack.readout == "mean":
        read = torch.stack(x).mean(0, keepdim=True)
    else:  # what each direction ends with
        parts = [x[-1][:, :HIDDEN], x[0][:, HIDDEN:]][:directions]
        read = torch.cat(parts, -1)[None]
    answer = read @ w + b  # [S, B, O]
    y = c.y[lane].view(len(answer), BATCH, *c.y.shape[2:])
    if network.loss_name == "mse":
        each = (answer - y.double()).square().mean(-1)
    else:
        each = torch.nn.functional.cross_entropy(answer.permute(0, 2, 1), y, reduction="none")
    counts = torch.ones_like(each) if c.weights is None else c.weights[lane].view(each.shape).double()
    loss = (each * counts).sum() / counts.sum()
    last = torch.stack([each[max(t for t in range(len(each)) if counts[t, s] > 0), s] for s in range(BATCH)]).mean()
    flat = [h for steps in seen for h in steps]

    def norms(of: Tensor) -> np.ndarray:
        found = torch.autograd.grad(of, flat, retain_graph=True, allow_unused=True)
        return np.array([0.0 if g is None else float(g.norm()) for g in found]).reshape(len(seen), LENGTH)

    by_last, total = norms(last), norms(loss)
    found = torch.autograd.grad(loss, [value for _, value in leaves.values()], allow_unused=True)
    gradients = {}
    for (name, (kind, value)), g in zip(leaves.items(), found, strict=True):
        gradient = torch.zeros_like(value) if g is None else g
        if kind == "hn":
            gradient = gradient[2 * HIDDEN :]
        elif kind == "lstm":  # torch orders the gates i, f, g, o
            i, f, g_, o = gradient.chunk(4, 0)
            gradient = torch.cat([i, f, o, g_], 0)
        gradients[name] = gradient.mT if kind in ARCHS and gradient.dim() == 2 else gradient
    return Truth(loss.detach(), gradients, by_last, total)


COMBINATIONS = list(itertools.product(READOUTS, STARTS, CUTS))
SHAPES = [
    (2, True, 5),
    *(pytest.param(*each, 1, marks=pytest.mark.slow) for each in itertools.product((1, 2, 3), (False, True))),
]
"""Layers, directions, and which of the combinations: every fifth from the architecture's place on, or all."""


@pytest.mark.parametrize(("layers", "bidirectional", "part"), SHAPES)
@pytest.mark.parametrize("arch", ARCHS)
def test_agrees_with_a_loop_over_the_cells_of_torch_nn(
    arch: str, layers: int, bidirectional: bool, part: int, any_kernel: str
) -> None:
    for n, (readout, start, cut) in enumerate(COMBINATIONS[ARCHS.index(arch) % part :: part]):
        lane = n % LANES
        between = (n + layers) % len(BETWEEN)
        what = f"readout {readout}, start {start}, truncate {cut}, {BETWEEN[between]}"
        c = case(arch, layers, bidirectional, readout, start, cut, any_kernel, between)
        network = c.network
        traces, totals = ([Trace(LANES, LENGTH) for _ in network.traced] for _ in range(2))
        totals = totals if network.every else []
        with torch.no_grad():
            losses = network.gradients(c.x, c.y, traces, totals, c.weights, c.start, c.masks)
        want = truth(c, lane)
        assert float(losses[lane]) == pytest.approx(float(want.loss), rel=1e-5), what
        assert set(want.gradients) == set(network.grads)
        # one rounding of float32 in the largest gradient: what cancels in a layer norm is left of numbers of that size
        rounding = 2.0**-23 * max(float(gradient.abs().max()) for gradient in want.gradients.values())
        for name, gradient in want.gradients.items():
            got, scale = network.grads[name][lane].double(), float(gradient.abs().max())
            allowed = 2e-5 * gradient.abs() + 2e-5 * scale + rounding
            assert ((got - gradient).abs() <= allowed).all(), f"{what}: {name}\n{got}\n{gradient}"
        for recorded, norms in ((traces, want.last), (totals or traces, want.total)):
            shown = np.array([trace.log10_norm()[lane] for trace in recorded])
            assert (np.isfinite(shown) == (norms > 0)).all(), what
            np.testing.assert_allclose(10**shown, norms, rtol=1e-4, err_msg=what)


MODULES = {"rnn_tanh": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def by_module(c: Case, lane: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients of torch.nn's own stack of layers and directions, with the weights of a lane, in float64."""
    network, stack = c.network, c.network.stack
    own = {name: value[lane].double().requires_grad_() for name, value in network.p.items()}
    directions, gates = 2 if stack.bidirectional else 1, own["weight_hh"].shape[1] // HIDDEN
    kind: dict[str, Any] = {"nonlinearity": network.arch[4:]} if network.arch.startswith("rnn") else {}
    module = MODULES[network.arch](INPUTS, HIDDEN, stack.layers, bidirectional=stack.bidirectional, **kind).double()
    order = [0, 1, 3, 2] if network.arch == "lstm" else list(range(gates))
    theirs: dict[str, Tensor] = {}
    states, h_0 = 2 if network.arch == "lstm" else 1, []
    for n, d in itertools.product(range(stack.layers), range(directions)):
        end, there = (f"_l{n}" if n else "") + ("_reverse" if d else ""), f"_l{n}" + ("_reverse" if d else "")

        def ordered(name: str, end: str = end) -> Tensor:
            blocks = own[name + end].chunk(gates, -1)
            return torch.cat([blocks[at] for at in order], -1)

        theirs |= {f"weight_ih{there}": ordered("weight_ih").mT, f"weight_hh{there}": ordered("weight_hh").mT}
        theirs[f"bias_ih{there}"] = ordered("bias")
        zeros = torch.zeros(gates * HIDDEN, dtype=torch.float64)
        theirs[f"bias_hh{there}"] = torch.cat([zeros[: 2 * HIDDEN], own["bias_hn" + end]]) if gates == 3 else zeros
        begin = torch.zeros(BATCH, states * HIDDEN, dtype=torch.float64)
        if c.start is not None:
            begin = c.start[lane].double().split(states * HIDDEN, -1)[n * directions + d]
        elif "start" + end in own:
            begin = own["start" + end].expand(BATCH, -1)
        h_0.append(begin.split(HIDDEN, -1))
    parts = [torch.stack(part) for part in zip(*h_0, strict=True)]
    x = c.x[lane].double().view(LENGTH, BATCH, INPUTS)
    y, state = torch.func.functional_call(module, theirs, (x, tuple(parts) if states == 2 else parts[0]))
    ends = state[0] if states == 2 else state
    read = (
        y
        if network.every
        else y.mean(0)[None]
        if stack.readout == "mean"
        else torch.cat(list(ends[-directions:]), -1)[None]
    )
    answer, target = read @ own["weight_out"] + own["bias_out"], c.y[lane].view(len(read), BATCH, *c.y.shape[2:])
    if network.loss_name == "mse":
        each = (answer - target.double()).square().mean(-1)
    else:
        each = torch.nn.functional.cross_entropy(answer.permute(0, 2, 1), target, reduction="none")
    counts = torch.ones_like(each) if c.weights is None else c.weights[lane].view(each.shape).double()
    loss = (each * counts).sum() / counts.sum()
    return loss.detach(), dict(zip(own, torch.autograd.grad(loss, list(own.values())), strict=True))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("arch", ARCHS)
def test_agrees_with_the_modules_of_torch_nn(arch: str, layers: int, bidirectional: bool, any_kernel: str) -> None:
    """Where torch.nn has the network: no cut, nothing between the layers."""
    for n, (readout, start) in enumerate(itertools.product(READOUTS, STARTS)):
        c = case(arch, layers, bidirectional, readout, start, 0, any_kernel, 0)
        with torch.no_grad():
            losses = c.network.gradients(c.x, c.y, (), (), c.weights, c.start)
        loss, gradients = by_module(c, n % LANES)
        assert float(losses[n % LANES]) == pytest.approx(float(loss), rel=1e-5), (readout, start)
        rounding = 2.0**-23 * max(float(gradient.abs().max()) for gradient in gradients.values())
        for name, gradient in gradients.items():
            got = c.network.grads[name][n % LANES].double()
            allowed = 2e-5 * (gradient.abs() + gradient.abs().max()) + rounding
            assert ((got - gradient).abs() <= allowed).all(), f"{readout}, {start}: {name}\n{got}\n{gradient}"
