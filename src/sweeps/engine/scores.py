"""Scores of an evaluation, by name: what of the answers is right, lane by lane. Higher is better, 1 is perfect.

A score is a sum over all answers that count, divided by what the sum could be at most; the engine adds up both, batch
by batch. Shapes: K lanes, N answers (B, or T*B where every time step has one), O outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sweeps.tasks import Task


class Answers(NamedTuple):
    """The answers of a batch."""

    outputs: Tensor  # [K, N, O]
    targets: Tensor  # [K, N, O] (mse) or class numbers [K, N]
    loss: Tensor  # of each answer, [K, N]
    counts: Tensor  # of each answer in the score, [K, N]
    batch: int  # B; answer n is of sequence n mod B


Sums = tuple[Tensor, Tensor]
"""What the answers gain, and what they could at most: `[K, N]`, or `[K, B]` where whole sequences are judged."""


class Score(NamedTuple):
    """A score: `sums` of each batch, and what the `value` is of the ratio of both over the whole evaluation set.

    Attributes:
        sums: (answers, task) -> `Sums`.
        value: (ratio `[K]`, () -> variance of the targets `[K]`) -> score `[K]`.
    """

    sums: Callable[[Answers, Task], Sums]
    value: Callable[[np.ndarray, Callable[[], np.ndarray]], np.ndarray] = lambda ratio, variance: ratio


def right(answers: Answers, task: Task) -> Sums:
    """Answers whose likeliest class is the target."""
    del task
    return (answers.outputs.argmax(-1) == answers.targets) * answers.counts, answers.counts


def right_sequences(answers: Answers, task: Task) -> Sums:
    """Sequences all of whose answers that count are right."""
    del task
    wrong = (answers.outputs.argmax(-1) != answers.targets) & (answers.counts > 0)
    whole = ~wrong.unflatten(1, (-1, answers.batch)).any(1)
    return whole.float(), torch.ones_like(whole, dtype=torch.float32)


def squared(answers: Answers, task: Task) -> Sums:
    """Squared errors, averaged over outputs."""
    del task
    return answers.loss * answers.counts, answers.counts


def within(answers: Answers, task: Task) -> Sums:
    """Answers all of whose outputs are less than the task's `tolerance` off the target."""
    off = (answers.outputs - answers.targets).abs().amax(-1)
    return (off < task.tolerance) * answers.counts, answers.counts  # type: ignore[attr-defined]


SCORES: dict[str, Score] = {
    "accuracy": Score(right),
    "sequence accuracy": Score(right_sequences),
    "explained variance": Score(squared, lambda mse, variance: 1 - mse / variance()),
    "share within tolerance": Score(within),
}
"""By name; `tasks.contract.SCORES` says which loss each goes with."""
