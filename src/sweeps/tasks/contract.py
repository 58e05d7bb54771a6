"""What a task must be and give, checked: its attributes, and the shapes and dtypes of its batches. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sweeps.errors import unknown
from sweeps.tasks.base import (
    ANSWERS,
    Batch,
    Task,
    answers,
    baselines,
    batches,
    held_out,
    padded,
    source,
    streams,
    vector,
)

COUNTS = ("weights", "scored")
"""Parts of a batch that say what its answers count."""
OPTIONAL = (*COUNTS, "lengths", "vector")

LOSSES = ("mse", "cross_entropy")
SCORES = {
    "accuracy": "cross_entropy",
    "sequence accuracy": "cross_entropy",
    "explained variance": "mse",
    "share within tolerance": "mse",
}
"""The scores, each with the loss of the tasks that can have it. `engine.scores` computes them."""
SHARES = ("accuracy", "sequence accuracy", "share within tolerance")
"""Scores that are a share, from 0 to 1."""
ASKED = 2
"""Sequences that `problem` asks for, to see whether a task keeps its contract."""


def problem(name: str, task: Task) -> str | None:
    """The first sentence on how a task breaks its contract, seen on a small batch and a small evaluation set.

    Args:
        name: of the task, for the message.
    """
    sentence = next(_wrong_attributes(task), None)
    if sentence is not None:
        return f"task={name}: {sentence}"
    if task.score in SHARES and not 0 < task.solved_at <= 1:
        kind = "a share" if "share" in task.score else "an accuracy"
        return f"task={name}: task.solved_at: given {task.solved_at:g}, must be above 0 and at most 1 ({kind})"
    rng = np.random.default_rng(0)
    sentence = wrong_batch(name, task, next(batches(task, rng, ASKED)), ASKED)
    sentence = sentence or wrong_batch(name, task, task.evaluation(rng, ASKED))
    test = None if sentence else held_out(task, rng)
    if test is not None:
        sentence = wrong_batch(name, task, test, what="test part")
    wrong = sentence or next(_wrong_baselines(task, test is not None), None)
    return wrong if wrong is None or wrong is sentence else f"task={name}: {wrong}"


def wrong_batch(
    name: str, task: Task, batch: Batch, sequences: int | None = None, what: str = "evaluation set"
) -> str | None:
    """The sentence on what of a batch is not as `Task` says: what was given, and what the contract is; None if nothing.

    Args:
        name: of the task, for the message.
        sequences: B of a training batch; None for the evaluation set, which has as many as it has.
        what: the batch is, where it is none of training, for the message.
    """
    what = what if sequences is None else "batch"
    if not (isinstance(batch, Batch) and all(isinstance(part, np.ndarray) for part in batch[:2])):
        return f"task={name}: its {what} is a {type(batch).__name__}, must be a Batch of NumPy arrays"
    inputs, targets = batch[:2]
    b = sequences if sequences is not None else max(1, inputs.shape[1] if inputs.ndim > 1 else 1)
    every = answers(task) == "every"
    at, when = ((task.length, b), "[T, B") if every else ((b,), "[B")
    wanted: dict[str, tuple[np.ndarray, Any, str, tuple[int, ...]]] = {
        "inputs": (inputs, np.float32, "[T, B, I]", (task.length, b, task.inputs)),
        "targets": (targets, np.float32, f"{when}, O] (mse)", (*at, task.outputs))
        if task.loss == "mse"
        else (targets, np.int64, f"{when}] (cross_entropy)", at),
    }
    given = {part: each for part in OPTIONAL if (each := getattr(batch, part)) is not None}
    for part, each in given.items():
        if part in COUNTS and not every:
            return f"task={name}: its {what} has `{part}`, must have none: they are for answers at every time step"
        if part == "lengths" and streams(task):
            return f"task={name}: its {what} has `lengths`, must have none: the sequences of a stream go on at T"
        if not isinstance(each, np.ndarray):
            return f"task={name}: `{part}` of its {what} is a {type(each).__name__}, must be a NumPy array"
    if (columns := vector(task)) and "vector" not in given:
        return f"task={name}: its {what} has no `vector`, must have one of {columns} columns, the task's `vector`"
    shapes: dict[str, tuple[Any, str, tuple[int, ...]]] = {part: (np.float32, "[T, B]", at) for part in COUNTS}
    shapes |= {"lengths": (np.int64, "[B]", (b,)), "vector": (np.float32, "[B, C]", (b, columns))}
    wanted |= {part: (each, *shapes[part]) for part, each in given.items()}
    for part, (array, dtype, letters, shape) in wanted.items():
        if array.dtype != dtype or array.shape != shape:
            return (
                f"task={name}: the {part} of its {what} are {array.dtype} {list(array.shape)}, must be "
                f"{np.dtype(dtype)} {letters}, here {list(shape)}"
            )
    if batch.lengths is not None and not (batch.lengths.min() >= 1 and batch.lengths.max() <= task.length):
        return (
            f"task={name}: `lengths` of its {what} are from {batch.lengths.min()} to {batch.lengths.max()}, must be "
            f"from 1 to T, here {task.length}"
        )
    counts = {part: each for part in COUNTS if (each := getattr(padded(batch, every), part)) is not None}
    for part, each in counts.items():
        if not (each.min() >= 0 and np.isfinite(each).all() and each.any(0).all()):
            return (
                f"task={name}: `{part}` of its {what} is from {each.min():g} to {each.max():g}, must be finite, not "
                "negative, and above 0 for an answer of each sequence"
            )
    if (s := source(task)) and (batch.weights is None or batch.weights[:s].any()):
        return f"task={name}: `weights` of its {what} must be 0 in the source, the first {s} time steps"
    if task.loss == "cross_entropy" and not (targets.min() >= 0 and targets.max() < task.outputs):
        return (
            f"task={name}: the targets of its {what} are classes from {targets.min()} to {targets.max()}, must be "
            f"from 0 to O - 1, here {task.outputs - 1}"
        )
    return None


def _wrong_baselines(task: Task, tested: bool) -> Iterator[str]:
    own, test = baselines(task), baselines(task, test=True)
    if set(test) != (set(own) if tested else set()):
        yield (
            f"its `test_baselines` are {', '.join(test) or 'none'}, must be those of `baselines`"
            f"{'' if tested else ' where it has a test part, which this has not'}, here {', '.join(own) or 'none'}"
        )
    for name, loss in (*own.items(), *test.items()):
        if not (name.strip() and math.isfinite(loss)):
            yield f"its baseline {name!r} has a loss of {loss}, must have a name and a finite loss"


def _wrong_attributes(task: Task) -> Iterator[str]:
    for name, letter in (("length", "T"), ("inputs", "I"), ("outputs", "O")):
        value = getattr(task, name, None)
        if not (isinstance(value, int) and value >= 1):
            yield f"its `{name}` is {value!r}, must be {letter}, an integer of at least 1"
    if getattr(task, "loss", None) not in LOSSES:
        yield f"its `loss` is {getattr(task, 'loss', None)!r}, must be one of {', '.join(LOSSES)}"
    if answers(task) not in ANSWERS:
        yield f"its `answers` are {answers(task)!r}, must be one of {', '.join(ANSWERS)}"
    if (s := source(task)) and not (isinstance(s, int) and 1 <= s < task.length and answers(task) == "every"):
        yield f"its `source` is {s!r}, must be from 1 to T - 1, with an answer at every time step"
    for name in ("score", "chance_loss", "solved_at"):
        if not hasattr(task, name):
            yield f"it has no `{name}`"
    if (score := getattr(task, "score", None)) is not None:
        if score not in SCORES:
            yield unknown("its `score`", str(score), SCORES)
        elif SCORES[score] != task.loss:
            allowed = ", ".join(each for each, loss in SCORES.items() if loss == task.loss)
            yield f"its `score` is {score!r}, must be one of {allowed}, those that go with the loss {task.loss}"
        if score == "share within tolerance" and not getattr(task, "tolerance", 0) > 0:
            yield f"its `tolerance` is {getattr(task, 'tolerance', None)!r}, must be a positive number, for its score"
    if not (streams(task) or hasattr(task, "sample")):
        yield "it has neither `sample` nor `stream`, must have one of them for its training batches"
    if not hasattr(task, "evaluation"):
        yield "it has no `evaluation`"
