"""Checks settings against this machine and the tasks before anything is trained, alike for single runs and sweeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from sweeps import tasks
from sweeps.config.cards import card
from sweeps.config.compose import settings_of
from sweeps.config.identity import EXCLUDED
from sweeps.config.places import defaults
from sweeps.config.schema import SECTIONS, Settings, Stack, Task
from sweeps.engine import meant, options, stateless
from sweeps.errors import ConfigError
from sweeps.execute.kernels import missing_kernels
from sweeps.execute.machine import memory_limit
from sweeps.plan.memory import inputs_too_large, too_large
from sweeps.probes import base as probes
from sweeps.tasks import contract

MOST_SIZES = 5
"""Impossible sizes of one grid that are listed."""


def checked(jobs: Sequence[Sequence[str]], compose: Callable[[Sequence[str]], dict[str, Any]]) -> list[Settings]:
    """The settings of every job of a grid, each with the initialisation that its architecture has (`engine.meant`).

    A single run is a grid of one job.

    Args:
        jobs: the overrides of each job.
        compose: turns overrides into the nested values of a config.

    Raises:
        ConfigError: at least one job cannot be trained; it lists every problem.
    """
    good, broken, problems = settings_of(jobs, compose)
    if problems := problems + problems_with(good, broken):
        raise ConfigError(problems)
    return [meant.meant(each, defaults("arch", each.arch.name)) for each in good]


def problems_with(good: Sequence[Settings], broken: Sequence[Settings] = ()) -> list[str]:
    """Problems beyond the rules on single values: with this machine, with the tasks, and between cells of a sweep.

    Args:
        good: settings that keep every rule of `config.rules`.
        broken: settings that break one; only their sizes and tasks are checked.
    """
    every = [*good, *broken]
    in_choices = size_problems(every) or option_problems(every) or task_problems(every) or probes.problems(every)
    return in_choices + device_problems(good) + missing_kernels(good) + shared_problems(good)


def size_problems(settings: Sequence[Settings]) -> list[str]:
    """Cells that do not fit into this machine's memory even alone. Checked first: making a long task takes time."""
    limit = memory_limit()
    sentences = (too_large(each, limit) for each in settings if each.executor.device == "cpu")
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))[:MOST_SIZES]


def option_problems(settings: Sequence[Settings]) -> list[str]:
    """Own options of architectures, inits and the like that their code would not use, or lacks; inits that an
    architecture cannot have."""
    unused = options.problems(settings, lambda arch: card("arch", arch).per_lane)
    return unused or options.impossible(settings) or [*meant.problems(settings), *stateless.problems(settings)]


def task_problems(settings: Sequence[Settings]) -> list[str]:
    """Settings that a task does not accept, and tasks that break their contract, each problem once.

    Each task is made, and asked for two sequences.
    """
    problems: list[str] = []
    for task in {repr(each.task): each.task for each in settings}.values():
        try:
            made = tasks.task_of(task)
            sentence = _inputs_too_large(made, task, settings) or contract.problem(task.name, made)
        except ValueError as error:
            sentence = f"task={task.name}: {error}"
        if sentence:
            problems.append(sentence)
        else:
            networks = dict.fromkeys((each.arch.name, each.stack) for each in settings if each.task == task)
            problems += dict.fromkeys(
                found for arch, stack in networks for found in _network_problems(made, task.name, arch, stack)
            )
    return problems


def _inputs_too_large(made: tasks.Task, task: Task, settings: Sequence[Settings]) -> str | None:
    """The sentence on inputs that this machine has no memory for, before any are asked for."""
    length, inputs = getattr(made, "length", None), getattr(made, "inputs", None)
    if not (isinstance(length, int) and isinstance(inputs, int)):
        return None  # `contract` says so
    limit = memory_limit()
    of_sizes = {(each.train.batch, each.train.eval_size): each for each in settings if each.task == task}
    found = (inputs_too_large(each, length, inputs, limit) for each in of_sizes.values())
    return next((f"task={task.name}: {sentence}" for sentence in found if sentence), None)


def _network_problems(task: tasks.Task, name: str, arch: str, stack: Stack) -> Iterator[str]:
    """Kinds of network that a task rules out."""
    yield from stateless.task_problems(task, name, arch)
    if tasks.answers(task) == "every" and stack.readout != "last":
        yield (
            f"stack.readout: given {stack.readout!r}, must be last for task={name}, which has an answer at every time "
            "step and reads each from its own state"
        )
    if tasks.vector(task) and stack.start == "random":
        yield (
            f"stack.start: given 'random', must be zero or learned for task={name}, whose start states are made from a "
            "vector of each sequence"
        )
    if tasks.source(task) and stack.bidirectional:
        yield (
            f"stack.bidirectional: given true, must be false for task={name}, whose inputs behind the source are the "
            "answers before: what reads in reverse would read the answer"
        )
    for key, given, plain in (("kind", stack.kind, "plain"), ("attention", stack.attention, "none")):
        if given != plain and not tasks.source(task):
            yield f"stack.{key}: given {given!r}, must be {plain} for task={name}, whose sequences have no source"
    if tasks.streams(task) and stack.bidirectional:
        yield (
            f"stack.bidirectional: given true, must be false for task={name}, a stream: what reads in reverse has no "
            "state to go on from"
        )
    if tasks.streams(task) and stack.start == "learned":
        yield (
            f"stack.start: given 'learned', must be zero or random for task={name}, a stream, whose batches start in "
            "the state in which the one before ended"
        )


def device_problems(settings: Sequence[Settings]) -> list[str]:
    """The problem that settings name a GPU and there is none. Torch is imported only if a cell names one."""
    if not any(each.executor.device == "cuda" for each in settings):
        return []
    from sweeps.engine.device import available

    if available("cuda"):
        return []
    return ["executor.device: given 'cuda', but torch finds no CUDA device here; use cpu or a CUDA build of torch"]


def shared_problems(settings: Sequence[Settings]) -> list[str]:
    """Settings outside the id (`identity.EXCLUDED`) that have several values; a sweep has one of each."""
    problems = []
    for section in EXCLUDED:
        inner = [f"{section}.{each.name}" for each in fields(SECTIONS[section])] if section in SECTIONS else [section]
        for key in inner:
            values = dict.fromkeys(str(attrgetter(key)(each)) for each in settings)
            if len(values) > 1:
                problems.append(
                    f"{key.removesuffix('.name')}: given {', '.join(values)}, must be one for a whole sweep"
                    " (cells that differ in it alone are the same cell)"
                )
    return problems
