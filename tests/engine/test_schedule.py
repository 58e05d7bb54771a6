"""Schedules are their namesakes in torch.optim.lr_scheduler, lane by lane and in one pack, or their closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import Optimizer, lr_scheduler

from helpers import make_cell
from sweeps.config.places import choices
from sweeps.config.schema import Settings
from sweeps.engine.optim import OPTIMIZERS
from sweeps.engine.schedule import SCHEDULES, At, Schedules
from sweeps.engine.setup import set_up
from sweeps.engine.train import train

STEPS, WARMUP, LR = 400, 30, 0.02


def cell(*overrides: str) -> Settings:
    return make_cell(f"train.steps={STEPS}", f"optim.lr={LR}", *overrides)


def after_warmup(then: Callable[[Optimizer], Any], warmup: int) -> Callable[[Optimizer], Any]:
    """torch's way to say it: from 1/w by 1/w a call up to 1, then the other."""

    def made(optimizer: Optimizer) -> Any:
        rising = lr_scheduler.LinearLR(optimizer, 1 / warmup, 1.0, warmup - 1)
        return lr_scheduler.SequentialLR(optimizer, [rising, then(optimizer)], [warmup])

    return made if warmup else then


def torchs(name: str, warmup: int) -> Callable[[Optimizer], Any]:
    left = STEPS - warmup
    plain: dict[str, Callable[[Optimizer], Any]] = {
        "constant": lambda o: lr_scheduler.ConstantLR(o, 1.0),
        "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, left, eta_min=0.1 * LR),
        "linear": lambda o: lr_scheduler.LinearLR(o, 1.0, 0.1, left),
        "step": lambda o: lr_scheduler.StepLR(o, 50, 0.3),
        "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.995),
        "inverse_sqrt": lambda o: lr_scheduler.LambdaLR(
            o, lambda n: min((n + 1) / max(1, warmup), math.sqrt(max(1, warmup) / (n + 1)))
        ),
        "noam": lambda o: lr_scheduler.LambdaLR(
            o, lambda n: 64**-0.5 * min((n + 1) ** -0.5, (n + 1) * max(1, warmup) ** -1.5)
        ),
    }
    return plain[name] if name in ("inverse_sqrt", "noam") else after_warmup(plain[name], warmup)


OWN = {
    "cosine": ("schedule.final=0.1",),
    "linear": ("schedule.final=0.1",),
    "step": ("schedule.every=50", "schedule.factor=0.3"),
    "exponential": ("schedule.factor=0.995",),
    "noam": ("schedule.width=64",),
}
LANES = [(name, warmup) for name in SCHEDULES if name != "plateau" for warmup in (0, WARMUP)]


@pytest.mark.parametrize("optim", ["sgd", "adamw"])
def test_training_under_each_is_torchs_lane_by_lane(optim: str) -> None:
    """All schedules in one pack, on the same gradients, hundreds of updates: rates to 1e-6, weights to rounding."""
    cells = [
        cell(f"schedule={name}", f"schedule.warmup={warmup}", *OWN.get(name, ()), f"optim={optim}")
        for name, warmup in LANES
    ]
    schedules = Schedules(cells)
    options: dict[str, Any] = {key: float(value) for key, value in cells[0].optim.options.items()}
    rng = torch.Generator().manual_seed(0)
    start, gradients = torch.randn(64, generator=rng), torch.randn(STEPS, 64, generator=rng)
    ours = start.repeat(len(cells), 1)
    optimizer = OPTIMIZERS[optim](ours, [{"lr": LR, **options}] * len(cells))
    rates = []
    for n, g in enumerate(gradients):
        optimizer.change_lr(schedules.rates(n))
        rates.append(optimizer.lr)
        optimizer.step(ours, g.expand_as(ours))
    for k, (name, warmup) in enumerate(LANES):
        p = torch.nn.Parameter(start.double())
        theirs: Optimizer = torch.optim.SGD([p], lr=LR)
        if optim == "adamw":
            betas = options["beta1"], options["beta2"]
            theirs = torch.optim.AdamW([p], LR, betas, options["eps"], options["weight_decay"])
        scheduler = torchs(name, warmup)(theirs)
        way = 0.0
        for n, g in enumerate(gradients):
            assert rates[n][k] == pytest.approx(theirs.param_groups[0]["lr"], rel=2e-6, abs=1e-12), (name, n)
            p.grad, before = g.double(), p.detach().clone()
            theirs.step()
            scheduler.step()
            way += (p.detach() - before).abs().mean().item()
        error = (ours[k] - p.detach()).abs().max().item()
        assert error <= STEPS * 2**-24 * 4 + 5e-5 * way, (name, warmup)


