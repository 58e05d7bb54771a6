"""The textbook network is right by three routes, and the engine agrees with it.

Central finite differences share nothing with its backward pass; the product of Jacobians is another way back; an
orthogonal matrix has a closed form. The engine is then held to it on loss, every gradient and every dL/dh_t.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps import textbook
from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows
from sweeps.engine.network import Network
from sweeps.engine.setup import set_up
from sweeps.textbook import Array, Loss, Weights

LOSSES: dict[str, Loss] = {"mse": textbook.squared_error, "cross_entropy": textbook.cross_entropy}
ROUNDING = 5e-6
"""Of the engine's float32, relative to the largest value of the quantity; sums of up to some hundred terms."""


def a_network(t: int = 6, b: int = 3, i: int = 2, h: int = 5, o: int = 4, scale: float = 0.7) -> tuple[Weights, Array]:
    """Weights, all of them non-zero, and inputs `[T, B, I]`."""
    rng = np.random.default_rng(0)
    shapes = ((i, h), (h, h), (h,), (h, o), (o,))
    return Weights(*(rng.normal(0, scale, shape) for shape in shapes)), rng.normal(0, 1, (t, b, i))


def targets(loss: str, b: int = 3, o: int = 4) -> Array:
    rng = np.random.default_rng(1)
    return rng.integers(0, o, b) if loss == "cross_entropy" else rng.normal(0, 1, (b, o))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_gradient_is_a_slope_of_the_loss(loss: str) -> None:
    weights, x = a_network()
    target, step = targets(loss), 1e-5
    found = textbook.through_time(weights, x, target, LOSSES[loss])

    def value(moved: Weights) -> float:
        return LOSSES[loss](textbook.forward(moved, x)[1], target)[0]

    for name, weight in weights._asdict().items():
        slopes = np.empty_like(weight)
        for index in np.ndindex(weight.shape):
            nudge = np.zeros_like(weight)
            nudge[index] = step
            up, down = (weights._replace(**{name: weight + sign * nudge}) for sign in (1, -1))
            slopes[index] = (value(up) - value(down)) / (2 * step)
        np.testing.assert_allclose(getattr(found.gradients, name), slopes, rtol=1e-6, atol=1e-9, err_msg=name)
        assert np.abs(slopes).max() > 1e-3, "a gradient of zero would prove nothing"


@pytest.mark.parametrize("loss", LOSSES)
def test_every_dl_dh_is_the_slope_against_that_state(loss: str) -> None:
    """Push one unit of one h_t, let the network run on from there, look at the loss."""
    weights, x = a_network()
    target, step = targets(loss), 1e-5
    found = textbook.through_time(weights, x, target, LOSSES[loss])
    states, _ = textbook.forward(weights, x)

    def value_from(t: int, h: Array) -> float:
        for x_s in x[t + 1 :]:
            h = np.tanh(x_s @ weights.weight_ih + h @ weights.weight_hh + weights.bias)
        return LOSSES[loss](h @ weights.weight_out + weights.bias_out, target)[0]

    for t, h in enumerate(states):
        slopes = np.empty_like(h)
        for index in np.ndindex(h.shape):
            nudge = np.zeros_like(h)
            nudge[index] = step
            slopes[index] = (value_from(t, h + nudge) - value_from(t, h - nudge)) / (2 * step)
        np.testing.assert_allclose(found.dL_dh[t], slopes, rtol=1e-6, atol=1e-9, err_msg=f"t={t}")


def test_the_way_back_is_the_product_of_jacobians() -> None:
    """Pascanu et al. 2013, eq. 5; and no more comes back than the largest singular value lets through."""
    weights, x = a_network(t=9)
    found = textbook.through_time(weights, x, targets("mse"))
    states, _ = textbook.forward(weights, x)
    factors = textbook.jacobians(weights, states)
    product = np.broadcast_to(np.eye(5), (3, 5, 5))
    for t in reversed(range(8)):
        product = product @ factors[t + 1]
        np.testing.assert_allclose(found.dL_dh[t], (found.dL_dh[-1][:, None] @ product)[:, 0], rtol=1e-12)
        largest = np.linalg.svd(product, compute_uv=False)[:, 0]
        assert (np.linalg.norm(found.dL_dh[t], axis=-1) <= largest * np.linalg.norm(found.dL_dh[-1], axis=-1)).all()


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_a_silent_orthogonal_network_scales_the_gradient_by_its_gain_per_step(gain: float) -> None:
    """Closed form: without input every state is 0, every slope 1, and the Jacobian is the matrix itself."""
    weights, x = a_network(t=30)
    q, _ = np.linalg.qr(weights.weight_hh)
    silent = weights._replace(weight_hh=gain * q, bias=np.zeros(5))
    norms = np.linalg.norm(textbook.through_time(silent, 0 * x, targets("mse")).dL_dh, axis=(1, 2))
    np.testing.assert_allclose(norms / norms[-1], gain ** np.arange(29.0, -1, -1), rtol=1e-12)


