"""Several batches an update are one large batch: loss, gradients, both records of the gradient through time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps import tasks
from sweeps.engine.accumulate import together
from sweeps.engine.setup import set_up
from sweeps.engine.train import train
from sweeps.engine.update import Update

BATCHES, SIZE = 3, 4


class Weighted:
    """Answers at every step, many of them without weight: no two batches weigh the same."""

    length, inputs, outputs, loss, score = 5, 2, 3, "cross_entropy", "accuracy"
    answers = "every"
    chance_loss, solved_at = 1.0, 1.0

    def sample(self, rng: np.random.Generator, batch: int) -> tasks.Batch:
        weights = rng.random((self.length, batch)).astype(np.float32) * (
            rng.random((self.length, batch)) < rng.random()
        )
        weights[0] = np.maximum(weights[0], 0.01)
        x = rng.standard_normal((self.length, batch, 2)).astype(np.float32)
        return tasks.Batch(x, rng.integers(3, size=(self.length, batch)), weights=weights)

    def evaluation(self, rng: np.random.Generator, size: int) -> tasks.Batch:
        return self.sample(rng, size)


def joined(batches: list[tasks.Batch], every: bool) -> tasks.Batch:
    axis = 1 if every else 0
    weights, scored = ([each for each in column if each is not None] for column in
                       zip(*((batch.weights, batch.scored) for batch in batches), strict=True))  # fmt: skip
    return tasks.Batch(
        np.concatenate([batch.inputs for batch in batches], 1),
        np.concatenate([batch.targets for batch in batches], axis),
        np.concatenate(weights, 1) if weights else None,
        np.concatenate(scored, 1) if scored else None,
    )


@pytest.mark.parametrize(
    "network",
    [("task=adding",), ("task=copy", "task.length=3", "stack.layers=2", "stack.bidirectional=true"), ("weighted",),
     ("task=binary_sum", "arch=lstm", "penalty=l2", "penalty.strength=0.1")],
)  # fmt: skip
def test_an_update_is_that_of_the_large_batch(
    network: tuple[str, ...], kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same data, to float32 rounding: loss and norms to 1e-5, every element to 1e-5 of the largest."""
    if network == ("weighted",):
        monkeypatch.setattr(tasks, "task_of", lambda settings: Weighted())
        network = ("task=copy",)
    overrides = [(*network, f"train.batch={SIZE}", f"train.accumulate={BATCHES}", f"seed={seed}") for seed in (0, 1)]
    small = set_up([make_cell(*each) for each in overrides], kernel)
    large = set_up([make_cell(*network, f"train.batch={SIZE * BATCHES}", f"seed={seed}") for seed in (0, 1)], kernel)
    large.data._batches = {
        seed: iter([joined(list(itertools.islice(set_up([make_cell(*overrides[seed])]).data._batches[seed], BATCHES)),
                           large.network.every)])
        for seed in (0, 1)
    }  # fmt: skip
    with torch.no_grad():
        one, other = Update(small), Update(large)
        for mine, theirs in zip(one.backward(traced=True), other.backward(traced=True), strict=True):
            assert mine == pytest.approx(theirs, rel=1e-5)
        grads, wanted = small.network.grads.flat, large.network.grads.flat
        assert (grads - wanted).abs().max() <= 1e-5 * wanted.abs().max()
        for norms, of_large in zip(one.log10_norm(), other.log10_norm(), strict=True):
            if norms is not None and of_large is not None:
                np.testing.assert_allclose(norms, of_large, atol=1e-5)
        one.clip()
        other.clip()
        np.testing.assert_allclose(one.clipped_norm(), other.clipped_norm(), rtol=1e-5)


def test_training_is_that_of_the_large_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty updates with Adam, dropout off, of a task whose batches are parts of one fixed set in order."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 30 * SIZE * BATCHES, 2)).astype(np.float32)
    y = x.sum((0, 2))[:, None].astype(np.float32)

    class Fixed:
        length, inputs, outputs, loss, score = 6, 2, 1, "mse", "explained variance"
        chance_loss, solved_at = 12.0, 1.0

        def __init__(self) -> None:
            self.drawn = 0

        def sample(self, rng: np.random.Generator, batch: int) -> tasks.Batch:
            index = np.arange(self.drawn, self.drawn + batch) % len(y)
            self.drawn += batch
            return tasks.Batch(x[:, index], y[index])

        def evaluation(self, rng: np.random.Generator, size: int) -> tasks.Batch:
            return tasks.Batch(x[:, :size], y[:size])

    monkeypatch.setattr(tasks, "task_of", lambda settings: Fixed())

    def losses(batch: int, accumulate: int) -> list[float]:
        cell = make_cell("train.steps=30", f"train.batch={batch}", f"train.accumulate={accumulate}", "optim.lr=0.01",
                         "train.log_every=1", "clip=norm", "train.eval_every=30")  # fmt: skip
        return [m.train_loss for row in train([cell], lambda *given: None) for m in row]

    large = losses(SIZE * BATCHES, 1)
    assert losses(SIZE, BATCHES) == pytest.approx(large, rel=1e-4) and large[-1] < large[0] / 2
    assert losses(SIZE, 1) != pytest.approx(large, rel=0.1)


def test_a_run_that_diverges_between_two_rows_has_the_record_of_all_its_batches() -> None:
    """As if every update were logged: the batches are still there to be traced."""
    wild = ("arch=rnn_relu", "init=identity", "init.gain=1.5", "optim=sgd", "optim.lr=1e8", "train.accumulate=2",
            "train.steps=60", "task.length=2")  # fmt: skip
    rows = []
    for log_every in (60, 1):
        cell = make_cell(*wild, f"train.log_every={log_every}", "train.eval_every=60")
        rows.append([m for row in train([cell], lambda *given: None) for m in row][-1])
    assert rows[0].diverged and rows[0].step % 60 and rows[0].step == rows[1].step
    np.testing.assert_array_equal(rows[0].log10_norm, rows[1].log10_norm)
    assert np.isfinite(rows[0].log10_norm).all() and rows[0].log10_norm.max() > 10


def test_norms_are_added_as_squares_far_beyond_any_number_format() -> None:
    three = [np.array([[[-400.0, 0.0, -np.inf]]]), np.array([[[-400.0, -5.0, -np.inf]]])]
    found = together(three, [np.array([1.0]), np.array([3.0])])
    wanted = [-400 + np.log10(np.sqrt(10) / 4), np.log10(np.sqrt(1 / 16 + 9e-10 / 16)), -np.inf]
    np.testing.assert_allclose(found[0, 0], wanted, rtol=1e-12)
    assert np.isnan(together([np.array([[[np.nan]]])] * 2, [np.ones(1)] * 2)).all()
    silent = together(three[:2], [np.array([1.0]), np.array([0.0])])
    np.testing.assert_allclose(silent, three[0])


def test_neighbours_change_nothing() -> None:
    """A cell of several batches has the numbers it has alone."""
    cells = [make_cell("train.accumulate=2", f"seed={seed}", "clip=norm") for seed in (0, 1, 2)]
    packed = {
        (m.position, m.step): (m.train_loss, m.grad_norm) for row in train(cells, lambda *given: None) for m in row
    }
    for k, each in enumerate(cells):
        for row in train([replace(each)], lambda *given: None):
            assert packed[k, row[0].step] == (row[0].train_loss, row[0].grad_norm)
