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


def task_has(task: tasks.Task, arch: str) -> str:
    """What a task has that the architecture cannot; empty if it can be trained on it."""
    if not stateless(arch):
        return ""
    if architecture(arch).at_once and tasks.answers(task) == "every":
        return "has an answer at every time step"
    if tasks.streams(task):
        return "is a stream, whose batches go on from a state"
    if tasks.vector(task):
        return "makes its start states from a vector of each sequence"
    return ""


def task_problems(task: tasks.Task, name: str, arch: str) -> Iterator[str]:
    """What a task needs that the architecture lacks."""
    if why := task_has(task, arch):
        reads = "reads a sequence at once" if architecture(arch).at_once else "passes no state from step to step"
        yield f"arch: given {arch!r}, which {reads}, must be another for task={name}, which {why}"
