"""Each optimiser is its namesake in torch.optim in float64, lane by lane, with different settings in one pack."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sweeps.engine.optim import OPTIMIZERS

STEPS = 300
SGD = [
    {"lr": 0.1, "momentum": 0.0, "nesterov": 0.0},
    {"lr": 0.003, "momentum": 0.9, "nesterov": 0.0},
    {"lr": 0.003, "momentum": 0.9, "nesterov": 1.0},
    {"lr": 1.0, "momentum": 0.5, "nesterov": 1.0},
]
LANES = {
    "sgd": SGD,
    "sgdw": [{**lane, "weight_decay": decay} for lane, decay in zip(SGD, (0.0, 0.5, 1e-4, 0.01), strict=True)],
    "rmsprop": [{"lr": 0.1, "alpha": 0.99, "eps": 1e-8}, {"lr": 1e-3, "alpha": 0.9, "eps": 1e-5}],
    "adam": [
        {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        {"lr": 1e-4, "beta1": 0.5, "beta2": 0.9, "eps": 1e-3},
        {"lr": 0.02, "beta1": 0.0, "beta2": 0.99, "eps": 1e-8},
    ],
    "adamw": [
        {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0},
        {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
        {"lr": 0.03, "beta1": 0.5, "beta2": 0.9, "eps": 1e-4, "weight_decay": 1.5},
    ],
}


class SgdW(torch.optim.SGD):
    """torch has none: its SGD, and before it the decay."""

    def __init__(self, p: torch.nn.Parameter, lane: dict[str, float]) -> None:
        super().__init__([p], lr=lane["lr"], momentum=lane["momentum"], nesterov=bool(lane["nesterov"]))
        self.p, self.kept = p, 1 - lane["lr"] * lane["weight_decay"]

    def step(self, closure: Any = None) -> Any:
        with torch.no_grad():
            self.p.mul_(self.kept)
        return super().step(closure)


def stock(name: str, p: torch.nn.Parameter, lane: dict[str, float]) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD([p], lr=lane["lr"], momentum=lane["momentum"], nesterov=bool(lane["nesterov"]))
    if name == "sgdw":
        return SgdW(p, lane)
    if name == "rmsprop":
        return torch.optim.RMSprop([p], lr=lane["lr"], alpha=lane["alpha"], eps=lane["eps"])
    betas = lane["beta1"], lane["beta2"]
    if name == "adamw":
        return torch.optim.AdamW([p], lr=lane["lr"], betas=betas, eps=lane["eps"], weight_decay=lane["weight_decay"])
    return torch.optim.Adam([p], lr=lane["lr"], betas=betas, eps=lane["eps"])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_matches_torch_lane_by_lane(name: str) -> None:
    lanes = LANES[name]
    rng = torch.Generator().manual_seed(0)
    start = torch.randn(len(lanes), 64, generator=rng)
    gradients = torch.randn(STEPS, len(lanes), 64, generator=rng)
    ours = start.clone()
    optimizer = OPTIMIZERS[name](ours, lanes)
    for g in gradients:
        optimizer.step(ours, g)
    for k, lane in enumerate(lanes):
        p = torch.nn.Parameter(start[k].double())
        theirs = stock(name, p, lane)
        way = 0.0
        for g in gradients[:, k]:
            p.grad, before = g.double(), p.detach().clone()
            theirs.step()
            way += (p.detach() - before).abs().mean().item()
        error = (ours[k] - p.detach()).abs().max().item()
        rounding = STEPS * 2**-24 * start[k].abs().max().item() + 5e-5 * way  # 1 - 0.999 in float32 is 5e-5 off
        assert error <= rounding, f"lane {k}: {error} on a way of {way}"


@pytest.mark.parametrize("name", ["adamw", "sgdw"])
def test_a_weight_that_the_loss_ignores_falls_by_its_decay_alone(name: str) -> None:
    """(1 - lr weight_decay)^n, the closed form; L2 in the loss would move it by Adam's own steps, of about lr."""
    lanes = LANES[name]
    w = torch.ones(len(lanes), 32)
    optimizer = OPTIMIZERS[name](w, lanes)
    for _ in range(STEPS):
        optimizer.step(w, torch.zeros_like(w))
    wanted = torch.tensor([(1 - lane["lr"] * lane["weight_decay"]) ** STEPS for lane in lanes])
    torch.testing.assert_close(w, wanted[:, None].expand_as(w), rtol=1e-5, atol=0.0)


def test_a_lane_without_nesterov_has_the_bits_it_has_alone() -> None:
    g = torch.randn(20, len(SGD), 32, generator=torch.Generator().manual_seed(1))
    packed = torch.zeros(len(SGD), 32)
    optimizer = OPTIMIZERS["sgd"](packed, SGD)
    for each in g:
        optimizer.step(packed, each)
    for k, lane in enumerate(SGD):
        alone = torch.zeros(1, 32)
        one = OPTIMIZERS["sgd"](alone, [lane])
        for each in g:
            one.step(alone, each[k : k + 1])
        assert torch.equal(packed[k], alone[0]), k


def test_a_changed_rate_is_in_the_same_memory() -> None:
    """A captured step reads it there."""
    w = torch.zeros(2, 32)
    optimizer = OPTIMIZERS["adam"](w, LANES["adam"][:2])
    place = optimizer.settings["lr"].data_ptr()
    optimizer.change_lr([0.5, 0.25])
    assert optimizer.lr == [0.5, 0.25] and optimizer.settings["lr"].data_ptr() == place


def test_keep_drops_the_other_lanes_only() -> None:
    g = torch.randn(5, 3, 32, generator=torch.Generator().manual_seed(0))
    whole, part = torch.zeros(3, 32), torch.zeros(3, 32)
    a, b = (OPTIMIZERS["adam"](w, LANES["adam"]) for w in (whole, part))
    for step in range(5):
        a.step(whole, g[step])
        if step == 2:
            b.keep([2, 0])
            part = part[[2, 0]]
        b.step(part, g[step] if step < 2 else g[step][[2, 0]])
    assert torch.equal(whole[[2, 0]], part)


def test_padding_stays_zero() -> None:
    for name, lanes in LANES.items():
        w = torch.zeros(len(lanes), 32)
        OPTIMIZERS[name](w, lanes).step(w, torch.zeros_like(w))
        assert torch.equal(w, torch.zeros_like(w)), name
