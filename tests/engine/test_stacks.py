"""Recurrences one above the other, whole and truncated: loss, gradients and every dL/dh_t of every layer.

The truth is torch.nn's cells in float64, one time step and one layer after the other, with all states detached at every
cut; and over a thousand steps a textbook's backward pass in 80-bit floats and in many digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.torch_cells import cell_of
from engine.truth import LONG, MANY, stacked
from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.layer import Layer
from sweeps.engine.network import Network
from sweeps.engine.setup import set_up
from sweeps.engine.update import Update

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
LENGTH, HIDDEN, BATCH, SEEDS = 13, 9, 5, (3, 4)


def stack(arch: str, layers: int, every: int, kernel: str) -> tuple[Network, Tensor, Tensor]:
    """Networks with biases that are not zero, and a batch."""
    settings = [
        make_cell(f"arch={arch}", "init=xavier", "task=binary_sum", f"task.length={LENGTH}", f"arch.hidden={HIDDEN}",
                  f"train.batch={BATCH}", f"train.truncate={every}", f"stack.layers={layers}", f"seed={seed}")
        for seed in SEEDS
    ]  # fmt: skip
    training = set_up(settings, kernel)
    rng = torch.Generator().manual_seed(1)
    for name, value in training.network.p.items():
        if name.startswith("bias"):
            value.copy_(torch.randn(value.shape, generator=rng) / 2)
    return training.network, *training.data.next()[:2]


def weights_of(p: Any, lane: int, layer: int) -> dict[str, Tensor]:
    """The parameters of one layer under the names without its number: they end in `_l1`, `_l2`."""
    end = f"_l{layer}" if layer else ""
    names = ("weight_ih", "weight_hh", "bias", "bias_hn")
    return {name: p[name + end][lane] for name in names if name + end in p}


def truth(
    network: Network, lane: int, layers: int, every: int, x: Tensor, y: Tensor
) -> tuple[Tensor, list[tuple[Tensor, ...]], np.ndarray]:
    """The loss; gradients of weights and biases of every layer in torch's order; ||dL/dh_t||, [layers, T]."""
    cells = [
        cell_of(network.arch, {name: value.double() for name, value in weights_of(network.p, lane, n).items()})[0]
        for n in range(layers)
    ]
    zero = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    state: list[Any] = [(zero, zero) if network.arch == "lstm" else zero for _ in cells]
    seen: list[list[Tensor]] = [[] for _ in cells]
    for t, x_t in enumerate(x[lane].double().view(LENGTH, BATCH, -1)):
        below = x_t
        for n, cell in enumerate(cells):
            before = state[n]
            if every and t and (LENGTH - t) % every == 0:
                before = tuple(part.detach() for part in before) if isinstance(before, tuple) else before.detach()
            state[n] = cell(below, before)
            below = state[n][0] if isinstance(state[n], tuple) else state[n]
            seen[n].append(below)
    w, b = (network.p[name][lane].double() for name in ("weight_out", "bias_out"))
    loss = torch.nn.functional.cross_entropy(seen[-1][-1] @ w + b, y[lane])
    own = [(cell.weight_ih, cell.weight_hh, cell.bias_ih) for cell in cells]
    flat = [*(each for group in own for each in group), *(h for states in seen for h in states)]
    found = torch.autograd.grad(loss, flat, allow_unused=True)
    norms = [0.0 if each is None else float(each.norm()) for each in found[3 * layers :]]
    gradients = [
        tuple(torch.zeros_like(p) if g is None else g for p, g in zip(own[n], found[3 * n : 3 * n + 3], strict=True))
        for n in range(layers)
    ]
    return loss.detach(), gradients, np.array(norms).reshape(layers, LENGTH)


@pytest.mark.parametrize("every", [0, 1, 4, 12, 20])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("arch", ARCHS)
def test_agrees_with_the_cells_of_torch_nn(arch: str, layers: int, every: int, any_kernel: str) -> None:
    network, x, y = stack(arch, layers, every, any_kernel)
    traces = [Trace(len(SEEDS), LENGTH) for _ in range(layers)]
    with torch.no_grad():
        losses = network.gradients(x, y, traces)
    for lane in range(len(SEEDS)):
        loss, gradients, norms = truth(network, lane, layers, every, x, y)
        assert float(losses[lane]) == pytest.approx(float(loss), rel=1e-5)
        for n, wanted in enumerate(gradients):
            _, ordered = cell_of(arch, {name: each.double() for name, each in weights_of(network.p, lane, n).items()})
            found = weights_of(network.grads, lane, n)
            for name, want in zip(("weight_ih", "weight_hh", "bias"), wanted, strict=True):
                got = ordered(found[name].double())
                scale = float(want.abs().max())
                torch.testing.assert_close(got.mT if got.dim() == 2 else got, want, rtol=1e-5, atol=1e-5 * scale + 1e-9)
            recorded, some = traces[n].log10_norm()[lane], norms[n] > 0
            assert some.sum() == (min(every, LENGTH) if every else LENGTH), "the loss reaches these states, no other"
            np.testing.assert_allclose(10 ** recorded[some], norms[n][some], rtol=1e-4)
            assert (recorded[~some] == -np.inf).all()


