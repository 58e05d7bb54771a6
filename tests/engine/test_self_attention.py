"""The attention layer against torch.nn's encoder, what it may not see, and what it is not asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.whole_layers import WHOLE
from helpers import make_cell
from sweeps.check import checked
from sweeps.config.command_line import load
from sweeps.config.compose import Composer
from sweeps.engine.architectures import architecture
from sweeps.engine.setup import set_up
from sweeps.engine.train import prepare_process
from sweeps.engine.update import Update
from sweeps.errors import ConfigError

T, H = 9, 8


@pytest.mark.parametrize("pre_norm", [True, False])
def test_a_stack_is_that_of_torch_nn_in_states_gradients_and_record(pre_norm: bool) -> None:
    prepare_process()
    cell = make_cell(
        "arch=attention", f"arch.pre_norm={pre_norm}", "task=adding", f"task.length={T}", f"arch.hidden={H}",
        "train.batch=3", "stack.layers=3",
    )  # fmt: skip
    training = set_up([cell])
    network, draw = training.network, torch.Generator().manual_seed(0)
    for name, value in network.p.items():
        if not name.startswith("weight"):
            value.add_(torch.randn(value.shape, generator=draw) * 0.3)
    with torch.no_grad():
        update = Update(training)
        [loss], _ = update.backward(traced=True)
        record = update.log10_norm()[0][0]
    own = {name: value[0].double().requires_grad_() for name, value in network.p.items()}
    x = training.data.batch.x[0].double().unflatten(0, (T, -1))
    states: list[Tensor] = []
    for n in range(3):
        suffix = f"_l{n}" if n else ""
        names = network.layers[n].directions[0].p
        h = WHOLE["attention"](
            {name: own[name + suffix] for name in names}, states[-1] if n else x, **cell.arch.options
        )
        h.retain_grad()
        states.append(h)
    outputs = states[-1][-1] @ own["weight_out"] + own["bias_out"]
    want = torch.nn.functional.mse_loss(outputs, training.data.batch.y[0].double())
    want.backward()
    assert loss == pytest.approx(want.item(), rel=1e-5)
    for name, value in own.items():
        assert value.grad is not None
        scale = float(value.grad.abs().max())
        np.testing.assert_allclose(network.grads[name][0], value.grad, rtol=0, atol=1e-5 * scale + 1e-7, err_msg=name)
    for n, h in enumerate(states):
        assert h.grad is not None
        np.testing.assert_allclose(10 ** record[n], h.grad.flatten(1).norm(dim=1), rtol=1e-4, atol=1e-12)
    assert (record[2, :-1] == -np.inf).all(), "no later step of the highest layer reads an earlier one"
    assert np.isfinite(record[:2]).all()


@pytest.mark.parametrize("positions", [True, False])
def test_it_looks_back_and_never_ahead(positions: bool) -> None:
    """Without position numbers the steps before are a set: in another order they give the same last output."""
    made, draw = architecture("attention"), torch.Generator().manual_seed(1)
    options = {"heads": 2, "widen": 2, "pre_norm": True, "positions": positions}
    shapes = made.parameters_with(2, H, options)
    p = {name: torch.randn(1, *each.shape, generator=draw, dtype=torch.float64) for name, each in shapes.items()}
    x = torch.randn(1, T, 1, 2, generator=draw, dtype=torch.float64)
    layer = made.whole_with(options)
    h, changed = layer(p, x), x.clone()
    changed[:, 5] += 1.0
    differs = (layer(p, changed) != h).any(-1).flatten()
    assert not differs[:5].any() and differs[5:].all()
    turned = torch.cat([x[:, :-1].flip(1), x[:, -1:]], 1)
    assert torch.allclose(layer(p, turned)[:, -1], h[:, -1], rtol=1e-9) is not positions


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ("arch.heads=5", "arch.heads: given 5, must be a divisor of arch.hidden=64"),
        ("arch.widen=0", "arch.widen: given 0, must be an integer of at least 1"),
        ("stack.start=learned", "stack.start: given 'learned', must be zero with arch=attention"),
        ("stack.bidirectional=true", "stack.bidirectional: given true, must be false with arch=attention"),
        ("train.truncate=4", "train.truncate: given 4, must be 0 with arch=attention"),
        ("task=dates stack.kind=encoder_decoder", "stack.kind: given 'encoder_decoder', must be plain with"),
        ("task=char_lm", "must be another for task=char_lm, which is a stream"),
        ("task=unpack", "must be another for task=unpack, which makes its start states"),
        ("penalty=omega", "penalty: given 'omega', must be none or l2 with arch=attention"),
    ],
)
def test_what_needs_a_state_is_refused_before_training(overrides: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        checked([["arch=attention", *overrides.split()]], Composer(load))
    assert said in str(error.value) and len(error.value.problems) == 1
