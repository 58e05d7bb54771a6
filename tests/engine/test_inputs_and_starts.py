"""Sequences of different lengths, embedded inputs and start states made from a vector, against torch.nn in float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sweeps.config.schema import Stack
from sweeps.engine.adjoint import Trace
from sweeps.engine.network import Network, suffix
from sweeps.engine.recurrences import Sizes

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
MODULES = {"rnn_tanh": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
LANES, LENGTH, BATCH, SYMBOLS, HIDDEN, OUTPUTS, COLUMNS = 2, 9, 5, 6, 7, 3, 4
LENGTHS = torch.tensor([[9, 1, 4, 7, 4], [2, 9, 9, 1, 5]])
ENDS = (None, LENGTHS)


def network(arch: str, kernel: str, stack: Stack, every: bool, vector: int = 0) -> Network:
    sizes = Sizes(LANES, LENGTH, BATCH, SYMBOLS, HIDDEN)
    out = Network(arch, sizes, OUTPUTS, "cross_entropy", kernel, stack=stack, every=every, vector=vector)
    rng = torch.Generator().manual_seed(7)
    for value in out.p.values():
        value.copy_(torch.randn(value.shape, generator=rng) * 0.5)
    return out


class Truth:
    """Loss and gradients of one lane by torch.nn's module, an embedding before it and a linear map of the vector."""

    def __init__(self, net: Network, lane: int, x: Tensor, y: Tensor, lengths: Tensor | None, vector: Tensor | None):
        self.own = {name: value[lane].double().requires_grad_() for name, value in net.p.items()}
        own, stack, directions = self.own, net.stack, net.directions
        inputs = x[lane].double().view(LENGTH, BATCH, SYMBOLS)
        if stack.embedding:
            inputs = torch.nn.functional.embedding(inputs.argmax(-1), own["embedding"])
        kind: dict[str, Any] = {"nonlinearity": net.arch[4:]} if net.arch.startswith("rnn") else {}
        module = MODULES[net.arch](
            inputs.shape[-1], HIDDEN, stack.layers, bidirectional=stack.bidirectional, **kind
        ).double()
        state = None
        if vector is not None:
            made = [vector[lane].double() @ own["start_from" + suffix(*at)] for at in net.traced]
            if stack.start == "learned":
                made = [each + own["start" + suffix(*at)] for each, at in zip(made, net.traced, strict=True)]
            parts = [torch.stack([each.chunk(net.states, -1)[n] for each in made]) for n in range(net.states)]
            state = tuple(parts) if net.states == 2 else parts[0]
        weights = theirs(net, own)
        if lengths is None:
            states, end = torch.func.functional_call(module, weights, (inputs, state))
        else:
            packed = pack_padded_sequence(inputs, lengths[lane], enforce_sorted=False)
            found, end = torch.func.functional_call(module, weights, (packed, state))
            states, _ = pad_packed_sequence(found, total_length=LENGTH)
        last = end[0] if net.states == 2 else end
        own_steps = torch.full((BATCH,), LENGTH) if lengths is None else lengths[lane]
        inside = (torch.arange(LENGTH)[:, None] < own_steps).double()
        if net.every:
            read = states
        elif stack.readout == "mean":
            read = (states.sum(0) / own_steps[:, None])[None]  # padding is 0
        else:
            read = torch.cat(list(last[-directions:]), -1)[None]
        answer = read @ own["weight_out"] + own["bias_out"]
        each = torch.nn.functional.cross_entropy(
            answer.permute(0, 2, 1), y[lane].view(len(read), BATCH), reduction="none"
        )
        counts = inside if net.every else torch.ones_like(each)
        self.loss = (each * counts).sum() / counts.sum()
        self.gradients = dict(zip(own, torch.autograd.grad(self.loss, list(own.values())), strict=True))


