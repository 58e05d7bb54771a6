"""L2 in the loss is what autograd makes of loss + strength / 2 ||w||^2; clipping is of the sum, the record without."""

from __future__ import annotations

import pytest
import torch

from helpers import make_cell
from sweeps.engine.clip import global_norm
from sweeps.engine.setup import set_up
from sweeps.engine.train import train
from sweeps.engine.update import Update

STRENGTHS = (0.0, 0.3, 2.0)


def test_the_gradient_is_autograds_of_the_penalised_loss(kernel: str) -> None:
    plain = make_cell("arch=rnn_tanh", "seed=3")
    cells = [plain, *(make_cell("seed=3", "penalty=l2", f"penalty.strength={each}") for each in STRENGTHS)]
    training = set_up(cells, kernel)
    with torch.no_grad():
        losses, norms = Update(training).backward()
    x, y, *_ = training.data.batch
    for k, strength in enumerate((0.0, *STRENGTHS)):
        p = {name: value[k].clone().requires_grad_() for name, value in training.network.p.items()}
        h = torch.zeros(8, 8)
        for x_t in x[k].unflatten(0, (6, 8)):
            h = (x_t @ p["weight_ih"] + h @ p["weight_hh"] + p["bias"]).tanh()
        loss = (h @ p["weight_out"] + p["bias_out"] - y[k]).square().mean()
        whole = loss + strength / 2 * sum(each.square().sum() for each in p.values())
        wanted = dict(zip(p, torch.autograd.grad(whole, list(p.values())), strict=True))
        for name, own in wanted.items():
            torch.testing.assert_close(training.network.grads[name][k], own, rtol=1e-5, atol=1e-6)
        norm = torch.cat([each.flatten() for each in wanted.values()]).norm().item()
        assert (losses[k], norms[k]) == pytest.approx((loss.item(), norm), rel=1e-5), "the loss is the task's alone"
    assert torch.equal(training.network.grads.flat[0], training.network.grads.flat[1])


def test_clipping_is_of_the_penalised_gradient() -> None:
    cell = make_cell("penalty=l2", "penalty.strength=50", "clip=norm", "clip.threshold=0.5")
    training = set_up([cell])
    with torch.no_grad():
        update = Update(training)
        _, [norm] = update.backward()
        update.clip()
        assert norm > 50 and update.clipped_norm() == [pytest.approx(0.5, rel=1e-5)]
    assert global_norm(training.network.grads.flat).item() == pytest.approx(0.5, rel=1e-5)


def test_for_plain_sgd_it_is_decoupled_decay() -> None:
    """w - lr (g + d w) and (1 - lr d) w - lr g are one, to rounding; for Adam they are not."""

    def losses(*overrides: str) -> list[float]:
        cell = make_cell("train.steps=40", "train.log_every=1", "train.eval_every=40", "optim.lr=0.05", *overrides)
        return [m.train_loss for row in train([cell], lambda *given: None) for m in row]

    decay = ("optim.weight_decay=0.5",)
    one = losses("optim=sgd", "penalty=l2", "penalty.strength=0.5")
    assert one == pytest.approx(losses("optim=sgdw", "optim.momentum=0", *decay), rel=1e-5)
    assert one != pytest.approx(losses("optim=sgd"), rel=1e-3)
    adam = losses("optim=adam", "penalty=l2", "penalty.strength=0.5")
    assert adam != pytest.approx(losses("optim=adamw", *decay), rel=1e-3)
