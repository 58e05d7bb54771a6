"""A task that gives something else than its contract is refused in a sentence, before training and in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from helpers import OF_TASK, make_cell
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
    "no length": (
        Last,
        lambda x, y: Batch(x, y, lengths=np.array([0, 6])),
        "`lengths` of its batch are from 0 to 6, must be from 1 to T, here 6",
    ),
    "lengths as floats": (Last, lambda x, y: Batch(x, y, lengths=np.array([6.0, 1.0])), "must be int64 [B], here [2]"),
    "a length too few": (
        Last,
        lambda x, y: Batch(x, y, lengths=np.array([6])),
        "int64 [1], must be int64 [B], here [2]",
    ),
    "a vector not asked for": (
        Last,
        lambda x, y: Batch(x, y, vector=np.zeros((2, 3), np.float32)),
        "the vector of its batch are float32 [2, 3], must be float32 [B, C], here [2, 0]",
    ),
    "lists": (Last, lambda x, y: [x, y], "its batch is a list, must be a Batch of NumPy arrays"),
}


def no_probe(*given: object) -> None:
    """Measure nothing beside the trace."""


def put(monkeypatch: pytest.MonkeyPatch, make: Callable[..., Any]) -> None:
    """Have `task=adding` mean another task."""
    monkeypatch.setitem(base._REGISTRY, "adding", lambda length, solved_at, variant: make(length, solved_at))


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


@pytest.mark.parametrize("case", [name for name, (kind, *_) in BROKEN.items() if kind is Last and "length" not in name])
def test_a_stream_that_breaks_the_contract_is_refused_by_its_own_batch(
    monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Its evaluation set keeps the contract: what is refused is the first batch of the stream."""
    _, change, sentence = BROKEN[case]
    put(monkeypatch, lambda length, solved_at: Stream(length, solved_at, change))
    [problem] = task_problems([make_cell()])
    assert problem.startswith("task=adding: ") and "its batch" in problem and sentence in problem


def test_a_stream_has_no_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, lambda length, solved_at: Stream(length, solved_at, lambda x, y: Batch(x, y, lengths=y + 1)))
    [problem] = task_problems([make_cell()])
    assert problem == "task=adding: its batch has `lengths`, must have none: the sequences of a stream go on at T"


class Echo(Last):
    """Name each input at once, of sequences of 1 to T steps; `behind` are the inputs and classes behind their ends."""

    answers = "every"

    def __init__(self, length: int, solved_at: float, behind: int) -> None:
        super().__init__(length, solved_at)
        self.behind = behind

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        x, lengths = rng.integers(0, 3, (self.length, batch)), rng.integers(1, self.length + 1, batch)
        x[np.arange(self.length)[:, None] >= lengths] = self.behind
        return Batch(x[..., None].astype(np.float32), x, lengths=lengths)


def test_answers_behind_the_end_of_a_sequence_count_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for behind in (0, 2):
        put(monkeypatch, lambda length, solved_at, behind=behind: Echo(length, solved_at, behind))
        cell = make_cell("stack.bidirectional=true", "train.steps=3", "train.log_every=1", "train.eval_every=1")
        assert task_problems([cell]) == []
        rows = [row for [row] in train([cell], no_probe) if row]
        seen.append([(row.train_loss, row.eval_loss, row.eval_score, row.log10_norm.tolist()) for row in rows])
    assert seen[0] == seen[1] and len(seen[0]) == 4


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


class Translated(Last):
    """A source of half of the time steps; the answers behind it are those that were shown."""

    answers, score = "every", "sequence accuracy"

    def __init__(self, length: int, solved_at: float, source: Any = 3, weight: float = 0.0) -> None:
        super().__init__(length, solved_at)
        self.source, self.weight = source, weight

    def sample(self, rng: np.random.Generator, batch: int) -> Any:
        x = rng.integers(0, 3, (self.length, batch))
        weights = np.ones(x.shape, np.float32)
        weights[:3] = self.weight
        return Batch(x[..., None].astype(np.float32), x, weights)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, None),
        ({"source": 6}, "its `source` is 6, must be from 1 to T - 1, with an answer at every time step"),
        ({"source": 2.5}, "its `source` is 2.5, must be from 1 to T - 1"),
        ({"weight": 0.5}, "`weights` of its batch must be 0 in the source, the first 3 time steps"),
    ],
)
def test_a_source_is_in_front_and_asks_nothing(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], sentence: str | None
) -> None:
    put(monkeypatch, lambda length, solved_at: Translated(length, solved_at, **changed))
    problems = task_problems([make_cell("stack.kind=encoder_decoder", "stack.attention=dot")])
    assert (problems == []) if sentence is None else (len(problems) == 1 and sentence in problems[0])


def test_what_a_source_rules_out_and_what_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for override, sentence in {
        "stack.kind=encoder_decoder": "stack.kind: given 'encoder_decoder', must be plain for task=adding, whose",
        "stack.attention=dot": "stack.attention: given 'dot', must be none for task=adding, whose sequences",
    }.items():
        [problem] = task_problems([make_cell(override)])
        assert problem.startswith(sentence)
    put(monkeypatch, Translated)
    [problem] = task_problems([make_cell("stack.bidirectional=true")])
    assert problem.startswith("stack.bidirectional: given true, must be false for task=adding, whose inputs behind")


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
    assert task_problems([make_cell(f"task={name}", "task.length=70", *OF_TASK.get(name, ()))]) == []


class Held(Last):
    """With a test part, and baselines on both parts."""

    baselines, test_baselines = {"unigram": 1.0}, {"unigram": 1.1}

    def test(self, rng: np.random.Generator) -> Any:
        return self.sample(rng, 5)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, None),
        ({"test": lambda self, rng: None, "test_baselines": {}}, None),
        (
            {"test": lambda self, rng: Batch(np.zeros((4, 5, 1), np.float32), np.zeros(5, np.int64))},
            "the inputs of its test part are float32 [4, 5, 1], must be float32 [T, B, I], here [6, 5, 1]",
        ),
        (
            {"test_baselines": {"bigram": 1.0}},
            "its `test_baselines` are bigram, must be those of `baselines`, here unigram",
        ),
        (
            {"test": lambda self, rng: None},
            "are unigram, must be those of `baselines` where it has a test part, which this has not, here unigram",
        ),
        ({"baselines": {"unigram": math.nan}}, "its baseline 'unigram' has a loss of nan, must have a name and"),
    ],
)
def test_a_test_part_and_baselines_keep_the_contract_too(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], sentence: str | None
) -> None:
    put(monkeypatch, type("Changed", (Held,), changed))
    problems = task_problems([make_cell()])
    assert problems == [] if sentence is None else sentence in problems[0]
