"""Dropout of inputs and outputs: the right share, the right mean, nothing in evaluation, streams of its own.

Its gradients are judged in `test_networks.py`, against autograd with the same masks.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.engine.setup import set_up
from sweeps.engine.train import evaluate

SHARES = {"inputs": 0.2, "0": 0.5, "outputs": 0.7}
DROPS = ("stack.layers=2", "stack.dropout=0.5", "stack.input_dropout=0.2", "stack.output_dropout=0.7")


def test_each_place_drops_its_own_share_and_keeps_the_mean() -> None:
    """Of n numbers, to 4 standard errors: the share that is 0, and the mean 1 of what multiplies them."""
    data = set_up([make_cell(*DROPS, "train.batch=200", "arch.hidden=40", "task.length=20")]).data
    masks = data.next().masks
    assert set(masks) == set(SHARES)
    for place, dropped in SHARES.items():
        mask = masks[place].flatten()
        error = (dropped * (1 - dropped) / len(mask)) ** 0.5
        assert float((mask == 0).float().mean()) == pytest.approx(dropped, abs=4 * error), place
        assert float(mask.mean()) == pytest.approx(1, abs=4 * error / (1 - dropped)), place
        assert set(mask.unique().tolist()) == {0.0, float(np.float32(1) / np.float32(1 - dropped))}
    again = {place: mask.clone() for place, mask in masks.items()}
    assert not any(torch.equal(mask, again[place]) for place, mask in data.next().masks.items()), "drawn anew"


def test_the_mean_over_masks_of_a_linear_readout_is_the_network_without_dropout() -> None:
    """outputs = (mask h) W + b is linear in the mask of the outputs, so its mean is h W + b: 500 batches, 4 errors."""
    training = set_up([make_cell("stack.output_dropout=0.5", "arch.hidden=16")])
    x, *_ = training.data.next()
    x, plain = x.clone(), training.network.forward(x).clone()
    seen = []
    for _ in range(500):
        masks = training.data.next().masks
        seen.append(training.network.forward(x, masks=masks).clone())
    found = torch.stack(seen).double()
    error = found.std(0) / len(seen) ** 0.5
    assert ((found.mean(0) - plain).abs() <= 4.5 * error + 1e-6).all() and error.min() > 0


def test_evaluations_drop_nothing() -> None:
    """They are those of the same weights without dropout, and the same each time."""
    dropping, plain = (set_up([make_cell(*more, "stack.layers=2")]) for more in (DROPS, ()))
    with torch.no_grad():
        first = evaluate(dropping)
        dropping.data.next()
        assert evaluate(dropping) == first == evaluate(plain)


def test_batches_and_other_masks_do_not_depend_on_a_place_more() -> None:
    few, more = (set_up([make_cell(*drops)]).data for drops in (DROPS[:2], DROPS))
    for _ in range(3):
        one, other = few.next(), more.next()
        assert (
            torch.equal(one.x, other.x)
            and torch.equal(one.y, other.y)
            and torch.equal(one.masks["0"], other.masks["0"])
        )


@pytest.mark.parametrize(
    "network",
    [("task=copy", "task.length=2", "stack.embedding=5"), ("task=dates", "task.length=20", "stack.attention=dot"),
     ("task=binary_sum_variable", "stack.bidirectional=true"), ("task=unpack", "stack.embedding=3")],
)  # fmt: skip
def test_the_gradient_is_the_slope_of_the_loss_under_the_same_masks(network: tuple[str, ...]) -> None:
    """Along the gradient, by central differences: with embeddings, attention and sequences of different lengths."""
    drops = ("stack.input_dropout=0.3", "stack.output_dropout=0.4")
    training = set_up([make_cell(*network, *drops, "arch.hidden=6", "seed=2")])
    net, (x, y, weights, _, start, masks, lengths) = training.network, training.data.next()
    with torch.no_grad():
        net.gradients(x, y, weights=weights, start=start, masks=masks, lengths=lengths)
        g = net.grads.flat.clone()
        way = g / g.double().norm().float()
        ends = []
        for step in (0.01, -0.02):
            net.p.flat.add_(way, alpha=step)
            ends.append(float(net.gradients(x, y, weights=weights, start=start, masks=masks, lengths=lengths)))
    assert (ends[0] - ends[1]) / 0.02 == pytest.approx(float(g.double().norm()), rel=2e-3)
