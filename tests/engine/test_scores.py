"""Scores by hand: a loop over answers; and of a whole evaluation set, from the outputs of one sequence at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps.check import task_problems
from sweeps.engine.scores import SCORES, Answers
from sweeps.engine.setup import set_up
from sweeps.engine.train import evaluate, prepare_process
from sweeps.tasks import base, contract
from sweeps.tasks.parity import Parity

K, T, B, OUT = 2, 3, 4, 3
TASK: Any = SimpleNamespace(tolerance=0.5)


def answers(classes: bool) -> Answers:
    rng = torch.Generator().manual_seed(3)
    outputs = torch.randn(K, T * B, OUT, generator=rng)
    targets = torch.randint(0, OUT, (K, T * B), generator=rng) if classes else torch.randn(outputs.shape, generator=rng)
    targets = targets if classes else outputs + 0.4 * targets
    if classes:  # most are right
        targets = torch.where(torch.rand(targets.shape, generator=rng) < 0.7, outputs.argmax(-1), targets)
    counts = torch.randint(0, 3, (K, T, B), generator=rng).float()
    counts[:, 1] += 1
    if classes:  # a sequence whose only wrong answer does not count
        own = targets.view(K, T, B)
        own[0, :, 0] = outputs.argmax(-1).view(K, T, B)[0, :, 0]
        own[0, 0, 0], counts[0, 0, 0] = (own[0, 0, 0] + 1) % OUT, 0
    return Answers(outputs, targets, torch.rand(K, T * B, generator=rng), counts.flatten(1), B)


def by_hand(name: str, a: Answers, lane: int) -> float:
    gained = possible = 0.0
    for b in range(B):
        whole = True
        for t in range(T):
            n = t * B + b
            counts, target, output = float(a.counts[lane, n]), a.targets[lane, n].numpy(), a.outputs[lane, n].numpy()
            if name in ("accuracy", "sequence accuracy"):
                good = float(max(range(OUT), key=lambda o: output[o]) == target)
                whole = whole and (good == 1 or counts == 0)
            elif name == "share within tolerance":
                good = float(max(abs(float(x - y)) for x, y in zip(output, target, strict=True)) < TASK.tolerance)
            else:
                good = float(a.loss[lane, n])
            if name != "sequence accuracy":
                gained, possible = gained + good * counts, possible + counts
        if name == "sequence accuracy":
            gained, possible = gained + whole, possible + 1
    return gained / possible


@pytest.mark.parametrize("name", SCORES)
def test_what_a_score_sums_up(name: str) -> None:
    given = answers(classes=contract.SCORES[name] == "cross_entropy")
    sums = SCORES[name].sums(given, TASK)
    for lane in range(K):
        want = by_hand(name, given, lane)
        got = float(sums[0][lane].sum() / sums[1][lane].sum())
        assert got == pytest.approx(want, rel=1e-6) and 0 < want < 1, "neither all nor nothing is right"


def test_the_contract_knows_the_scores() -> None:
    assert set(SCORES) == set(contract.SCORES) and set(contract.SHARES) < set(SCORES)


def test_the_value_of_a_score() -> None:
    ratio = np.array([0.25, 0.5])
    for name, score in SCORES.items():
        value = score.value(ratio, lambda: np.array([0.5, 0.25]))
        assert value.tolist() == ([0.5, -1.0] if name == "explained variance" else [0.25, 0.5])


@pytest.mark.parametrize(
    "task",
    [
        ("task=memorization", "task.symbols=1", "task.length=1"),
        ("task=adding", "task.variant=pascanu", "task.length=12"),
        ("task=parity", "task.delay=1", "task.length=5"),
        ("task=adding", "task.length=5"),
    ],
    ids=" ".join,
)
def test_of_a_whole_evaluation_set(task: tuple[str, ...]) -> None:
    """21 sequences in batches of 8: those that fill up the last batch count once."""
    prepare_process()
    training = set_up([make_cell(*task, "train.eval_size=21", f"seed={seed}") for seed in (0, 1)])
    network, made = training.network, training.task
    draw = torch.Generator().manual_seed(2)
    network.p.flat.add_(torch.randn(network.p.flat.shape, generator=draw) * 0.3)
    with torch.no_grad():
        found = evaluate(training)
    for lane, (_, score) in enumerate(found):
        batch = training.data._evaluation[lane]
        outputs = []
        for b in range(21):  # one sequence after the other
            training.data.batch.x.copy_(torch.from_numpy(batch.inputs[:, [b] * 8]).flatten(0, 1))
            with torch.no_grad():
                answer = network.forward(training.data.batch.x)
            outputs.append(answer[lane].unflatten(0, (-1, 8))[:, 0].numpy().copy())
        answered = np.stack(outputs, 1)  # [S, B, O]
        target = batch.targets.reshape(*answered.shape[:2], *batch.targets.shape[2 if len(answered) > 1 else 1 :])
        if made.loss == "cross_entropy":
            right = answered.argmax(-1) == target
            counts = np.ones(right.shape) if batch.weights is None else batch.weights
            share = right.all(0).mean() if made.score == "sequence accuracy" else (right * counts).sum() / counts.sum()
        elif made.score == "share within tolerance":
            share = (abs(answered - target)[..., 0] < made.tolerance).mean()  # type: ignore[attr-defined]
        else:
            share = 1 - ((answered - target) ** 2).mean() / target.var()
        assert score == pytest.approx(share, abs=1e-5), made.score


def in_place(monkeypatch: pytest.MonkeyPatch, **attributes: Any) -> None:
    kind = type("Changed", (Parity,), attributes)
    monkeypatch.setitem(base._REGISTRY, "parity", kind)


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"score": "acuracy"}, "its `score`: 'acuracy' is not known; did you mean 'accuracy'?"),
        (
            {"score": "explained variance"},
            "its `score` is 'explained variance', must be one of accuracy, sequence accuracy, those that go with",
        ),
        ({"loss": "mse", "score": "share within tolerance"}, "its `tolerance` is None, must be a positive number"),
        ({"loss": "mse", "score": "share within tolerance", "tolerance": 0.0}, "its `tolerance` is 0.0, must be"),
    ],
)
def test_a_score_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any], sentence: str
) -> None:
    in_place(monkeypatch, **attributes)
    [problem] = task_problems([make_cell("task=parity", "task.length=30")])
    assert problem.startswith("task=parity: ") and sentence in problem


@pytest.mark.parametrize("solved_at", [0.0, 1.5])
def test_a_share_to_reach_is_at_most_one(solved_at: float) -> None:
    cell = make_cell("task=multiplication", "task.length=30", f"task.solved_at={solved_at}")
    [problem] = task_problems([cell])
    assert f"task.solved_at: given {solved_at:g}, must be above 0 and at most 1 (a share)" in problem
