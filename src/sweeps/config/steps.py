"""The sizes of a batch, for those tasks whose sizes are known before they are made."""

from __future__ import annotations

from sweeps.config.schema import Settings

BEYOND = {
    "adding": 0,
    "binary_sum": 0,
    "binary_sum_variable": 0,
    "char_lm": 0,
    "copy": 20,
    "copy_variable": 20,
    "dates": 10,
    "digits": 0,
    "forecast": 0,
    "mnist": 0,
    "multiplication": 0,
    "parity": 0,
    "regression": 0,
    "temporal_order": 0,
    "unpack": 0,
}
"""By how much the number of time steps T exceeds `task.length`. A task that is not here may have any number."""


WIDTHS = {
    "adding": (2, 1),
    "binary_sum": (1, 10),
    "binary_sum_variable": (1, 10),
    "char_lm": (74, 74),
    "copy": (10, 9),
    "copy_variable": (10, 9),
    "dates": (36, 11),
    "digits": (1, 10),
    "forecast": (1, 1),
    "memorization": (4, 3),
    "mnist": (1, 10),
    "multiplication": (2, 1),
    "parity": (1, 2),
    "regression": (1, 1),
    "selective_copy": (16, 14),
    "temporal_order": (6, 4),
    "unpack": (1, 2),
}
"""Inputs and outputs of a task with its defaults, for estimates; a task that is not here counts as one of each."""
EVERY = ("char_lm", "copy", "copy_variable", "dates", "forecast", "memorization", "parity", "selective_copy", "unpack")
"""Tasks that have an answer at every time step."""


def known_steps(settings: Settings) -> int | None:
    """T of a cell's task; None where only the task itself can tell."""
    beyond = BEYOND.get(settings.task.name)
    return None if beyond is None else settings.task.length + beyond


def about_steps(settings: Settings) -> int:
    """T of a cell's task, for estimates: `task.length` where only the task can tell."""
    return known_steps(settings) or settings.task.length
