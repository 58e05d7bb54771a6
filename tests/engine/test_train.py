"""The loop: what it measures and when, what solves a run, and that measuring changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from helpers import make_cell
from sweeps.engine.setup import Training
from sweeps.engine.train import Measurement, evaluate, train
from sweeps.probes.weights import parameter_rows


def nothing(training: Training, lane: int) -> None:
    return None


def run(*overrides: str, lanes: int = 1) -> list[list[Measurement]]:
    settings = [make_cell(*overrides, f"seed={seed}") for seed in range(lanes)]
    by_lane: list[list[Measurement]] = [[] for _ in settings]
    for row in train(settings, nothing):
        for m in row:
            by_lane[m.position].append(m)
    return by_lane


def test_rows_are_at_the_logged_steps() -> None:
    [rows] = run("train.steps=7", "train.log_every=2", "train.eval_every=4")
    assert [m.step for m in rows] == [0, 2, 4, 6, 7]  # at initialisation, every second, and the last
    assert [m.step for m in rows if m.eval_loss is not None] == [0, 4, 7]
    assert all(m.log10_norm.shape == (1, 6) for m in rows)


def test_measuring_never_changes_training() -> None:
    """Logging ten times as often, evaluating and probing: the losses at common steps are the same bits."""
    [often] = run("train.steps=20", "train.log_every=1", "train.eval_every=1")
    [seldom] = run("train.steps=20", "train.log_every=10", "train.eval_every=20")
    cell = make_cell("train.steps=20", "train.log_every=5", "train.eval_every=5", "seed=0")
    probed = [m for row in train([cell], parameter_rows) for m in row]
    losses = {m.step: (m.train_loss, m.grad_norm) for m in often}
    assert len(losses) == 21
    for m in (*seldom, *probed):
        assert (m.train_loss, m.grad_norm) == losses[m.step]


def test_it_learns_and_is_solved_at_the_step_it_first_was() -> None:
    settings = ("arch=gru", "optim.lr=0.02", "train.steps=150", "train.batch=32", "train.eval_every=10",
                "train.log_every=10", "task.length=4", "task.solved_at=0.5", "train.eval_size=64")  # fmt: skip
    [rows] = run(*settings)
    reached = [m.step for m in rows if m.eval_score is not None and m.eval_score >= 0.5]
    assert rows[-1].step == 150 and reached and 0 < reached[0] < 150
    [stopped] = run(*settings, "train.stop_when_solved=true")
    assert stopped[-1].step == reached[0]
    assert [m.train_loss for m in stopped] == [m.train_loss for m in rows[: len(stopped)]]


def test_explained_variance_is_r_squared_on_the_evaluation_set() -> None:
    """Against scikit-learn, on the outputs of the network as it was; a constant answer can then never be above 0."""
    settings = [make_cell("train.eval_size=50", "train.steps=30", f"seed={seed}") for seed in (0, 1)]
    shown: dict[int, list[float]] = {0: [], 1: []}

    def compare(training: Training, lane: int) -> None:
        targets, outputs = [], []
        for (x, y, *_), valid in training.data.evaluation():
            outputs.append(training.network.forward(x)[lane, :valid].numpy().copy())
            targets.append(y[lane, :valid].numpy().copy())
        shown[lane].append(r2_score(np.concatenate(targets), np.concatenate(outputs)))

    scores: dict[int, list[float]] = {0: [], 1: []}
    for row in train(settings, compare):
        for m in row:
            if m.eval_score is not None:
                scores[m.position].append(m.eval_score)
    for lane in (0, 1):
        assert len(scores[lane]) > 1
        np.testing.assert_allclose(scores[lane], shown[lane], rtol=1e-5, atol=1e-6)


def test_a_gradient_that_is_only_large_does_not_diverge() -> None:
    """A relu RNN whose state grows 1.3-fold a step: the squares of its gradient overflow float32, no element does."""
    [rows] = run("arch=rnn_relu", "init=identity", "init.gain=1.3", "task.length=100", "clip=norm", "train.steps=3")
    assert all(m.diverged is None and np.isfinite(m.train_loss) for m in rows)
    assert 1e20 < rows[0].grad_norm < np.inf
    assert rows[0].grad_norm_clipped == pytest.approx(1.0, rel=1e-5)


def test_evaluation_set_is_complete_when_no_multiple_of_the_batch() -> None:
    """21 sequences in batches of 8: the filled-up last batch must not count twice."""
    [uneven] = run("train.eval_size=21", "train.batch=8", "task=binary_sum")
    [even] = run("train.eval_size=21", "train.batch=21", "task=binary_sum")
    assert uneven[0].eval_loss is not None and even[0].eval_loss is not None
    assert np.isclose(uneven[0].eval_loss, even[0].eval_loss, rtol=1e-6)
    assert uneven[0].eval_score == even[0].eval_score


def test_cells_of_a_seed_see_the_same_data() -> None:
    """Two lanes of one seed and equal weights are one run twice; another seed is another run."""
    settings = [make_cell("optim.lr=0.1"), make_cell("optim.lr=0.2"), make_cell("optim.lr=0.1", "seed=1")]
    first = next(iter(train(settings, nothing)))
    assert first[0].train_loss == first[1].train_loss != first[2].train_loss
    assert first[0].lr != first[1].lr


def test_training_takes_one_thread_and_flushes_subnormals_to_zero() -> None:
    """Whatever the process did before: vanishing gradients are full of subnormals, which cost many times as much."""
    seen = []

    def look(training: Training, lane: int) -> None:
        seen.append((torch.get_num_threads(), float(torch.tensor(1e-30) * torch.tensor(1e-10))))

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.set_flush_denormal(False)
    assert float(torch.tensor(1e-30) * torch.tensor(1e-10)) > 0
    try:
        list(train([make_cell()], look))
    finally:
        torch.set_num_threads(threads)
    assert set(seen) == {(1, 0.0)}


def test_the_weights_are_changed_as_often_as_there_are_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last row is of the weights that a run ends with: nothing changes them after it."""
    made: list[Training] = []

    def kept(training: Training, lane: int) -> None:
        made[:] = [training]

    [settings] = [make_cell("train.steps=4", "train.log_every=2", "train.eval_every=2", "optim.lr=0.1")]
    rows = [m for row in train([settings], kept) for m in row]
    [training] = made
    [(loss, score)] = evaluate(training)
    assert (loss, score) == (rows[-1].eval_loss, rows[-1].eval_score) and rows[-1].step == 4
