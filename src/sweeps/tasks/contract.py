"""What a task must be and give, checked: its attributes, and the shapes and dtypes of its batches. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sweeps.tasks.base import ANSWERS, Batch, Task, answers, batches, streams

LOSSES = ("mse", "cross_entropy")
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
    if task.score == "accuracy" and not 0 < task.solved_at <= 1:
        return f"task={name}: task.solved_at: given {task.solved_at:g}, must be above 0 and at most 1 (an accuracy)"
    rng = np.random.default_rng(0)
    return wrong_batch(name, task, next(batches(task, rng, ASKED)), ASKED) or wrong_batch(
        name, task, task.evaluation(rng, ASKED)
    )


def wrong_batch(name: str, task: Task, batch: Batch, sequences: int | None = None) -> str | None:
    """The sentence on what of a batch is not as `Task` says: what was given, and what the contract is; None if nothing.

    Args:
        name: of the task, for the message.
        sequences: B of a training batch; None for the evaluation set, which has as many as it has.
    """
    what = "evaluation set" if sequences is None else "batch"
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
    counts = {part: each for part in ("weights", "scored") if (each := getattr(batch, part)) is not None}
    for part, each in counts.items():
        if not every:
            return f"task={name}: its {what} has `{part}`, must have none: they are for answers at every time step"
        if not isinstance(each, np.ndarray):
            return f"task={name}: `{part}` of its {what} is a {type(each).__name__}, must be a NumPy array"
        wanted[part] = (each, np.float32, "[T, B]", at)
    for part, (array, dtype, letters, shape) in wanted.items():
        if array.dtype != dtype or array.shape != shape:
            return (
                f"task={name}: the {part} of its {what} are {array.dtype} {list(array.shape)}, must be "
                f"{np.dtype(dtype)} {letters}, here {list(shape)}"
            )
    for part, each in counts.items():
        if not (each.min() >= 0 and np.isfinite(each).all() and each.any(0).all()):
            return (
                f"task={name}: `{part}` of its {what} is from {each.min():g} to {each.max():g}, must be finite, not "
                "negative, and above 0 for an answer of each sequence"
            )
    if task.loss == "cross_entropy" and not (targets.min() >= 0 and targets.max() < task.outputs):
        return (
            f"task={name}: the targets of its {what} are classes from {targets.min()} to {targets.max()}, must be "
            f"from 0 to O - 1, here {task.outputs - 1}"
        )
    return None


def _wrong_attributes(task: Task) -> Iterator[str]:
    for name, letter in (("length", "T"), ("inputs", "I"), ("outputs", "O")):
        value = getattr(task, name, None)
        if not (isinstance(value, int) and value >= 1):
            yield f"its `{name}` is {value!r}, must be {letter}, an integer of at least 1"
    if getattr(task, "loss", None) not in LOSSES:
        yield f"its `loss` is {getattr(task, 'loss', None)!r}, must be one of {', '.join(LOSSES)}"
    if answers(task) not in ANSWERS:
        yield f"its `answers` are {answers(task)!r}, must be one of {', '.join(ANSWERS)}"
    for name in ("score", "chance_loss", "solved_at"):
        if not hasattr(task, name):
            yield f"it has no `{name}`"
    if not (streams(task) or hasattr(task, "sample")):
        yield "it has neither `sample` nor `stream`, must have one of them for its training batches"
    if not hasattr(task, "evaluation"):
        yield "it has no `evaluation`"
