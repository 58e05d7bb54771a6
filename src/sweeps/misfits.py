"""Points of a grid whose architecture cannot be trained on their task: left out, and said, where others are left.

Both have to be axes: `arch=lstm,mlp_tanh task=adding,copy` is three of its four points, for a feed-forward network over
the whole sequence has no answer at every time step. A cell asked for by itself is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sweeps import tasks
from sweeps.config.compose import composed
from sweeps.config.grid import Grid
from sweeps.engine import stateless

Pair = tuple[str, str]


def without_misfits(grid: Grid, compose: Callable[[Sequence[str]], dict[str, Any]]) -> Grid:
    """The grid without the points whose architecture cannot have their task, and the sentence that says so.

    An architecture, or a task, that would be left without any point stays whole: it is refused as a cell is.

    Args:
        compose: turns overrides into the nested values of a config.
    """
    first: dict[Pair, Sequence[str]] = {}
    for job in grid.jobs:
        if (pair := _pair(job)) is not None:
            first.setdefault(pair, job)
    reasons = {pair: why for pair, job in first.items() if (why := _why_not(pair[0], job, compose))}
    fit = [pair for pair in first if pair not in reasons]
    reasons = {
        (arch, task): why
        for (arch, task), why in reasons.items()
        if any(arch == own for own, _ in fit) and any(task == own for _, own in fit)
    }
    jobs = [job for job in grid.jobs if _pair(job) not in reasons]
    if not reasons:
        return grid
    texts = []
    for task, why in dict.fromkeys((task, why) for (_, task), why in reasons.items()):
        archs = [arch for arch, own in reasons if own == task and reasons[arch, own] == why]
        texts.append(f"task={task} {why}, which arch={','.join(archs)} cannot have")
    less = len(grid.jobs) - len(jobs)
    are = "is" if less == 1 else "are"
    sentence = f"{'; '.join(texts)}: {less} of the {len(grid.jobs)} points of the grid {are} skipped."
    return replace(grid, jobs=jobs, skipped="\n".join(filter(None, (grid.skipped, sentence))))


def _pair(job: Sequence[str]) -> Pair | None:
    chosen = dict(text.split("=", 1) for text in job if text.startswith(("arch=", "task=")))
    return (chosen["arch"], chosen["task"]) if len(chosen) == 2 else None


def _why_not(arch: str, job: Sequence[str], compose: Callable[[Sequence[str]], dict[str, Any]]) -> str:
    """What a task has that the architecture cannot; empty also where the settings are wrong, which are told later."""
    if not stateless.stateless(arch):
        return ""
    settings, _ = composed(compose, job)
    if settings is None:
        return ""
    try:
        made = tasks.task_of(settings.task)
    except ValueError:
        return ""
    return stateless.task_has(made, arch)
