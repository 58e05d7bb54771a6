"""The sizes of a batch, for those tasks whose sizes are known before they are made."""

from __future__ import annotations

from sweeps.config.schema import Settings

BEYOND = {"adding": 0, "binary_sum": 0, "copy": 20, "digits": 0}
"""By how much the number of time steps T exceeds `task.length`. A task that is not here may have any number."""


WIDTHS = {"adding": (2, 1), "binary_sum": (1, 10), "copy": (10, 9), "digits": (1, 10)}
"""Inputs and outputs of a task at a time step, for estimates; a task that is not here counts as one of each."""
EVERY = ("copy",)
"""Tasks that have an answer at every time step."""


def known_steps(settings: Settings) -> int | None:
    """T of a cell's task; None where only the task itself can tell."""
    beyond = BEYOND.get(settings.task.name)
    return None if beyond is None else settings.task.length + beyond


def about_steps(settings: Settings) -> int:
    """T of a cell's task, for estimates: `task.length` where only the task can tell."""
    return known_steps(settings) or settings.task.length
