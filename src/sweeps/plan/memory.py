"""A lower bound of the memory that a cell needs, to refuse sizes beyond this machine's before anything is trained."""

from __future__ import annotations

from sweeps.config.cards import card
from sweeps.config.rules import lookup
from sweeps.config.schema import Settings
from sweeps.config.steps import about_steps

FLOAT32, FLOAT64 = 4, 8


def memory(settings: Settings) -> dict[tuple[str, ...], int]:
    """A lower bound of the bytes that a cell takes in a pack of its own, by the settings that determine each part."""
    t, b, h = about_steps(settings), settings.train.batch, settings.arch.hidden
    train, recurrences = settings.train, settings.stack.recurrences
    arch = card("arch", settings.arch.name)
    copies = card("optim", settings.optim.name).copies + (train.accumulate > 1)
    reads = t if arch.once else 0  # inputs of the lowest layer, which are few otherwise
    weights = arch.gates * h * (settings.stack.products * h + recurrences + reads) * copies
    batches = train.accumulate if train.accumulate > 1 else 0  # that are kept for the record
    states = (1 if arch.once else t) * b * recurrences * h * arch.states + t * b * (1 + batches)
    several = {"stack.layers": settings.stack.layers > 1, "stack.bidirectional": settings.stack.bidirectional}
    stack = [key for key, there in several.items() if there]
    evaluation = 0 if card("task", settings.task.name).fixed_test else t * train.eval_size
    record = (
        0 if train.stop_when_solved or train.patience else recurrences * t * (train.steps // max(1, train.log_every))
    )  # kept until the cell ends
    return {
        ("arch.hidden", *stack): FLOAT32 * weights,
        ("task.length", "train.batch", "arch.hidden", *stack): FLOAT32 * states,
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


def inputs_too_large(settings: Settings, length: int, inputs: int, limit: int) -> str | None:
    """The same of the inputs of a cell's task, T `length` and I `inputs`, that a batch and the evaluation set hold."""
    task, train = settings.task, settings.train
    sequences = train.batch + (0 if card("task", task.name).fixed_test else train.eval_size)
    needed = FLOAT32 * length * inputs * sequences
    if needed <= limit:
        return None
    given = ", ".join(f"task.{key}={value}" for key, value in {"length": task.length, **task.options}.items())
    return (
        f"{given}: {sequences} sequences of {length} steps of {inputs} inputs would take about {readable(needed)} of "
        f"memory, this machine has {readable(limit)}"
    )


def readable(size: float) -> str:
    """A size in bytes as text, such as `1.5 GB`, in powers of ten."""
    units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.3g} {units[0]}"
