"""The test part of finite data is measured once, with the weights at the end, and nothing else looks at it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from helpers import make_cell
from sweeps import tasks
from sweeps.engine.train import Measurement, train
from sweeps.tasks import Batch

LENGTH = 6


class Parts:
    """Three parts of 40, 13 and 21 sequences; the target is the mean of the inputs, in the test part its opposite."""

    inputs, outputs, loss, score, chance_loss = 2, 1, "mse", "explained variance", 1.0

    def __init__(self, length: int, solved_at: float, variant: str = "") -> None:
        self.length, self.solved_at = length, solved_at
        x = np.random.default_rng(7).standard_normal((length, 74, 2)).astype(np.float32)
        self.parts = [Batch(part, part.mean((0, 2))[:, None]) for part in np.split(x, [40, 53], 1)]
        self.parts[2] = self.parts[2]._replace(targets=-self.parts[2].targets)

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        at = rng.integers(0, 40, batch)
        return Batch(self.parts[0].inputs[:, at], self.parts[0].targets[at])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.parts[1]

    def test(self, rng: np.random.Generator) -> Batch:
        return self.parts[2]


class Flow(Parts):
    """The same as a stream that never begins anew, with a target at every time step."""

    answers = "every"

    def __init__(self, length: int, solved_at: float, variant: str = "") -> None:
        super().__init__(length, solved_at)
        self.parts = [Batch(part.inputs, part.inputs.mean(2, keepdims=True)) for part in self.parts]

    def stream(self, rng: np.random.Generator, batch: int) -> Iterator[Batch]:
        for n in itertools.count():
            at = rng.integers(0, 40, batch)
            yield Batch(self.parts[0].inputs[:, at], self.parts[0].targets[:, at], goes_on=n > 0)


def put(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    monkeypatch.setattr(tasks.base, "_REGISTRY", {**tasks.base._REGISTRY, "adding": kind})


def rows(*cells: tuple[str, ...], kernel: str = "auto") -> list[list[Measurement]]:
    """The measurements of each of these cells, trained as one pack."""
    found: list[list[Measurement]] = [[] for _ in cells]
    made = [make_cell("train.batch=8", f"task.length={LENGTH}", *cell) for cell in cells]
    for measured in train(made, lambda training, lane: [], kernel):
        for m in measured:
            found[m.position].append(m)
    return found


def test_it_is_the_loss_of_the_weights_at_the_end(monkeypatch: pytest.MonkeyPatch, any_kernel: str) -> None:
    """The network by hand in float64; 21 sequences are two batches of 8 and one that is filled up."""
    put(monkeypatch, Parts)
    [measured] = rows(("train.steps=30", "optim.lr=0.01"), kernel=any_kernel)
    assert [m.test for m in measured[:-1]] == [None] * (len(measured) - 1)
    last = measured[-1]
    assert last.weights is not None and last.test is not None
    w = {name: value.astype(float) for name, value in last.weights.items()}
    x, y, *_ = Parts(LENGTH, 0.9).parts[2]
    h = np.zeros((21, 8))
    for step in x.astype(float):
        h = np.tanh(step @ w["weight_ih"] + h @ w["weight_hh"] + w["bias"])
    loss = ((h @ w["weight_out"] + w["bias_out"] - y) ** 2).mean()
    assert last.test == (pytest.approx(loss, rel=1e-5), pytest.approx(1 - loss / y.astype(float).var(), rel=1e-4))
    assert last.eval_loss is not None and last.eval_loss < 0.5 * loss, "the targets of the test part are others"


@pytest.mark.parametrize("kind", [Parts, Flow])
def test_cells_that_end_apart_in_a_pack_have_the_numbers_they_have_alone(
    monkeypatch: pytest.MonkeyPatch, kind: type, kernel: str
) -> None:
    """One diverges, one is solved early, two go on to the end: what the test part writes to is not theirs."""
    put(monkeypatch, kind)
    common = ("train.steps=24", "train.stop_when_solved=true", "task.solved_at=0.5", "optim=sgd", "arch=rnn_relu")
    cells = [(*common, f"optim.lr={lr}", f"seed={seed}") for lr, seed in ((1e20, 0), (0.05, 1), (0.001, 1), (0.002, 0))]
    packed = rows(*cells, kernel=kernel)
    assert len({(m[-1].step, m[-1].diverged is None) for m in packed}) > 1, "all end together: nothing is proved"
    assert packed[0][-1].diverged is not None and all(m[-1].test is not None for m in packed)
    for cell, found in zip(cells, packed, strict=True):
        [alone] = rows(cell, kernel=kernel)
        assert [_plain(m) for m in alone] == [_plain(m) for m in found]


def test_nothing_else_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Parts)
    [having] = rows(("train.steps=30", "stack.start=random"))
    monkeypatch.delattr(Parts, "test")
    [lacking] = rows(("train.steps=30", "stack.start=random"))
    assert lacking[-1].test is None and having[-1].test is not None
    assert [_plain(m, "test") for m in having] == [_plain(m, "test") for m in lacking]


def _plain(m: Measurement, *but: str) -> dict[str, Any]:
    found = {**m.__dict__, "position": 0, "log10_norm": m.log10_norm.tobytes(), "weights": None, "log10_norm_total": 0}
    return {name: repr(value) for name, value in found.items() if name not in but}