def theirs(net: Network, own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of torch.nn's module."""
    out: dict[str, Tensor] = {}
    for n, d in net.traced:
        end, there = suffix(n, d), f"_l{n}" + ("_reverse" if d else "")
        gates = own["weight_hh"].shape[1] // HIDDEN
        order = [0, 1, 3, 2] if net.arch == "lstm" else list(range(gates))
        for mine, his in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias", "bias_ih")):
            blocks = own[mine + end].chunk(gates, -1)
            out[his + there] = (
                torch.cat([blocks[at] for at in order], -1).mT
                if mine != "bias"
                else torch.cat([blocks[at] for at in order], -1)
            )
        zeros = torch.zeros(gates * HIDDEN, dtype=torch.float64)
        out[f"bias_hh{there}"] = torch.cat([zeros[: 2 * HIDDEN], own["bias_hn" + end]]) if gates == 3 else zeros
    return out


def one_hot(rng: torch.Generator) -> Tensor:
    symbols = torch.randint(0, SYMBOLS, (LANES, LENGTH * BATCH), generator=rng)
    return torch.nn.functional.one_hot(symbols, SYMBOLS).float()


@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
@pytest.mark.parametrize("arch", ARCHS)
def test_agrees_with_torch_nn(arch: str, layers: int, bidirectional: bool, any_kernel: str) -> None:
    """Packed sequences of torch.nn.utils.rnn are the truth where lengths differ."""
    rng = torch.Generator().manual_seed(11)
    cases = itertools.product(("last", "mean", "every"), (0, 4), (0, COLUMNS), ENDS)
    for n, (readout, embedding, columns, lengths) in enumerate(cases):
        stack = Stack(
            layers,
            bidirectional,
            start="learned" if columns and n % 2 else "zero",
            readout="mean" if readout == "mean" else "last",
            embedding=embedding,
        )
        net = network(arch, any_kernel, stack, readout == "every", columns)
        x, vector = one_hot(rng), torch.randn(LANES, BATCH, COLUMNS, generator=rng) if columns else None
        answers = LENGTH * BATCH if net.every else BATCH
        y = torch.randint(0, OUTPUTS, (LANES, answers), generator=rng)
        weights = None
        if net.every and lengths is not None:
            weights = (torch.arange(LENGTH)[:, None] < lengths[:, None]).float().flatten(1)
        traces, totals = ([Trace(LANES, LENGTH) for _ in net.traced] for _ in range(2))
        with torch.no_grad():
            loss = net.gradients(x, y, traces, totals if net.every else [], weights, vector, {}, lengths)
        what, lane = f"{readout}, embedding {embedding}, vector {columns}, lengths {lengths is not None}", n % LANES
        want = Truth(net, lane, x, y, lengths, vector)
        assert float(loss[lane]) == pytest.approx(float(want.loss.detach()), rel=1e-5), what
        assert set(want.gradients) == set(net.grads), what
        for name, gradient in want.gradients.items():
            got, allowed = net.grads[name][lane].double(), 2e-5 * (gradient.abs() + gradient.abs().max()) + 1e-7
            assert ((got - gradient).abs() <= allowed).all(), f"{what}: {name}\n{got}\n{gradient}"
        again = [trace.log10_norm() for trace in traces]
        with torch.no_grad():
            net.through_time(x, y, traces, totals if net.every else [], weights, vector, {}, lengths)
        for before, trace in zip(again, traces, strict=True):
            np.testing.assert_array_equal(before, trace.log10_norm())


@pytest.mark.parametrize("readout", ["last", "mean", "every"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("arch", ARCHS)
def test_a_padded_batch_is_its_sequences_apart(arch: str, bidirectional: bool, readout: str, any_kernel: str) -> None:
    """Gradients and the gradient through time of a padded batch are the sums over its sequences, each on its own."""
    rng = torch.Generator().manual_seed(3)
    stack = Stack(2, bidirectional, readout="mean" if readout == "mean" else "last")
    every = readout == "every"
    net = network(arch, any_kernel, stack, every)
    x = one_hot(rng).view(LANES, LENGTH, BATCH, SYMBOLS)
    y = torch.randint(0, OUTPUTS, (LANES, LENGTH if every else 1, BATCH), generator=rng)
    inside = (torch.arange(LENGTH)[:, None] < LENGTHS[:, None]).float()
    x = torch.where(inside[..., None] > 0, x, torch.full_like(x, 1e4))  # nothing may read the padding
    traces, totals = ([Trace(LANES, LENGTH) for _ in net.traced] for _ in range(2))
    weights = inside.flatten(1) if every else None
    with torch.no_grad():
        net.gradients(x.flatten(1, 2), y.flatten(1), traces, totals if every else [], weights, None, {}, LENGTHS)
    lane, want = 1, {name: torch.zeros_like(value[1]).double() for name, value in net.grads.items()}
    squares = np.zeros((len(net.traced), LENGTH))
    for b, steps in enumerate(LENGTHS[lane].tolist()):
        alone = Network(
            arch, Sizes(1, steps, 1, SYMBOLS, HIDDEN), OUTPUTS, "cross_entropy", any_kernel, stack=stack, every=every
        )
        alone.p.flat.copy_(net.p.flat[lane : lane + 1])
        own = [Trace(1, steps) for _ in alone.traced]
        target = y[lane : lane + 1, :steps, b] if every else y[lane : lane + 1, :, b]
        with torch.no_grad():
            alone.gradients(
                x[lane : lane + 1, :steps, b].contiguous(), target, own, [Trace(1, steps) for _ in own] if every else []
            )
        part = steps / float(LENGTHS[lane].sum()) if every else 1 / BATCH
        for name, value in alone.grads.items():
            want[name] += part * value[0].double()
        for n, trace in enumerate(own):
            squares[n, :steps] += (10 ** trace.log10_norm()[0] / BATCH) ** 2
    for name, gradient in want.items():
        got, allowed = net.grads[name][lane].double(), 2e-5 * (gradient.abs() + gradient.abs().max()) + 1e-7
        assert ((got - gradient).abs() <= allowed).all(), f"{name}\n{got}\n{gradient}"
    with np.errstate(divide="ignore"):
        recorded = np.array([trace.log10_norm()[lane] for trace in traces])
        np.testing.assert_allclose(recorded, np.log10(squares) / 2, atol=2e-5)