def test_a_deep_and_a_shallow_network_of_one_seed_share_their_first_layer() -> None:
    shallow, deep = (set_up([make_cell("arch=lstm", f"stack.layers={n}", "seed=5")]).network for n in (1, 3))
    for name in ("weight_ih", "weight_hh", "bias"):
        assert torch.equal(shallow.p[name], deep.p[name])
    assert not torch.equal(deep.p["weight_hh"], deep.p["weight_hh_l1"])
    assert deep.p["weight_ih_l2"].shape == (1, 8, 32) and list(deep.p)[-2:] == ["weight_out", "bias_out"]


@pytest.mark.parametrize("lanes", [2, 7])
def test_a_lane_of_a_stack_has_the_same_bits_alone_and_in_a_pack(lanes: int, any_kernel: str) -> None:
    def bits(seeds: range) -> tuple[Tensor, np.ndarray]:
        cells = [make_cell("arch=gru", "stack.layers=2", "arch.hidden=17", f"seed={seed}") for seed in seeds]
        training = set_up(cells, any_kernel)
        update = Update(training)
        with torch.no_grad():
            for _ in range(3):
                update.backward(traced=True)
                norms, _ = update.log10_norm()
                update.clip()
                update.apply()
        return training.network.p.flat, norms

    together, traces = bits(range(lanes))
    for seed in range(lanes):
        alone, trace = bits(range(seed, seed + 1))
        assert torch.equal(alone[0], together[seed]) and np.array_equal(trace[0], traces[seed])


@pytest.mark.parametrize(("arch", "init"), [("rnn_tanh", "random"), ("gru", "xavier"), ("lstm", "orthogonal")])
def test_two_layers_over_a_thousand_steps(arch: str, init: str, any_kernel: str) -> None:
    """Far below float32's range, and below float64's: what travels between layers carries its power of two."""
    steps = 1000
    more = ("arch.forget_bias=-2",) if arch == "lstm" else ()
    cell = make_cell(f"arch={arch}", f"init={init}", "stack.layers=2", f"task.length={steps}", "train.batch=2",
                     "arch.hidden=8", f"init.gain={0.3 if arch == 'gru' else 1}", *more)  # fmt: skip
    training = set_up([cell], any_kernel)
    if arch == "gru":
        for name in ("bias", "bias_l1"):
            training.network.p[name][..., 8:16].fill_(-4.0)  # the update gate keeps little
    network, (x, y, *_) = training.network, training.data.next()
    traces = [Trace(1, steps), Trace(1, steps)]
    with torch.no_grad():
        network.through_time(x, y, traces)
    p = [{name: value.numpy() for name, value in weights_of(network.p, 0, n).items()} for n in range(2)]
    readout = {name: network.p[name][0].numpy() for name in ("weight_out", "bias_out")}
    inputs = x[0].view(steps, 2, -1).numpy()
    want = stacked(arch, p, readout, inputs, y[0].numpy(), network.loss_name, LONG)
    assert want.min() < -320, "the case must leave float64's range to prove anything"
    got = np.array([trace.log10_norm()[0] for trace in traces])
    np.testing.assert_allclose(got, want, atol=4.3e-5)


def active_like(layer: Layer) -> Callable[[int, str, np.ndarray], np.ndarray]:
    """Gives each pre-activation the sign that it has in the engine's last forward pass."""
    h: Tensor = layer.directions[0].recurrence.h[0]  # type: ignore[attr-defined]
    active = (h[-1000:] > 0).numpy()
    return lambda t, name, a: np.where(active[t], abs(a), -abs(a))


@pytest.mark.slow
@pytest.mark.parametrize(("arch", "gain"), [("rnn_tanh", 0.6), ("rnn_relu", 1.25), ("gru", 0.3), ("lstm", 0.5)])
def test_answers_at_every_step_and_a_start_over_a_thousand_steps(arch: str, gain: float, any_kernel: str) -> None:
    """Two layers, truth in 80-bit floats: the gradient of the last answer's loss, and of the loss of all answers.

    States of the relu network grow by 1e26, and their rounding with them: there the truth takes which units are active
    from the engine.
    """
    cell = make_cell(f"arch={arch}", "init=orthogonal", f"init.gain={gain}", "stack.layers=2", "task=copy",
                     "task.length=980", "stack.start=learned", "train.batch=2", "arch.hidden=8",
                     *(("arch.forget_bias=-2",) if arch == "lstm" else ()))  # fmt: skip
    training = set_up([cell], any_kernel)
    network, (x, y, *_) = training.network, training.data.next()
    rng = torch.Generator().manual_seed(6)
    for name in ("start", "start_l1"):
        network.p[name].copy_(torch.randn(network.p[name].shape, generator=rng))
    if arch == "gru":
        for name in ("bias", "bias_l1"):
            network.p[name][..., 8:16].fill_(-3.0)  # the update gate keeps little
    traces, totals = ([Trace(1, 1000), Trace(1, 1000)] for _ in range(2))
    with torch.no_grad():
        network.through_time(x, y, traces, totals)
    p = [{name: value.numpy() for name, value in weights_of(network.p, 0, n).items()} for n in range(2)]
    readout = {name: network.p[name][0].numpy() for name in ("weight_out", "bias_out")}
    starts = []
    for name in ("start", "start_l1"):
        parts = np.split(network.p[name][0].numpy(), 2 if arch == "lstm" else 1)
        starts.append((np.tile(parts[0], (2, 1)), np.tile(parts[-1], (2, 1))))
    inputs, targets = x[0].view(1000, 2, -1).numpy(), y[0].view(1000, 2).numpy()
    for recorded, target in ((traces, targets[-1]), (totals, targets)):
        moves = [active_like(layer) for layer in network.layers] if arch == "rnn_relu" else None
        want = stacked(arch, p, readout, inputs, target, network.loss_name, LONG, starts, moves)
        got = np.array([trace.log10_norm()[0] for trace in recorded])
        np.testing.assert_allclose(got, want, atol=4.3e-5)
        if recorded is traces:
            assert want.max() > 20 if arch == "rnn_relu" else want.min() < -180


