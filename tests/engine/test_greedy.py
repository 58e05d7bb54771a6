"""An accuracy of whole sequences: the share that greedy decoding writes without a mistake."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps import tasks
from sweeps.engine.randomness import generator
from sweeps.engine.setup import set_up
from sweeps.engine.train import evaluate
from sweeps.engine.update import Update
from sweeps.tasks.base import Batch

SOURCE, ASKED, LETTERS = 4, 2, 3
BEGIN = LETTERS


class Backwards:
    """The first two of four letters, in reverse order; the step behind counts in the loss, not in the score."""

    inputs, outputs, loss, score, chance_loss = LETTERS + 1, LETTERS, "cross_entropy", "sequence accuracy", math.log(3)
    answers, source, length = "every", SOURCE, SOURCE + ASKED + 1

    def __init__(self, length: int, solved_at: float, variant: str = "") -> None:
        self.solved_at = solved_at

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        shown = rng.integers(0, LETTERS, (SOURCE, batch))
        wanted = np.concatenate([shown[1::-1], rng.integers(0, LETTERS, (1, batch))])
        x = np.concatenate([shown, np.full((1, batch), BEGIN), wanted[:-1]])
        targets = np.concatenate([np.zeros_like(shown), wanted])
        weights = np.ones(targets.shape, np.float32)
        weights[:SOURCE] = 0
        scored = weights.copy()
        scored[-1] = 0
        return Batch(np.eye(LETTERS + 1, dtype=np.float32)[x], targets, weights, scored)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


@pytest.mark.parametrize("attention", ["none", "dot"])
def test_a_sequence_is_right_exactly_where_greedy_decoding_writes_it(
    monkeypatch: pytest.MonkeyPatch, attention: str, any_kernel: str
) -> None:
    """The decoder here reads what it wrote itself, one letter after the other; the score is of teacher forcing."""
    monkeypatch.setitem(tasks.base._REGISTRY, "adding", Backwards)
    size = 41
    cells = [
        make_cell("arch=gru", "stack.kind=encoder_decoder", f"stack.attention={attention}", "optim.lr=0.02",
                  f"train.eval_size={size}", f"seed={seed}") for seed in (0, 1)
    ]  # fmt: skip
    training = set_up(cells, any_kernel)
    update, network = Update(training), training.network
    with torch.no_grad():
        for _ in range(40):
            update.backward()
            update.clip()
            update.apply()
        found = evaluate(training)
        for lane, cell in enumerate(cells):
            task = Backwards(0, 0)
            x, y, *_ = task.evaluation(generator(cell.seed, "evaluation"), size)
            right = []
            for b in range(size):
                given = torch.zeros(2, task.length, network.sizes.batch, task.inputs)
                given[lane, :SOURCE, 0], given[lane, SOURCE, 0, BEGIN] = torch.from_numpy(x[:SOURCE, b]), 1
                written = []
                for t in range(SOURCE, SOURCE + ASKED):
                    outputs = network.forward(given.flatten(1, 2)).unflatten(1, (task.length, -1))
                    written.append(int(outputs[lane, t, 0].argmax()))
                    given[lane, t + 1, 0, written[-1]] = 1
                right.append(written == y[SOURCE:-1, b].tolist())
            assert found[lane][1] == pytest.approx(np.mean(right))
            assert 0.1 < np.mean(right) < 0.9, "some must be right and some wrong to prove anything"
