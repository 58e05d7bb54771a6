"""Of which loss the gradient through time is, where a task has an answer at every time step."""

from __future__ import annotations

from collections.abc import Iterable

from sweeps.config.steps import EVERY


def last_answer(tasks: Iterable[str]) -> str:
    """That L is the loss of each sequence's last answer, as a sentence; empty where no task has several answers.

    The gradient of all answers, which trains, is `log10_norm_total` of the files (docs/decisions/017).
    """
    if not set(tasks) & set(EVERY):
        return ""
    return (
        "Of a task with an answer at every time step L is here the loss of each sequence's last one; all of them train."
    )
