"""Settings and tasks that ask for a state, for architectures that pass none from step to step: refused before training.

Each is told in a sentence: what was given, what is allowed, why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweeps import tasks
from sweeps.config.schema import Settings
from sweeps.engine.architectures import architecture, registered

WHY = "which passes no state from step to step"


def stateless(arch: str) -> bool:
    """Whether `arch` is an architecture without a time step."""
    return arch in registered() and architecture(arch).step is None


def problems(settings: Sequence[Settings]) -> list[str]:
    """Settings that mean nothing without a state, each sentence once."""
    found = (sentence for each in settings if stateless(each.arch.name) for sentence in _problems(each))
    return list(dict.fromkeys(found))


def _problems(settings: Settings) -> Iterator[str]:
    arch, stack = settings.arch.name, settings.stack
    for key, given, plain in (("start", stack.start, "zero"), ("kind", stack.kind, "plain")):
        if given not in (plain, None):
            yield f"stack.{key}: given {given!r}, must be {plain} with arch={arch}, {WHY}"
    if stack.bidirectional:
        yield f"stack.bidirectional: given true, must be false with arch={arch}, which reads in no direction"
    if architecture(arch).at_once:
        for key, given, plain in (("readout", stack.readout, "last"), ("attention", stack.attention, "none")):
            if given not in (plain, None):
                yield f"stack.{key}: given {given!r}, must be {plain} with arch={arch}, which reads a sequence at once"
    if settings.train.truncate:
        yield f"train.truncate: given {settings.train.truncate}, must be 0 with arch={arch}, {WHY}"


def task_problems(task: tasks.Task, name: str, arch: str) -> Iterator[str]:
    """What a task needs that the architecture lacks."""
    if not stateless(arch):
        return
    if architecture(arch).at_once and tasks.answers(task) == "every":
        yield (
            f"arch: given {arch!r}, must be another for task={name}, which has an answer at every time step: it "
            "reads a sequence at once"
        )
    if tasks.streams(task):
        yield f"arch: given {arch!r}, must be a recurrence for task={name}, a stream, whose batches go on from a state"
    if tasks.vector(task):
        yield (
            f"arch: given {arch!r}, must be a recurrence for task={name}, whose start states are made from a vector of "
            "each sequence"
        )
