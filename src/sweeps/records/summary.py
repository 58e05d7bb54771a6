"""What a whole `summary.json` holds: the file that makes a cell done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeps.errors import SweepsError
from sweeps.records.columns import FORMAT, OUTCOMES
from sweeps.records.reading import read_json

ENDED = tuple(outcome for outcome in OUTCOMES if outcome != "failed")
"""Outcomes of a cell that has a summary."""
NON_FINITE = ("nan", "inf", "-inf")
"""How numbers that JSON has not are written in it."""

COUNT, STEP, NUMBER, SECONDS = "a whole number from 0", "a step or null", "a number or null", "a number from 0"
NAME, TEXT, OBJECT = "a text", "a text or null", "an object"

ENTRIES = {
    "cell": NAME,
    "step": COUNT,
    "solved_step": STEP,
    "diverged_step": STEP,
    "final": OBJECT,
    "best": OBJECT,
    "seconds": SECONDS,
    "numerics": COUNT,
}
"""What must be there, and what it must be."""
FURTHER = {
    "experiment": NAME,
    "reason": TEXT,
    "commit": TEXT,
    "device": TEXT,
    "processor": TEXT,
    "task": OBJECT,
    "versions": OBJECT,
    "pack": OBJECT,
}
"""What may be there."""
NUMBERS = {
    "final": ("step", "train_loss", "eval_loss", "eval_score", "grad_norm"),
    "best": ("step", "eval_loss", "eval_score"),
    "task": ("chance_loss", "solved_at"),
}
"""What an object may hold, by its name; all of them numbers."""


def whole_summary(path: Path) -> dict[str, Any] | None:
    """The `summary.json` of a cell that is done; None where it is missing, not whole or of another cell."""
    summary = read_json(path)
    if summary is None or trouble(summary) is not None or summary["cell"] != path.parent.name:
        return None
    return summary


def in_the_way(path: Path) -> str | None:
    """Why the cell in whose folder `path` lies cannot be trained: the folder holds the whole record of another one.

    Training would write over it, and it may be the only one there is.
    """
    summary = read_json(path)
    if summary is None or trouble(summary) is not None or summary["cell"] == path.parent.name:
        return None
    return (
        f"{path.parent} holds the record of cell {summary['cell']}; move it away and the same command trains this cell"
    )


def read_summary(path: Path) -> dict[str, Any]:
    """What the summary.json of a cell says.

    Raises:
        SweepsError: it is missing, not whole or of another cell.
    """
    summary = read_json(path)
    if summary is None:
        raise SweepsError("summary.json is missing or not whole")
    if (what := trouble(summary)) is not None:
        raise SweepsError(f"summary.json is not whole: {what}")
    if summary["cell"] != path.parent.name:
        raise SweepsError(f"the folder holds the record of cell {summary['cell']}")
    return summary


def trouble(summary: Mapping[str, Any]) -> str | None:
    """The first thing that is wrong with the object of a summary.json, as a clause; None if it is whole."""
    if summary.get("format") != FORMAT:
        return f"it is of format {_said(summary.get('format'))}, this version reads {FORMAT}"
    if summary.get("outcome") not in ENDED:
        return f"the outcome is {_said(summary.get('outcome'))}, must be one of {', '.join(ENDED)}"
    wanted = ENTRIES | {name: kind for name, kind in FURTHER.items() if summary.get(name) is not None}
    for name, kind in wanted.items():
        if not _fits(summary.get(name), kind):
            return f"{name} is {_said(summary.get(name))}, must be {kind}"
    for part, names in NUMBERS.items():
        for name in names:
            if not _fits((summary.get(part) or {}).get(name), NUMBER):
                return f"{part}.{name} is {_said(summary[part][name])}, must be {NUMBER}"
    if not _fits((summary.get("task") or {}).get("score"), TEXT):
        return f"task.score is {_said(summary['task']['score'])}, must be {TEXT}"
    return _contradiction(summary)


def _contradiction(summary: Mapping[str, Any]) -> str | None:
    """How the outcome and the steps of a summary exclude each other."""
    outcome, step, solved, diverged = (summary[name] for name in ("outcome", "step", "solved_step", "diverged_step"))
    if diverged != (step if outcome == "diverged" else None):
        return f"the outcome is {outcome} at step {step}, and diverged_step is {_said(diverged)}"
    if outcome != "diverged" and (solved is None) == (outcome == "solved"):
        return f"the outcome is {outcome}, and solved_step is {_said(solved)}"
    if solved is not None and solved > step:
        return f"it was solved at step {solved} and ended at step {step}"
    if summary["final"].get("step") not in (None, step):
        return f"it ended at step {step}, and final.step is {_said(summary['final']['step'])}"
    return None


def _fits(value: Any, kind: str) -> bool:
    if value is None:
        return kind in (STEP, NUMBER, TEXT)
    if kind in (COUNT, STEP):
        return type(value) is int and 0 <= value < 1 << 31
    if kind == NUMBER:
        return type(value) is float or (type(value) is int and abs(value) < 1 << 63) or value in NON_FINITE
    if kind == SECONDS:
        return type(value) in (int, float) and 0 <= value < 1 << 63
    return isinstance(value, dict if kind == OBJECT else str)


def _said(value: Any) -> str:
    """A value as a message quotes it, not at length."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
