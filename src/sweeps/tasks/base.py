"""What a task is: sequences in, a target at the end, a loss, a score and what chance would score."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from sweeps.config import schema


class Batch(NamedTuple):
    """Inputs float32 `[T, B, I]`; targets float32 `[B, O]` (mse) or class numbers int64 `[B]` (cross_entropy)."""

    inputs: np.ndarray
    targets: np.ndarray


class Task(Protocol):
    """Interface. A task is made from its settings, and `make` reports what is wrong with them."""

    inputs: int  # I
    outputs: int  # O
    loss: str  # mse | cross_entropy
    score: str  # accuracy, or explained variance = 1 - mse / variance of the evaluation targets
    chance_loss: float  # the loss of the best constant answer
    solved_at: float  # a run is solved when its evaluation score first reaches this

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        """Draw a training batch."""

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        """The evaluation set: `size` fresh sequences, or a fixed test set where the data are finite."""


_REGISTRY: dict[str, Callable[..., Task]] = {}


def register(name: str, make: Callable[..., Task]) -> None:
    """Make `task=name` mean `make(length=..., solved_at=..., **options)`."""
    _REGISTRY[name] = make


def registered() -> list[str]:
    """The names that `make` knows."""
    return sorted(_REGISTRY)


def task_of(chosen: schema.Task) -> Task:
    """The task that a cell's settings choose.

    Raises:
        ValueError: a setting is outside what the task allows; the message says which and what is allowed.
    """
    return make(chosen.name, length=chosen.length, solved_at=chosen.solved_at, **chosen.options)


def make(name: str, **settings: bool | int | float | str) -> Task:
    """The task called `name`.

    Raises:
        ValueError: a setting is outside what the task allows; the message says which and what is allowed.
    """
    return _REGISTRY[name](**settings)


def at_least(length: int, least: int, why: str) -> int:
    """`length`, if the task can be posed at that length."""
    if length < least:
        raise ValueError(f"task.length: given {length}, must be at least {least} ({why})")
    return length
