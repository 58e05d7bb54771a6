"""Pascanu et al.'s Omega: its gradient is a finite difference of it with states and deltas held fixed, and no more."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.check import option_problems
from sweeps.config.rules import check
from sweeps.engine.network import suffix
from sweeps.engine.setup import Training, set_up
from sweeps.engine.update import Update

SHAPES = (
    ("arch=rnn_tanh",),
    ("arch=rnn_relu", "init=identity", "task=copy", "task.length=2"),
    ("arch=rnn_tanh", "stack.layers=2", "stack.bidirectional=true", "init.gain=0.4"),
)


def deltas(training: Training, lane: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """dE/dx_t and phi'(x_t) `[T, B, H]` of each layer and direction in the order it read, by autograd in float64."""
    network, batch = training.network, training.data.batch
    own = {name: values[lane].double() for name, values in network.p.items()}
    phi = torch.tanh if network.arch == "rnn_tanh" else torch.relu
    t, b, kept = network.sizes.length, network.sizes.batch, {}
    with torch.enable_grad():
        x = list(batch.x[lane].double().unflatten(0, (t, b)))
        for n in range(network.stack.layers):
            ways = []
            for d in range(network.directions):
                w, u, c = (own[name + suffix(n, d)] for name in ("weight_hh", "weight_ih", "bias"))
                h, states, pre = torch.zeros(b, len(w), dtype=torch.float64), [], []
                for x_t in reversed(x) if d else x:
                    pre.append((x_t @ u + h @ w + c).requires_grad_())
                    h = phi(pre[-1])
                    states.append(h)
                kept["weight_hh" + suffix(n, d)] = pre
                ways.append((states[::-1] if d else states, h))
            x = [torch.cat(each, -1) for each in zip(*(states for states, _ in ways), strict=True)]
        read = torch.stack(x) if network.every else torch.cat([h for _, h in ways], -1)
        out = read @ own["weight_out"] + own["bias_out"]
        if network.loss_name == "mse":
            loss = (out - batch.y[lane].double()).square().mean()
        else:
            each = torch.nn.functional.cross_entropy(out.flatten(0, -2), batch.y[lane], reduction="none")
            weights = torch.ones_like(each) if batch.weights is None else batch.weights[lane].double()
            loss = (each * weights).sum() / weights.sum()
        flat = [each for pre in kept.values() for each in pre]
        found = iter(torch.autograd.grad(loss, flat))
    slopes = (lambda a: 1 - np.tanh(a) ** 2) if phi is torch.tanh else (lambda a: (a > 0).astype(float))
    return {
        name: (np.stack([next(found).numpy() for _ in pre]), slopes(np.stack([each.detach().numpy() for each in pre])))
        for name, pre in kept.items()
    }


def omega(w: np.ndarray, delta: np.ndarray, slope: np.ndarray) -> float:
    """As eq. 9 says, step by step and sequence by sequence."""
    terms = []
    for t in range(len(delta) - 1):
        for b in range(delta.shape[1]):
            after = delta[t + 1, b]
            if after @ after >= 1e-20:
                before = np.diag(slope[t, b]) @ w @ after
                terms.append((before @ before / (after @ after) - 1) ** 2)
    return float(np.mean(terms)) if terms else 0.0


@pytest.mark.parametrize("shape", SHAPES, ids=["tanh", "relu, every answer", "two layers and directions"])
def test_its_gradient_is_a_finite_difference(shape: tuple[str, ...]) -> None:
    own = ("arch.hidden=4", "train.batch=3", *shape)
    cells = [make_cell(*own, "seed=2", "penalty=omega", f"penalty.strength={each}") for each in (1.0, 2.5)]
    training = set_up([make_cell(*own, "seed=2"), *cells])
    with torch.no_grad():
        Update(training).backward()
    grads = {name: values.double().numpy() for name, values in training.network.grads.items()}
    fixed = deltas(training, 1)
    largest = 0.0
    for name, values in grads.items():
        if name not in fixed:
            assert (values[0] == values[1]).all() and (values[0] == values[2]).all(), name
            continue
        w = training.network.p[name][1].double().numpy()
        for i, j in np.ndindex(w.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = w.copy()
                moved[i, j] += step
                ends.append(omega(moved, *fixed[name]))
            wanted = (ends[0] - ends[1]) / 2e-6
            added = values[1][i, j] - values[0][i, j], values[2][i, j] - values[0][i, j]
            largest = max(largest, abs(wanted))
            assert added == pytest.approx((wanted, 2.5 * wanted), rel=2e-4, abs=2e-5), (name, i, j)
    assert largest > 0.01, "there is something to compare"


def test_it_draws_the_factor_of_a_gradient_to_one() -> None:
    """With the task's learning out of the way, a gradient that shrinks from step to step keeps its norm after it."""
    ends = []
    for penalty in (("penalty=none",), ("penalty=omega", "penalty.strength=1")):
        training = set_up([make_cell("init.gain=0.4", "optim=sgd", "optim.lr=0.05", "task.length=12", *penalty)])
        update = Update(training)
        with torch.no_grad():
            for _ in range(80):
                update.backward()
                update.clip()
                update.apply()
            update.backward()
            norms = update.log10_norm()[0][0, 0]
        ends.append((norms[-1] - norms[0]) / 11)
    assert ends[1] < 0.25 * ends[0], "decades per step that a gradient loses"


def test_where_it_means_nothing_it_is_refused() -> None:
    [sentence] = option_problems([make_cell("arch=lstm", "penalty=omega")])
    assert sentence.startswith("penalty: given 'omega', must be none or l2 with arch=lstm")
    with pytest.raises(ValueError, match=r"train.accumulate: given 2, must be 1 with penalty=omega"):
        make_cell("penalty=omega", "train.accumulate=2")
    assert check(make_cell("penalty=omega")) == []
