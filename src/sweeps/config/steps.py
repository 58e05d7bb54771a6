"""The time steps of a batch, for those tasks whose number is known before they are made."""

from __future__ import annotations

from sweeps.config.schema import Settings

BEYOND = {"adding": 0, "binary_sum": 0, "copy": 20, "digits": 0}
"""By how much the number of time steps T exceeds `task.length`. A task that is not here may have any number."""


def known_steps(settings: Settings) -> int | None:
    """T of a cell's task; None where only the task itself can tell."""
    beyond = BEYOND.get(settings.task.name)
    return None if beyond is None else settings.task.length + beyond


def about_steps(settings: Settings) -> int:
    """T of a cell's task, for estimates: `task.length` where only the task can tell."""
    return known_steps(settings) or settings.task.length
