"""`train.truncate=k` cuts the gradient through time every k steps, counted from the end.

The truth is torch.nn's cells in float64, one time step after the other, with the state detached at every cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.network import Network
from sweeps.engine.setup import set_up

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
LENGTH, HIDDEN, BATCH = 13, 9, 5


def cell_of(arch: str, p: dict[str, Tensor]) -> tuple[Any, Callable[[Tensor], Tensor]]:
    """torch.nn's cell with these weights, which it holds transposed; and what puts gate blocks into its order."""
    inputs, hidden = len(p["weight_ih"]), len(p["weight_hh"])
    kinds = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}
    if arch in kinds:
        cell = kinds[arch](inputs, hidden, dtype=torch.float64)
    else:
        cell = torch.nn.RNNCell(inputs, hidden, nonlinearity=arch[4:], dtype=torch.float64)
    order = [0, 1, 3, 2] if arch == "lstm" else list(range(p["weight_hh"].shape[1] // hidden))

    def ordered(w: Tensor) -> Tensor:
        return torch.cat([w.chunk(len(order), -1)[at] for at in order], -1)

    bias_hh = torch.zeros_like(p["bias"])
    if arch == "gru":
        bias_hh[2 * hidden :] = p["bias_hn"]
    with torch.no_grad():
        cell.weight_ih.copy_(ordered(p["weight_ih"]).mT)
        cell.weight_hh.copy_(ordered(p["weight_hh"]).mT)
        cell.bias_ih.copy_(ordered(p["bias"]))
        cell.bias_hh.copy_(ordered(bias_hh))
    return cell, ordered


def truth(network: Network, x: Tensor, y: Tensor, every: int) -> tuple[dict[str, Tensor], np.ndarray]:
    """Gradients of the recurrent and the input weights, in torch's order, and ||dL/dh_t||, of lane 0."""
    p = {name: value[0].double() for name, value in network.p.items()}
    cell, _ = cell_of(network.arch, p)
    state: Any = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    state = (state, state) if network.arch == "lstm" else state
    states = []
    for t, x_t in enumerate(x[0].double().view(LENGTH, BATCH, -1)):
        if t and (LENGTH - t) % every == 0:
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        state = cell(x_t, state)
        states.append(state[0] if isinstance(state, tuple) else state)
    loss = torch.nn.functional.cross_entropy(states[-1] @ p["weight_out"] + p["bias_out"], y[0])
    names = {"weight_ih": cell.weight_ih, "weight_hh": cell.weight_hh, "bias": cell.bias_ih}
    gradients = torch.autograd.grad(loss, [*names.values(), *states], allow_unused=True)
    norms = [0.0 if each is None else float(each.norm()) for each in gradients[len(names) :]]
    return {name: each for name, each in zip(names, gradients, strict=False) if each is not None}, np.array(norms)


@pytest.mark.parametrize("every", [1, 3, 4, 12, 13, 20])
@pytest.mark.parametrize("arch", ARCHS)
def test_gradients_are_those_of_a_state_detached_at_every_cut(arch: str, every: int, any_kernel: str) -> None:
    settings = [
        make_cell(f"arch={arch}", "init=xavier", "task=binary_sum", f"task.length={LENGTH}", f"arch.hidden={HIDDEN}",
                  f"train.batch={BATCH}", f"train.truncate={every}", f"seed={seed}")
        for seed in (3, 4)
    ]  # fmt: skip
    training = set_up(settings, any_kernel)
    network, (x, y) = training.network, training.data.next()
    for name in ("bias", *(["bias_hn"] if arch == "gru" else [])):
        network.p[name].copy_(torch.randn(network.p[name].shape, generator=torch.Generator().manual_seed(1)) / 2)
    trace = Trace(2, LENGTH)
    with torch.no_grad():
        network.gradients(x, y, trace)
    gradients, norms = truth(network, x, y, every)
    _, ordered = cell_of(arch, {name: value[0].double() for name, value in network.p.items()})
    for name, want in gradients.items():
        got = ordered(network.grads[name][0].double())
        torch.testing.assert_close(got.mT if got.dim() == 2 else got, want, rtol=1e-5, atol=1e-7)
    kept = norms > 0
    assert kept.sum() == min(every, LENGTH), "the loss reaches the last `every` states and no other"
    got = trace.log10_norm()[0]
    np.testing.assert_allclose(10 ** got[kept], norms[kept], rtol=1e-4)
    assert (got[~kept] == -np.inf).all()
