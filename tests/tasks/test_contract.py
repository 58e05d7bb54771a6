"""A task that gives something else than its contract is refused in a sentence, before training and in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from helpers import make_cell
from sweeps import tasks
from sweeps.check import task_problems
from sweeps.engine.setup import set_up
from sweeps.engine.train import train
from sweeps.errors import SweepsError
from sweeps.tasks import base
from sweeps.tasks.base import Batch

Change = Callable[[np.ndarray, np.ndarray], Any]


class Last:
    """Name the class that the last input is; `extra` steps come after `task.length`."""

    inputs, outputs, loss, score, chance_loss = 1, 3, "cross_entropy", "accuracy", math.log(3)

    def __init__(self, length: int, solved_at: float, change: Change = Batch, extra: int = 0) -> None:
        self.length, self.solved_at, self.change = length + extra, solved_at, change

    def sample(self, rng: np.random.Generator, batch: int) -> Any:
        x = rng.integers(0, 3, (self.length, batch))
        return self.change(x[..., None].astype(np.float32), x[-1])

    def evaluation(self, rng: np.random.Generator, size: int) -> Any:
        return self.sample(rng, size)


class Sum(Last):
    """The mean of the inputs, by mse."""

    outputs, loss, score = 1, "mse", "explained variance"

    def sample(self, rng: np.random.Generator, batch: int) -> Any:
        x = rng.random((self.length, batch, 1), dtype=np.float32)
        return self.change(x, x.mean(0))


BROKEN: dict[str, tuple[type[Last], Change, str]] = {
    "a step more": (
        Last,
        lambda x, y: Batch(np.concatenate([x, x[:1]]), y),
        "the inputs of its batch are float32 [7, 2, 1], must be float32 [T, B, I], here [6, 2, 1]",
    ),
    "batch first": (Last, lambda x, y: Batch(x.swapaxes(0, 1), y), "are float32 [2, 6, 1], must be float32 [T, B, I]"),
    "float64": (Last, lambda x, y: Batch(x.astype(float), y), "are float64 [6, 2, 1], must be float32 [T, B, I]"),
    "a target per step": (
        Last,
        lambda x, y: Batch(x, x[..., 0].astype(np.int64).T),
        "the targets of its batch are int64 [2, 6], must be int64 [B] (cross_entropy), here [2]",
    ),
    "classes from 1": (
        Last,
        lambda x, y: Batch(x, np.full_like(y, 3)),
        "are classes from 3 to 3, must be from 0 to O - 1, here 2",
    ),
    "classes as floats": (Last, lambda x, y: Batch(x, y.astype(np.float32)), "are float32 [2], must be int64 [B]"),
    "no output axis": (
        Sum,
        lambda x, y: Batch(x, y[:, 0]),
        "are float32 [2], must be float32 [B, O] (mse), here [2, 1]",
    ),
    "lists": (Last, lambda x, y: [x, y], "its batch is a list, must be a Batch of NumPy arrays"),
}


def no_probe(*given: object) -> None:
    """Measure nothing beside the trace."""


def put(monkeypatch: pytest.MonkeyPatch, make: Callable[..., Any]) -> None:
    """Have `task=adding` mean another task."""
    monkeypatch.setitem(base._REGISTRY, "adding", make)


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_the_contract_is_refused_before_training_and_in_the_engine(
    monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    kind, change, sentence = BROKEN[case]
    put(monkeypatch, lambda length, solved_at: kind(length, solved_at, change))
    [problem] = task_problems([make_cell(), make_cell("seed=1")])
    assert problem.startswith("task=adding: ") and sentence in problem
    with pytest.raises(SweepsError, match="task=adding: "):
        next(train([make_cell()], no_probe))


def test_only_the_first_batch_may_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The evaluation set keeps the contract, so the engine sees it in the batch."""
    task = Last(6, 0.9)
    monkeypatch.setattr(task, "evaluation", Last(6, 0.9).sample)
    task.change = lambda x, y: Batch(x[1:], y)
    put(monkeypatch, lambda length, solved_at: task)
    data = set_up([make_cell()]).data
    with pytest.raises(SweepsError, match=r"the inputs of its batch are float32 \[5, 8, 1\].* here \[6, 8, 1\]"):
        data.next()


