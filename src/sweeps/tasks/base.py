"""The interface of a task: input sequences, a target at the end or at every step, loss, score, loss of guessing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from sweeps.config import schema
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
        goes_on: the sequences continue those of the batch before: a stream, whose network starts in the state in
            which it ended. False: they begin.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None = None
    scored: np.ndarray | None = None
    goes_on: bool = False


class Task(Protocol):
    """A task, made by `make` from its settings; `contract` checks that it is what is said here."""

    length: int  # T, the only one: the network reads so many time steps, whatever the setting task.length means here
    inputs: int  # I
    outputs: int  # O
    loss: str  # mse | cross_entropy
    score: str  # accuracy, or explained variance = 1 - mse / variance of the evaluation targets
    chance_loss: float  # the loss of the best constant answer
    solved_at: float  # a cell is solved when its evaluation score first reaches this

    # Two more are needed by some tasks only:
    # answers: str = "last"  # one answer at the end of a sequence; or "every", one at each time step
    # stream(rng, batch) -> Iterator[Batch], in place of `sample`: training batches that may go on where the one before
    #     ended. Each seed has an iterator of its own, and what it draws comes from its rng.

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        """Draw a training batch of `batch` sequences."""

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        """The evaluation set: `size` newly drawn sequences, or the complete test set if the data are finite."""


ANSWERS = ("last", "every")


def answers(task: Task) -> str:
    """When a task asks for an answer: `last`, at the end of a sequence, or `every` time step."""
    return getattr(task, "answers", "last")


def streams(task: Task) -> bool:
    """Whether a training batch of a task may go on where the one before ended."""
    return hasattr(task, "stream")


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


_REGISTRY: dict[str, Callable[..., Task]] = {}


def register(name: str, make: Callable[..., Task]) -> None:
    """Make `task=name` mean `make(length=..., solved_at=..., **options)`."""
    _REGISTRY[name] = make


def registered() -> list[str]:
    """The names of all tasks."""
    return sorted(_REGISTRY)


def parameters(name: str) -> dict[str, bool]:
    """The settings that a task is made from, and whether each must be given."""
    return named(_REGISTRY[name])


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
    return _REGISTRY[name](**settings)


def at_least(length: int, least: int, why: str) -> int:
    """`length`, checked.

    Raises:
        ValueError: it is less than `least`; the message gives `why`.
    """
    if length < least:
        raise ValueError(f"task.length: given {length}, must be at least {least} ({why})")
    return length