def test_float32_stays_float32_and_underflows() -> None:
    """The weights decide the precision: what the first notebook shows."""
    weights, x = a_network(t=60, scale=0.01)
    narrow = Weights(*(weight.astype(np.float32) for weight in weights))
    wide = textbook.through_time(weights, x, targets("mse"))
    found = textbook.through_time(narrow, x.astype(np.float32), targets("mse").astype(np.float32))
    assert {array.dtype for array in (*found.gradients, found.dL_dh)} == {np.dtype(np.float32)}
    assert not found.dL_dh[0].any()
    assert wide.dL_dh[0].any()


def test_it_is_plain_numpy() -> None:
    """A reader needs nothing else, and an oracle may share no code with what it judges."""
    tree = ast.parse(Path(textbook.__file__).read_text(encoding="utf-8"))
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert froms | plain == {"__future__", "collections.abc", "typing", "numpy", "numpy.typing"}


class Tape(Trace):
    """Keeps the adjoints themselves, where the engine's trace keeps their norms."""

    def __init__(self, k: int, t: int) -> None:
        super().__init__(k, t)
        self.seen: dict[int, torch.Tensor] = {}

    def note(self, t: int, dh: Rows) -> None:
        self.seen[t] = dh.down_to(torch.zeros_like(dh.exponent))


def engines(task: str, init: str, t: int, h: int, b: int, kernel: str) -> tuple[Network, torch.Tensor, torch.Tensor]:
    """Three networks of the engine with non-zero biases, and a batch."""
    given = (f"task={task}", f"init={init}", f"task.length={t}", f"arch.hidden={h}", f"train.batch={b}")
    pack = set_up([make_cell("arch=rnn_tanh", *given, f"seed={seed}") for seed in range(3)], kernel)
    rng = torch.Generator().manual_seed(0)
    for name in ("bias", "bias_out"):
        bias = pack.network.p[name]
        bias.copy_(torch.randn(bias.shape, generator=rng) / 2)
    return pack.network, *pack.data.next()[:2]


def truth(network: Network, lane: int, x: torch.Tensor, y: torch.Tensor) -> textbook.Backward:
    """The same network, batch and loss in the textbook, in float64."""
    s = network.sizes
    weights = Weights(**{name: network.p[name][lane].double().numpy() for name in Weights._fields})
    inputs = x[lane].double().numpy().reshape(s.length, s.batch, s.inputs)
    target = y[lane].numpy() if network.loss_name == "cross_entropy" else y[lane].double().numpy()
    return textbook.through_time(weights, inputs, target, LOSSES[network.loss_name])


def assert_close(got: Any, want: Any, what: str) -> None:
    scale = max(float(np.abs(want).max()), 1e-3)
    np.testing.assert_allclose(np.asarray(got), want, rtol=0, atol=ROUNDING * scale, err_msg=what)


@pytest.mark.parametrize("kernel", ["torch", "auto"])  # auto: the native one, where it can be built
@pytest.mark.parametrize("init", ["random", "xavier", "he", "orthogonal", "identity"])
@pytest.mark.parametrize(("task", "t", "h", "b"), [("adding", 12, 16, 8), ("adding", 2, 3, 4), ("binary_sum", 9, 7, 3)])
def test_the_engine_agrees(kernel: str, init: str, task: str, t: int, h: int, b: int) -> None:
    network, x, y = engines(task, init, t, h, b, kernel)
    trace = Trace(3, t)
    losses = network.gradients(x, y, [trace])
    for lane in range(3):
        want = truth(network, lane, x, y)
        assert_close(losses[lane], want.loss, "loss")
        for name, gradient in want.gradients._asdict().items():
            assert_close(network.grads[name][lane], gradient, name)
        with np.errstate(divide="ignore"):
            norms = np.log10(np.linalg.norm(want.dL_dh, axis=(1, 2)))
        np.testing.assert_allclose(trace.log10_norm()[lane], norms, rtol=0, atol=5e-5)


@pytest.mark.parametrize("init", ["xavier", "orthogonal"])
def test_the_engine_agrees_on_every_element_of_every_dl_dh(init: str) -> None:
    network, x, y = engines("adding", init, 12, 16, 8, "torch")
    tape = Tape(3, 12)
    network.gradients(x, y, [tape])
    assert sorted(tape.seen) == list(range(12))
    for lane in range(3):
        want = truth(network, lane, x, y).dL_dh
        for t, dh in tape.seen.items():
            scale = np.abs(want[t]).max()
            np.testing.assert_allclose(dh[lane].numpy(), want[t], rtol=0, atol=1e-5 * scale, err_msg=f"t={t}")


def test_the_record_goes_on_where_float32_ends() -> None:
    """Forty decades below float32's range the engine's log10 is that of the textbook in float64."""
    network, x, y = engines("adding", "random", 60, 16, 8, "auto")
    trace = Trace(3, 60)
    network.gradients(x, y, [trace])
    for lane in range(3):
        want = np.log10(np.linalg.norm(truth(network, lane, x, y).dL_dh, axis=(1, 2)))
        assert want[0] < -38 - 40
        np.testing.assert_allclose(trace.log10_norm()[lane], want, rtol=0, atol=5e-5)
