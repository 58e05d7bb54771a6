"""The interface of a task: input sequences, a target at the end or at every step, loss, score, loss of guessing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from sweeps.config import schema
from sweeps.errors import unknown
from sweeps.own import register_own
from sweeps.signatures import named


class Batch(NamedTuple):
    """B sequences and their targets.

    Attributes:
        inputs: float32 `[T, B, I]`.
        targets: float32 `[B, O]` (mse) or class numbers int64 `[B]` (cross_entropy); of a task that answers at every
            time step `[T, B, O]` or `[T, B]`.
        weights: what each answer counts in the loss, float32 `[T, B]`, not negative; None: all the same. Only for
            answers at every time step, for example 0 where nothing is asked.
        scored: the same for the score, for example 1 at the answers that are not known beforehand; None: as in the
            loss.
        lengths: time steps of each sequence, int64 `[B]` from 1 to T, where they differ; the rest of its inputs is
            padding, which nothing reads: an answer at the end is read at the sequence's own end, and answers at later
            steps count nothing. None: all have T.
        vector: float32 `[B, C]`, what the network's start state is made from, v W + b; None where the task has no
            `vector`.
        goes_on: the sequences continue those of the batch before: a stream, whose network starts in the state in
            which it ended. False: they begin.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None = None
    scored: np.ndarray | None = None
    goes_on: bool = False
    lengths: np.ndarray | None = None
    vector: np.ndarray | None = None


class Task(Protocol):
    """A task, made by `make` from its settings; `contract` checks that it is what is said here."""

    length: int  # T, the only one: the network reads so many time steps, whatever the setting task.length means here
    inputs: int  # I
    outputs: int  # O
    loss: str  # mse | cross_entropy
    score: str  # of contract.SCORES: accuracy, explained variance = 1 - mse / variance of the evaluation targets, ...
    chance_loss: float  # the loss of the best constant answer
    solved_at: float  # a cell is solved when its evaluation score first reaches this

    # More are needed by some tasks only:
    # vector: int = 0  # C, columns of the vector of each sequence that its start state is made from (one to many)
    # tolerance: float  # of the score `share within tolerance`: an answer is right if its error is below
    # chance_score: float  # the score of the answer that `chance_loss` is the loss of
    # answers: str = "last"  # one answer at the end of a sequence; or "every", one at each time step
    # source: int = 0  # S, the first time steps, which hold what is asked about; the others are given the answers
    #     before them (teacher forcing), so that nothing may read in reverse. The first S answers have weight 0
    # stream(rng, batch) -> Iterator[Batch], in place of `sample`: training batches that may go on where the one before
    #     ended. Each seed has an iterator of its own, and what it draws comes from its rng.
    # test(rng) -> Batch | None  # of finite data the complete test part: measured once, with the weights at the end,
    #     so that `evaluation`, the validation part, may choose (best, solved, early stop); None: there is none
    # baselines: Mapping[str, float]  # the losses of further predictors than the best constant answer, by name, on
    #     `evaluation`; and `test_baselines`, of the same names, on `test`

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        """Draw a training batch of `batch` sequences."""

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        """The evaluation set: `size` newly drawn sequences, or the complete validation part of finite data."""


ANSWERS = ("last", "every")


def answers(task: Task) -> str:
    """When a task asks for an answer: `last`, at the end of a sequence, or `every` time step."""
    return getattr(task, "answers", "last")


def vector(task: Task) -> int:
    """Columns of the vector of each sequence that the network's start state is made from; 0: there is none."""
    return getattr(task, "vector", 0)


def source(task: Task) -> int:
    """S, the first time steps of a sequence, which an encoder reads; 0: it is not in two parts."""
    return getattr(task, "source", 0)


def streams(task: Task) -> bool:
    """Whether a training batch of a task may go on where the one before ended."""
    return hasattr(task, "stream")


def held_out(task: Task, rng: np.random.Generator) -> Batch | None:
    """The test part of a task's data; None where it has none: new sequences can be drawn at any time."""
    return task.test(rng) if hasattr(task, "test") else None


def baselines(task: Task, test: bool = False) -> dict[str, float]:
    """The losses of a task's further baselines by name, on the evaluation set or on the test part; {}: it has none."""
    found: Mapping[str, float] = getattr(task, "test_baselines" if test else "baselines", {})
    return {name: float(loss) for name, loss in found.items()}


def batches(task: Task, rng: np.random.Generator, size: int) -> Iterator[Batch]:
    """The training batches of one seed, without end: those of the task's stream, or samples.

    Raises:
        ValueError: the stream ends.
    """
    if streams(task):
        yield from task.stream(rng, size)  # type: ignore[attr-defined]
        raise ValueError("the task's stream of batches has ended, must go on for as long as it is asked")
    while True:
        yield task.sample(rng, size)


def input_power(task: Task, rng: np.random.Generator, size: int) -> float:
    """E ||x_t||^2, the mean over `size` sequences and their time steps."""
    inputs = task.evaluation(rng, size).inputs
    return float(inputs.shape[2] * np.mean(inputs.astype(np.float64) ** 2))


def padded(batch: Batch, every: bool) -> Batch:
    """The batch, with weights of 0 for the answers behind the end of their sequence, where lengths differ.

    Args:
        every: whether there is an answer at every time step.
    """
    if batch.lengths is None or not every:
        return batch
    inside = (np.arange(len(batch.inputs))[:, None] < batch.lengths).astype(np.float32)
    weights = inside if batch.weights is None else batch.weights * inside
    return batch._replace(weights=weights, scored=None if batch.scored is None else batch.scored * inside)


_REGISTRY: dict[str, Callable[..., Any]] = {}


def register(name: str, make: Callable[..., Any]) -> None:
    """Make `task=name` mean `make(length=..., solved_at=..., **options)`, which returns a `Task`."""
    _REGISTRY[name] = make


def registered() -> list[str]:
    """The names of all tasks, those of the user's own folders too.

    Raises:
        SweepsError: a file there cannot be run, or registers a name that is there already.
    """
    return sorted(_all())


def _all() -> dict[str, Callable[..., Any]]:
    register_own("tasks", _REGISTRY)
    return _REGISTRY


def factory(name: str) -> Callable[..., Task]:
    """What a task is made with: its class, or a function."""
    return _all()[name]


def parameters(name: str) -> dict[str, bool]:
    """The settings that a task is made from, and whether each must be given."""
    return named(_all()[name])


def task_of(settings: schema.Task) -> Task:
    """The task of a cell, from the `task` section of its settings.

    Raises:
        ValueError: a setting is outside what the task allows; the message says which and what is allowed.
    """
    return make(settings.name, length=settings.length, solved_at=settings.solved_at, **settings.options)


def make(name: str, **settings: bool | int | float | str) -> Task:
    """The task called `name`.

    Raises:
        ValueError: a setting is outside what the task allows; the message says which and what is allowed.
    """
    return _all()[name](**settings)


def at_least(value: int, least: int, why: str, setting: str = "length") -> int:
    """The value of a setting of the task, checked.

    Raises:
        ValueError: it is less than `least`; the message gives `why`.
    """
    if value < least:
        raise ValueError(f"task.{setting}: given {value}, must be at least {least} ({why})")
    return value


Name = TypeVar("Name", bound=bool | int | float | str)


def one_of(value: Name, allowed: Iterable[Name], setting: str) -> Name:
    """The value of a setting of the task that has few, checked.

    Raises:
        ValueError: it is none of them; the message lists them, the nearest first.
    """
    names = {str(each): each for each in allowed}
    if str(value) not in names:
        raise ValueError(unknown(f"task.{setting}", str(value), names))
    return value
