"""A lower bound of the memory that a cell needs, to refuse sizes beyond this machine's before anything is trained."""

from __future__ import annotations

from sweeps.config.rules import lookup
from sweeps.config.schema import Settings
from sweeps.plan.forecast import BLOCKS

FLOAT32, FLOAT64 = 4, 8
STATES = {"lstm": 6, "gru": 4}
"""Buffers `[T, B, H]` that training keeps (measured: 6.9, 5.0, and 1.1 of a plain RNN)."""
COPIES = {"adam": 4, "rmsprop": 3, "sgd": 2}
"""Of the weights: themselves, the gradient, what the optimiser keeps."""
FIXED = ("digits",)
"""Tasks whose evaluation set is what it is, whatever `train.eval_size`."""


def memory(settings: Settings) -> dict[tuple[str, ...], int]:
    """A lower bound of the bytes that a cell takes in a pack of its own, by the settings that determine each part."""
    t, b, h, train = settings.task.length, settings.train.batch, settings.arch.hidden, settings.train
    weights = BLOCKS.get(settings.arch.name, 1) * h * (h + 1) * COPIES.get(settings.optim.name, 2)
    states = t * b * (h * STATES.get(settings.arch.name, 1) + 1)
    evaluation = 0 if settings.task.name in FIXED else t * train.eval_size
    record = 0 if train.stop_when_solved else t * (train.steps // max(1, train.log_every))  # kept until the cell ends
    return {
        ("arch.hidden",): FLOAT32 * weights,
        ("task.length", "train.batch", "arch.hidden"): FLOAT32 * states,
        ("task.length", "train.eval_size"): FLOAT32 * evaluation,
        ("task.length", "train.steps", "train.log_every"): FLOAT64 * record,
    }


def too_large(settings: Settings, limit: int) -> str | None:
    """A message, naming the settings of the largest part, if a cell needs more bytes than `limit`, the machine's."""
    parts = memory(settings)
    if (needed := sum(parts.values())) <= limit:
        return None
    largest = max(parts, key=parts.__getitem__)
    responsible = ", ".join(f"{key}={lookup(settings, key)}" for key in largest)
    return f"{responsible}: a cell would take about {readable(needed)} of memory, this machine has {readable(limit)}"


def readable(size: float) -> str:
    """A size in bytes as text, such as `1.5 GB`, in powers of ten."""
    units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.3g} {units[0]}"
