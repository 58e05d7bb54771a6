"""Each optimiser is its namesake in torch.optim, lane by lane, with different settings in one pack."""

from __future__ import annotations

import pytest
import torch

from sweeps.engine.optim import OPTIMIZERS

STEPS = 60
LANES = {
    "sgd": [{"lr": 0.1, "momentum": 0.0}, {"lr": 0.003, "momentum": 0.9}, {"lr": 1.0, "momentum": 0.5}],
    "rmsprop": [{"lr": 0.1, "alpha": 0.99, "eps": 1e-8}, {"lr": 1e-3, "alpha": 0.9, "eps": 1e-5}],
    "adam": [
        {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        {"lr": 1e-4, "beta1": 0.5, "beta2": 0.9, "eps": 1e-3},
        {"lr": 0.02, "beta1": 0.0, "beta2": 0.99, "eps": 1e-8},
    ],
}


def stock(name: str, p: torch.nn.Parameter, lane: dict[str, float]) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD([p], lr=lane["lr"], momentum=lane["momentum"])
    if name == "rmsprop":
        return torch.optim.RMSprop([p], lr=lane["lr"], alpha=lane["alpha"], eps=lane["eps"])
    return torch.optim.Adam([p], lr=lane["lr"], betas=(lane["beta1"], lane["beta2"]), eps=lane["eps"])


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
        p = torch.nn.Parameter(start[k].clone())
        theirs = stock(name, p, lane)
        for g in gradients[:, k]:
            p.grad = g.clone()
            theirs.step()
        moved = (p.detach() - start[k]).abs().max().item()
        error = (ours[k] - p.detach()).abs().max().item()
        assert error <= 2e-5 * moved + 1e-6, f"lane {k}: {error} after moving {moved}"


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
