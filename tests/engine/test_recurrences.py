"""Each recurrence is what it claims to be: against its definition in float64 with autograd, and against torch.nn.

Loss, every parameter's gradient and every dL/dh_t agree to float32 rounding over odd and even sizes, B = 1, all inits;
and so do all kernels. That the definition itself is right is for torch.nn to say, and for many digits (exactness).
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.other_cells import OTHERS
from engine.whole_layers import WHOLE
from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import architecture, registered
from sweeps.engine.data import Data
from sweeps.engine.network import Network
from sweeps.engine.reference import states
from sweeps.engine.setup import set_up

FAST = ("rnn_tanh", "rnn_relu", "lstm", "gru")
INITS = ("random", "xavier", "he", "orthogonal", "identity")
SIZES = ((1, 1, 1), (5, 7, 1), (8, 16, 3), (13, 17, 8), (6, 33, 9))  # T, H, B
ROUNDING = 1e-5
"""Relative to the largest value of the quantity. float32 has 6e-8; these are sums of up to some hundred terms, of which
some cancel."""


def network_of(arch: str, init: str, t: int, h: int, b: int, kernel: str, lanes: int = 3) -> tuple[Network, Data]:
    """A pack on the adding task (binary_sum for odd T, which has ten outputs) with non-zero biases."""
    task = "adding" if t % 2 == 0 else "binary_sum"
    settings = [
        make_cell(f"arch={arch}", f"init={init}", f"task={task}", f"task.length={t}", f"arch.hidden={h}",
                  f"train.batch={b}", f"seed={seed}")
        for seed in range(lanes)
    ]  # fmt: skip
    training = set_up(settings, kernel)
    rng = torch.Generator().manual_seed(0)
    for name, value in training.network.p.items():
        if name.startswith("bias"):
            value.copy_(torch.randn(value.shape, generator=rng) / 2)
    return training.network, training.data


def truth(network: Network, lane: int, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor], list[Tensor]]:
    """Loss, gradients and dL/dh_t of one lane, in float64 by autograd."""
    p = {name: value[lane : lane + 1].double().detach().requires_grad_() for name, value in network.p.items()}
    s = network.sizes
    inputs = x[lane : lane + 1].double().view(1, s.length, s.batch, s.inputs)
    h = states(architecture(network.arch), p, inputs, s.hidden)
    outputs = h[-1][0] @ p["weight_out"][0] + p["bias_out"][0]
    if network.loss_name == "mse":
        loss = torch.nn.functional.mse_loss(outputs, y[lane].double())
    else:
        loss = torch.nn.functional.cross_entropy(outputs, y[lane])
    gradients = torch.autograd.grad(loss, [*p.values(), *h])
    return loss.detach(), {n: g[0] for n, g in zip(p, gradients, strict=False)}, list(gradients[len(p) :])


def assert_close(got: Tensor, want: Tensor, what: str) -> None:
    scale = want.abs().max().item()
    error = (got.double() - want).abs().max().item()
    assert error <= ROUNDING * max(scale, 1e-3), f"{what}: error {error:.2e} at size {scale:.2e}"


@pytest.mark.parametrize("arch", FAST)
@pytest.mark.parametrize(("t", "h", "b"), SIZES)
def test_agrees_with_float64_autograd(arch: str, t: int, h: int, b: int, any_kernel: str) -> None:
    for init in INITS:
        network, data = network_of(arch, init, t, h, b, any_kernel)
        x, y, *_ = data.next()
        trace = Trace(network.sizes.lanes, t)
        losses = network.gradients(x, y, [trace])
        log10_norm = trace.log10_norm()
        for lane in range(network.sizes.lanes):
            loss, gradients, adjoints = truth(network, lane, x, y)
            assert_close(losses[lane], loss, f"{init} loss")
            for name, want in gradients.items():
                assert_close(network.grads[name][lane], want, f"{init} {name}")
            want_norms = torch.stack([adjoint.norm() for adjoint in adjoints]).numpy()
            nonzero = want_norms > 0
            np.testing.assert_allclose(10 ** log10_norm[lane][nonzero], want_norms[nonzero], rtol=1e-4)
            assert (log10_norm[lane][~nonzero] == -np.inf).all()


def in_torch_order(arch: str, w: Tensor) -> Tensor:
    """Our gate blocks `[..., G*H]` in the rows of torch.nn: transposed, and i, f, g, o for the LSTM."""
    blocks = list(w.chunk(4, -1)) if arch == "lstm" else [w]
    order = [0, 1, 3, 2] if arch == "lstm" else [0]
    return torch.cat([blocks[i] for i in order], -1).mT if w.dim() == 2 else torch.cat([blocks[i] for i in order], -1)


@pytest.mark.parametrize("arch", FAST)
def test_agrees_with_torch_nn(arch: str, any_kernel: str) -> None:
    t, h, b = 11, 20, 8
    network, data = network_of(arch, "xavier", t, h, b, any_kernel, lanes=2)
    x, y, *_ = data.next()
    network.gradients(x, y)
    for lane in range(2):
        i = network.sizes.inputs
        module: torch.nn.RNNBase
        if arch == "lstm":
            module = torch.nn.LSTM(i, h)
        elif arch == "gru":
            module = torch.nn.GRU(i, h)
        else:
            module = torch.nn.RNN(i, h, nonlinearity=arch.removeprefix("rnn_"))
        p = {name: value[lane].clone() for name, value in network.p.items()}
        theirs = dict(module.named_parameters())
        theirs["weight_ih_l0"].data = in_torch_order(arch, p["weight_ih"]).contiguous()
        theirs["weight_hh_l0"].data = in_torch_order(arch, p["weight_hh"]).contiguous()
        theirs["bias_ih_l0"].data = in_torch_order(arch, p["bias"])
        theirs["bias_hh_l0"].data = torch.zeros_like(theirs["bias_hh_l0"])
        if arch == "gru":
            theirs["bias_hh_l0"].data[2 * h :] = p["bias_hn"]
        module.flatten_parameters()
        out, _ = module(x[lane].view(t, b, i))
        outputs = out[-1] @ p["weight_out"] + p["bias_out"]
        torch.nn.functional.cross_entropy(outputs, y[lane]).backward()
        for name in ("weight_ih", "weight_hh", "bias"):
            want = theirs["bias_ih_l0" if name == "bias" else f"{name}_l0"].grad
            assert want is not None
            assert_close(in_torch_order(arch, network.grads[name][lane]), want.double(), name)


def test_every_architecture_that_ships_is_compared() -> None:
    assert set(FAST) | set(OTHERS) | set(WHOLE) == set(registered())


def test_gradient_is_the_slope_of_the_loss(kernel: str) -> None:
    """Finite differences of the engine's own loss, a route that shares nothing with the backward pass."""
    for arch, init in itertools.product(FAST, ("xavier", "orthogonal")):
        network, data = network_of(arch, init, 6, 9, 8, kernel, lanes=1)
        x, y, *_ = data.next()
        network.gradients(x, y)
        rng = torch.Generator().manual_seed(1)
        direction = torch.randn(network.p.flat.shape, generator=rng) * (network.grads.flat != 0)
        slope = float((network.grads.flat.double() * direction.double()).sum())
        start, step = network.p.flat.clone(), 1e-3
        values = []
        for sign in (+1, -1):
            network.p.flat.copy_(start + sign * step * direction)
            outputs = network.forward(x)
            values.append(float(network.loss(outputs, y)[0].double().mean()))
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=2e-2, abs=1e-4)
