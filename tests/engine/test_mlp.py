"""Feed-forward networks of many layers against torch.nn's; the record of each layer; what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.check import checked
from sweeps.config.command_line import load
from sweeps.config.compose import Composer
from sweeps.engine.setup import Training, set_up
from sweeps.engine.train import prepare_process
from sweeps.engine.update import Update
from sweeps.errors import ConfigError

T, H = 7, 6
PHI = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid}


def updated(*overrides: str) -> tuple[Training, float, np.ndarray]:
    """A pack of one cell, its loss, and its record `[layers, T]`."""
    prepare_process()
    training = set_up([make_cell(f"task.length={T}", f"arch.hidden={H}", "train.batch=3", *overrides)])
    for name, value in training.network.p.items():
        if name.startswith("bias"):
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(len(name))) * 0.3)
    with torch.no_grad():
        update = Update(training)
        [loss], _ = update.backward(traced=True)
        return training, loss, update.log10_norm()[0][0]


@pytest.mark.parametrize("phi", PHI)
@pytest.mark.parametrize("extra", [(), ("stack.embedding=4", "stack.norm=layer", "stack.residual=true")], ids=len)
def test_it_is_that_of_torch_nn(phi: str, extra: tuple[str, ...]) -> None:
    layers = 4
    training, loss, record = updated(f"arch=mlp_{phi}", f"stack.layers={layers}", *extra)
    network = training.network
    own = {name: value[0].double().requires_grad_() for name, value in network.p.items()}
    x = training.data.batch.x[0].double().unflatten(0, (T, -1))  # [T, B, I]
    if extra:
        x = x @ own["embedding"]
    h, hidden = x.permute(1, 0, 2).flatten(1), list[Tensor]()
    for n in range(layers):
        end = f"_l{n}" if n else ""
        linear = torch.nn.functional.linear(h, own[f"weight_ih{end}"].mT, own[f"bias{end}"])
        below, h = h, PHI[phi]()(linear)
        h.retain_grad()
        hidden.append(h)
        if extra and n < layers - 1:
            h = torch.nn.functional.layer_norm(h, (H,), own[f"norm_gain{end}"], own[f"norm_bias{end}"])
        if extra and n > 0:
            h = h + below
    outputs = h @ own["weight_out"] + own["bias_out"]
    want = torch.nn.functional.mse_loss(outputs, training.data.batch.y[0].double())
    want.backward()
    assert loss == pytest.approx(want.item(), rel=1e-5)
    assert set(own) == {*network.grads}
    for name, value in own.items():
        assert value.grad is not None
        scale = float(value.grad.abs().max())
        np.testing.assert_allclose(network.grads[name][0], value.grad, rtol=0, atol=2e-5 * scale, err_msg=name)
    found = [float(h.grad.norm()) for h in hidden if h.grad is not None]
    np.testing.assert_allclose(10 ** record[:, -1], found, rtol=1e-4)
    assert (record[:, :-1] == -np.inf).all(), "there is no output before the last time step"


def test_its_gradient_fades_over_layers_beyond_the_range_of_any_float() -> None:
    """Units that see one input each, with weight w: dL/dh^n is prod of w phi'(a^m) over the layers m above n."""
    layers, weight = 300, 0.03
    prepare_process()
    training = set_up([
        make_cell("arch=mlp_sigmoid", f"task.length={T}", "arch.hidden=2", "train.batch=1", f"stack.layers={layers}")
    ])  # fmt: skip
    p = training.network.p
    for n in range(1, layers):
        p[f"weight_ih_l{n}"].copy_(weight * torch.eye(2))
    with torch.no_grad():
        update = Update(training)
        update.backward(traced=True)
        record = update.log10_norm()[0][0][:, -1]
    a = 0.5
    for _ in range(60):  # the state that the layers run into
        a = 1 / (1 + math.exp(-float(p["weight_ih_l1"][0, 0, 0]) * a))
    factor = float(p["weight_ih_l1"][0, 0, 0]) * a * (1 - a)
    np.testing.assert_allclose(np.diff(record)[30:], -math.log10(factor), rtol=1e-6)
    assert record[0] < -600


def test_dropout_is_of_its_outputs_at_the_last_step_and_reaches_every_gradient() -> None:
    """A unit of layer 0 that is dropped in all sequences passes nothing back."""
    training = set_up([
        make_cell("arch=mlp_tanh", f"task.length={T}", f"arch.hidden={H}", "train.batch=1", "stack.layers=2",
                  "stack.dropout=0.5", "stack.input_dropout=0.2", "stack.output_dropout=0.2")
    ])  # fmt: skip
    with torch.no_grad():
        Update(training).backward()
    dropped = training.data.batch.masks["0"][0, -1, 0] == 0
    assert 0 < dropped.sum() < H
    assert ((training.network.grads["bias"][0] == 0) == dropped).all()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ("task=copy", "must be another for task=copy, which has an answer at every time step"),
        ("stack.readout=mean", "stack.readout: given 'mean', must be last with arch=mlp_relu"),
        ("stack.bidirectional=true", "stack.bidirectional: given true, must be false with arch=mlp_relu"),
        ("stack.start=random", "stack.start: given 'random', must be zero with arch=mlp_relu"),
        ("train.truncate=2", "train.truncate: given 2, must be 0 with arch=mlp_relu"),
    ],
)
def test_what_it_cannot_have_is_refused_before_training(overrides: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        checked([["arch=mlp_relu", *overrides.split()]], Composer(load))
    assert said in str(error.value) and len(error.value.problems) == 1