class Stream:
    """The task of `Last`, with training batches that go on: `ending` after so many, or never. It has no `sample`."""

    inputs, outputs, loss, score, chance_loss = Last.inputs, Last.outputs, Last.loss, Last.score, Last.chance_loss

    def __init__(self, length: int, solved_at: float, change: Change = Batch, ending: int | None = None) -> None:
        self.length, self.solved_at, self.change, self.ending = length, solved_at, change, ending

    def stream(self, rng: np.random.Generator, batch: int) -> Iterator[Any]:
        for at in itertools.count() if self.ending is None else range(self.ending):
            made = Last(self.length, self.solved_at, self.change).sample(rng, batch)
            yield made._replace(goes_on=at > 0) if isinstance(made, Batch) else made

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return Last(self.length, self.solved_at).sample(rng, size)


def test_a_stream_needs_no_samples_and_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Stream)
    cell = make_cell("train.steps=3")
    assert task_problems([cell]) == []
    *_, [last] = [each for each in train([cell], no_probe) if each]
    assert last.step == 3 and np.isfinite(last.train_loss)


@pytest.mark.parametrize("case", [name for name, (kind, *_) in BROKEN.items() if kind is Last])
def test_a_stream_that_breaks_the_contract_is_refused_by_its_own_batch(
    monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Its evaluation set keeps the contract: what is refused is the first batch of the stream."""
    _, change, sentence = BROKEN[case]
    put(monkeypatch, lambda length, solved_at: Stream(length, solved_at, change))
    [problem] = task_problems([make_cell()])
    assert problem.startswith("task=adding: ") and "its batch" in problem and sentence in problem


def test_a_stream_that_ends_is_refused_before_training_or_where_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "the task's stream of batches has ended, must go on for as long as it is asked"
    put(monkeypatch, lambda length, solved_at: Stream(length, solved_at, ending=0))
    assert task_problems([make_cell()]) == [f"task=adding: {said}"]
    put(monkeypatch, lambda length, solved_at: Stream(length, solved_at, ending=2))
    assert task_problems([make_cell()]) == []
    with pytest.raises((SweepsError, ValueError), match=said):
        list(train([make_cell("train.steps=5")], no_probe))


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        ("stream", "it has neither `sample` nor `stream`, must have one of them for its training batches"),
        ("evaluation", "it has no `evaluation`"),
    ],
)
def test_a_task_without_batches_is_refused(monkeypatch: pytest.MonkeyPatch, lacking: str, sentence: str) -> None:
    monkeypatch.delattr(Stream, lacking)
    put(monkeypatch, Stream)
    assert task_problems([make_cell()]) == [f"task=adding: {sentence}"]


@pytest.mark.parametrize(("name", "value"), [("length", None), ("length", 6.0), ("loss", "l1"), ("outputs", 0)])
def test_an_attribute_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    task = Last(6, 0.9)
    monkeypatch.setattr(task, name, value)
    put(monkeypatch, lambda length, solved_at: task)
    [problem] = task_problems([make_cell()])
    assert f"task=adding: its `{name}` is {value!r}, must be" in problem


@pytest.mark.parametrize(("solved_at", "fits"), [(-0.1, False), (0.0, False), (0.5, True), (1.0, True), (2.0, False)])
def test_an_accuracy_to_reach_is_a_share(solved_at: float, fits: bool) -> None:
    problems = task_problems([make_cell("task=binary_sum", f"task.solved_at={solved_at}")])
    assert (problems == []) == fits
    assert fits or f"task.solved_at: given {solved_at:g}, must be above 0 and at most 1" in problems[0]


@pytest.mark.parametrize("kernel", ["auto", "torch"])
def test_the_length_is_the_tasks(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    """Three steps more than the setting: the trace has a row for each, and the network learns from the last."""
    put(monkeypatch, lambda length, solved_at: Last(length, solved_at, extra=3))
    cell = make_cell("optim.lr=0.03", "train.steps=60", "train.log_every=60", "train.eval_every=60")
    assert task_problems([cell]) == []
    *_, [last] = [each for each in train([cell], no_probe, kernel) if each]
    assert len(last.log10_norm[0]) == 6 + 3
    assert last.eval_loss is not None and last.eval_loss < 0.9 * math.log(3), (
        "a network that does not read the last step stays at chance"
    )


@pytest.mark.parametrize("name", tasks.registered())
def test_the_tasks_keep_their_contract(name: str) -> None:
    assert task_problems([make_cell(f"task={name}", "task.length=70")]) == []
