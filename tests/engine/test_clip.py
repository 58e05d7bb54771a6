"""Clipping is per lane, comes after backward and before the optimiser, and both norms are recorded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.engine.clip import Clipper, global_norm
from sweeps.engine.setup import set_up
from sweeps.engine.train import train
from sweeps.engine.update import Update


def gradient(*norms: float) -> torch.Tensor:
    g = torch.randn(len(norms), 96, generator=torch.Generator().manual_seed(0))
    return g / g.norm(dim=1, keepdim=True) * torch.tensor(norms)[:, None]


def test_lanes_of_norm_3_and_a_tenth_under_threshold_1() -> None:
    g = gradient(3.0, 0.1)
    before = g.clone()
    Clipper(["norm", "norm"], [1.0, 1.0])(g, global_norm(g))
    torch.testing.assert_close(global_norm(g).float(), torch.tensor([1.0, 0.1]))
    torch.testing.assert_close(g[0], before[0] / 3)
    assert torch.equal(g[1], before[1])


def test_each_lane_has_its_own_way_and_threshold() -> None:
    g = gradient(3.0, 3.0, 3.0, 3.0)
    before = g.clone()
    Clipper(["none", "norm", "value", "norm"], [float("inf"), 0.5, 0.2, 2.0])(g, global_norm(g))
    assert torch.equal(g[0], before[0])
    torch.testing.assert_close(g[1], before[1] / 6)
    assert torch.equal(g[2], before[2].clamp(-0.2, 0.2))
    torch.testing.assert_close(g[3], before[3] * (2 / 3))


def test_a_large_gradient_is_clipped_like_any_other() -> None:
    """In float32 its squares would overflow (or underflow): a norm of inf (or 0), and the direction lost."""
    g = gradient(3e30, 3e-30, 3e38)
    directions = g.double() / g.double().norm(dim=1, keepdim=True)
    before = global_norm(g)
    torch.testing.assert_close(before, torch.tensor([3e30, 3e-30, 3e38], dtype=torch.float64), rtol=1e-6, atol=0)
    Clipper(["norm"] * 3, [2.0, 1e-30, 2.0])(g, before)
    after = global_norm(g)
    torch.testing.assert_close(after, torch.tensor([2.0, 1e-30, 2.0], dtype=torch.float64), rtol=1e-6, atol=0)
    torch.testing.assert_close(g.double() / after[:, None], directions, rtol=1e-6, atol=1e-9)


def test_a_gradient_of_zero_stays_zero() -> None:
    g = torch.zeros(1, 32)
    Clipper(["norm"], [1.0])(g, global_norm(g))
    assert torch.equal(g, torch.zeros(1, 32))


@pytest.mark.parametrize("name", ["norm", "value"])
def test_against_torch(name: str) -> None:
    g = gradient(5.0, 0.3)
    before = g.clone()
    Clipper([name, name], [0.7, 0.7])(g, global_norm(g))
    for lane in range(2):
        p = torch.nn.Parameter(torch.zeros(96))
        p.grad = before[lane].clone()
        if name == "norm":
            torch.nn.utils.clip_grad_norm_([p], 0.7)
        else:
            torch.nn.utils.clip_grad_value_([p], 0.7)
        torch.testing.assert_close(g[lane], p.grad, rtol=1e-5, atol=0)


def test_each_parameter_by_itself() -> None:
    """Against torch's clipping of a single parameter; the padding between them stays zero."""
    training = set_up([make_cell("clip=per_parameter", f"clip.threshold={c}") for c in (0.3, 1.0)])
    with torch.no_grad():
        update = Update(training)
        update.backward()
        grads = training.network.grads
        before = {name: values.clone() for name, values in grads.items()}
        update.clip()
    assert [grads.flat[:, part].shape[1] for part in grads.places] == [values[0].numel() for values in grads.values()]
    clipped = 0
    for lane, threshold in enumerate((0.3, 1.0)):
        for name, values in before.items():
            p = torch.nn.Parameter(torch.zeros_like(values[lane]))
            p.grad = values[lane].clone()
            clipped += float(torch.nn.utils.clip_grad_norm_([p], threshold)) > threshold
            torch.testing.assert_close(grads[name][lane], p.grad, rtol=1e-5, atol=0)
    assert 0 < clipped < 2 * len(before), "some are clipped and some are not"


@pytest.mark.parametrize("kept", [None, [2, 0]])
def test_adaptive_clipping_is_at_a_percentile_of_the_norms_so_far(kept: list[int] | None) -> None:
    """NumPy's percentile of the norms of each lane's window, beside a lane that is clipped otherwise."""
    options: list[dict[str, float]] = [{"percentile": 10, "window": 4}, {}, {"percentile": 62.5, "window": 1000}]
    clipper = Clipper(["adaptive", "norm", "adaptive"], [1.0, 0.5, 1.5], options=options)
    rng, seen = np.random.default_rng(0), []
    for step in range(9):
        norms = rng.lognormal(sigma=2, size=3)
        if step == 5:
            norms[0] = np.inf  # of a gradient that was no number: not looked at later
        seen.append(norms)
        lanes = [0, 1, 2] if kept is None or step < 6 else kept
        if step == 6 and kept is not None:
            clipper = clipper.keep(kept)
        g = gradient(*(min(norms[lane], 1e30) for lane in lanes))
        clipper(g, torch.from_numpy(norms[lanes]))
        after = global_norm(g)
        for place, lane in enumerate(lanes):
            if lane == 1 or not np.isfinite(norms[lane]):
                continue
            past = [each[lane] for each in seen if np.isfinite(each[lane])][-int(options[lane]["window"]) :]
            bound = (1.0, 0.5, 1.5)[lane] * np.percentile(past, options[lane]["percentile"])
            assert float(after[place]) == pytest.approx(min(norms[lane], bound), rel=1e-5), (step, lane)


def test_it_is_the_clipped_gradient_that_trains() -> None:
    """With plain SGD the first update has length lr times the clipped norm: clipping before backward would show."""
    settings = [
        make_cell("optim=sgd", "optim.lr=0.5", "clip=norm", f"clip.threshold={c}", "train.log_every=1")
        for c in (0.01, 5)
    ]
    weights = []

    def probe(training: object, lane: int) -> torch.Tensor:
        return training.network.p.flat[lane].clone()  # type: ignore[attr-defined]

    for measured in train([*settings], probe):
        weights.append(measured)
    for lane, threshold in enumerate((0.01, 5)):
        first, second = weights[0][lane], next(row[lane] for row in weights if row[lane].step == 2)
        assert first.grad_norm > 0.01
        clipped = min(first.grad_norm, threshold)
        assert first.grad_norm_clipped == pytest.approx(clipped, rel=1e-5)
        moved = float((second.probed - first.probed).norm())
        assert moved <= 0.5 * (clipped + weights[1][lane].grad_norm_clipped) * 1.0001
        assert moved > 0
    assert np.isclose(weights[0][0].grad_norm, weights[0][1].grad_norm)