def planted(arch: str, kernel: str, length: int, **values: float) -> tuple[Network, Tensor, Tensor]:
    """A stack of two layers of one unit with these weights, all others 0 but `weight_out`; inputs 0, target 1."""
    training = set_up([make_cell(f"arch={arch}", "stack.layers=2", "arch.hidden=1", f"task.length={length}",
                                 "train.batch=1")], kernel)  # fmt: skip
    network, (x, y, *_) = training.network, training.data.next()
    network.p.flat.zero_()
    network.p["weight_out"].fill_(1.0)
    for name, value in values.items():
        network.p[name].fill_(value)
    x.zero_()
    y.fill_(1.0)
    return network, x, y


def test_a_dead_step_below_hides_nothing_of_what_comes_down(any_kernel: str) -> None:
    """After a unit that is dead at one step its adjoint is 0, and what comes from above is all there is."""
    length = 400
    network, x, y = planted("rnn_relu", any_kernel, length, weight_hh=1.0, weight_ih_l1=1.0, weight_hh_l1=0.01)
    network.p["weight_ih"].fill_(1.0)
    x[0, :, 0] = 1e-3
    x[0, 200, 0] = -1e3  # dead here, and alive again from the next step on
    x[0, 201, 0] = 1.0
    traces = [Trace(1, length), Trace(1, length)]
    with torch.no_grad():
        network.through_time(x, y, traces)
    own = {name: value[0].numpy() for name, value in network.p.items()}
    readout = {name: own[name] for name in ("weight_out", "bias_out")}
    p = [{name: own[name + end] for name in ("weight_ih", "weight_hh", "bias")} for end in ("", "_l1")]
    want = stacked("rnn_relu", p, readout, x[0].view(length, 1, -1).numpy(), y[0].numpy(), network.loss_name, LONG)
    assert np.isfinite(want[0, 199]) and want[0, 199] < -300
    np.testing.assert_allclose(np.array([trace.log10_norm()[0] for trace in traces]), want, atol=1e-4)


def test_an_update_gate_that_is_shut_passes_down_what_its_slope_lets_through(kernel: str) -> None:
    """z is 1 to hundreds of decades in the upper layer: what goes down is not scaled by what goes back."""
    length = 6
    network, x, y = planted("gru", kernel, length, weight_ih=0.9, weight_hh=0.4, weight_ih_l1=0.7, weight_hh_l1=0.5)
    network.p["bias_l1"][0, 1] = 760.0  # of the update gate: blocks r, z, n
    x.fill_(0.5)
    traces = [Trace(1, length), Trace(1, length)]
    with torch.no_grad():
        network.through_time(x, y, traces)
    own = {name: value[0].numpy() for name, value in network.p.items()}
    readout = {name: own[name] for name in ("weight_out", "bias_out")}
    p = [{name: own[name + end] for name in ("weight_ih", "weight_hh", "bias", "bias_hn")} for end in ("", "_l1")]
    want = stacked("gru", p, readout, x[0].view(length, 1, -1).numpy(), y[0].numpy(), network.loss_name, MANY)
    assert want[0].max() < -320 < want[1].min()
    np.testing.assert_allclose(np.array([trace.log10_norm()[0] for trace in traces]), want, atol=1e-3)


def test_the_80_bit_floats_of_the_truth_have_digits_enough() -> None:
    cell = make_cell("arch=lstm", "stack.layers=2", "task.length=60", "train.batch=2", "arch.hidden=3")
    training = set_up([cell])
    network, (x, y, *_) = training.network, training.data.next()
    p = [{name: value.numpy() for name, value in weights_of(network.p, 0, n).items()} for n in range(2)]
    readout = {name: network.p[name][0].numpy() for name in ("weight_out", "bias_out")}
    long, many = (
        stacked("lstm", p, readout, x[0].view(60, 2, -1).numpy(), y[0].numpy(), network.loss_name, digits)
        for digits in (LONG, MANY)
    )
    np.testing.assert_allclose(long, many, atol=1e-12)