def test_a_plateau_is_torchs_on_any_losses() -> None:
    """Random walks of losses, ties, nan and inf; each lane with its own patience, factor, threshold and floor."""
    settings = [(0, 0.5, 1e-4, 0.0), (3, 0.1, 0.0, 0.01), (10, 0.7, 0.05, 0.2)]
    cells = [
        cell("schedule=plateau", f"schedule.patience={p}", f"schedule.factor={f}", f"schedule.threshold={t}",
             f"schedule.final={least}") for p, f, t, least in settings
    ]  # fmt: skip
    schedules = Schedules(cells)
    rng = np.random.default_rng(0)
    losses = np.round(np.exp(0.2 * rng.standard_normal((300, 3)).cumsum(0) - 0.01 * np.arange(300)[:, None]), 2)
    losses[7], losses[100:105] = np.nan, np.inf
    optimizers = [torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR) for _ in settings]
    theirs = [
        lr_scheduler.ReduceLROnPlateau(o, factor=f, patience=p, threshold=t, min_lr=least * LR, eps=0.0)
        for o, (p, f, t, least) in zip(optimizers, settings, strict=True)
    ]
    cuts = 0
    for n, row in enumerate(losses):
        schedules.patience.evaluated(row.tolist())
        for scheduler, loss in zip(theirs, row, strict=True):
            scheduler.step(loss)
        wanted = [o.param_groups[0]["lr"] for o in optimizers]
        assert schedules.rates(n) == pytest.approx(wanted, rel=1e-12), n
        cuts += len({*wanted} - {LR})
    assert cuts > 100


def test_the_original_warm_up_is_the_one_that_is_printed() -> None:
    """d^-0.5 min(s^-0.5, s w^-1.5): its top is at s = w, of (d w)^-0.5."""
    factors = [SCHEDULES["noam"](At(n, 4000, 100_000), width=512) for n in range(20_000)]
    assert int(np.argmax(factors)) + 1 == 4000 and max(factors) == pytest.approx((512 * 4000) ** -0.5, rel=1e-12)
    assert factors[0] == pytest.approx(512**-0.5 * 4000**-1.5, rel=1e-12)
    assert factors[15_999] == pytest.approx(512**-0.5 * 16_000**-0.5, rel=1e-12)


def test_the_recorded_rate_is_that_of_the_update_and_moves_the_weights() -> None:
    """Plain SGD: the first two updates move by 1/4 and 2/4 of the rate times the gradient."""
    warm = make_cell("optim=sgd", "optim.lr=0.1", "schedule.warmup=4", "train.log_every=1", "train.eval_every=6")
    rows = [m for row in train([warm], lambda *given: None) for m in row]
    assert [m.lr for m in rows] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1])
    still = make_cell("optim=sgd", "optim.lr=0.025", "train.log_every=1", "train.eval_every=6")
    others = [m for row in train([still], lambda *given: None) for m in row]
    assert rows[1].train_loss == others[1].train_loss and rows[2].train_loss != others[2].train_loss


def test_a_constant_rate_changes_nothing_in_memory() -> None:
    assert not set_up([make_cell()]).schedules.change
    assert set_up([make_cell(), make_cell("schedule=cosine")]).schedules.change


def test_each_schedule_starts_at_its_rate_and_never_rises_after_the_warm_up() -> None:
    for name in choices("schedule"):
        schedules = Schedules([cell(f"schedule={name}", "schedule.warmup=20")])
        rates = [schedules.rates(n)[0] for n in range(STEPS + 1)]
        assert rates[:20] == sorted(rates[:20]) and rates[19:] == sorted(rates[19:], reverse=True), name
        assert max(rates) == pytest.approx(LR if name != "noam" else LR * (512 * 20) ** -0.5), name


@pytest.mark.parametrize("warmup", [6, 100])
def test_a_warm_up_beyond_the_run_is_refused(warmup: int) -> None:
    with pytest.raises(ValueError, match=rf"schedule\.warmup: given {warmup}, must be below train\.steps=6"):
        make_cell(f"schedule.warmup={warmup}")
