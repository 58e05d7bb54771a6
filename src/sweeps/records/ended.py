"""How a run ended, in words."""

from __future__ import annotations

from typing import Any

from sweeps.amounts import number_of
from sweeps.records.summary import Summary


def ended(summary: Summary, steps: Any) -> str:
    """How a run ended, as a sentence.

    Args:
        steps: its budget of updates, None where that is not known.
    """
    of = f" of {steps}" if steps is not None and steps != summary.step else ""
    at = f" at step {summary.step}{of}"
    left_out = f"; {number_of(summary.skipped, 'update')} left out, not finite" if summary.skipped else ""
    if summary.outcome == "diverged":
        before = f"; solved before, at step {summary.solved_step}" if summary.solved_step is not None else ""
        return f"Diverged{at}{f': {summary.reason}' if summary.reason else ''}{before}."
    if summary.outcome == "solved":
        return f"Solved at step {summary.solved_step}, ended{at}{left_out}."
    return f"Finished{at}, not solved{left_out}."
