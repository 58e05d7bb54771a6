"""`summary.json`, the file that makes a cell done: what it holds, and when it is complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from sweeps.errors import SweepsError
from sweeps.records.columns import FORMAT, OUTCOMES
from sweeps.records.paths import SUMMARY, CellPaths
from sweeps.records.safe_reading import read_json

ENDED = tuple(outcome for outcome in OUTCOMES if outcome != "failed")
"""Outcomes of a cell that has a summary."""
NON_FINITE = ("nan", "inf", "-inf")
"""How the numbers that JSON lacks are written in the file: as text."""

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
"""Entries that a summary must have, and what each must be."""
FURTHER = {
    "experiment": NAME,
    "reason": TEXT,
    "commit": TEXT,
    "device": TEXT,
    "processor": TEXT,
    "test": OBJECT,
    "task": OBJECT,
    "versions": OBJECT,
    "pack": OBJECT,
    "skipped": COUNT,
}
"""Entries that a summary may have, and what each must be."""
NUMBERS = {
    "final": ("step", "train_loss", "eval_loss", "eval_score", "grad_norm"),
    "best": ("step", "eval_loss", "eval_score"),
    "test": ("loss", "score"),
    "task": ("chance_loss", "solved_at"),
}
"""Numbers that each nested object may have."""
BASELINES = ("baselines", "test_baselines")
"""Objects of numbers by name that `task` may have."""


@dataclass(frozen=True)
class Final:
    """The last row of metrics.csv with the last evaluation; None or NaN where nothing was measured."""

    step: int | None = None
    train_loss: float | None = None
    eval_loss: float | None = None
    eval_score: float | None = None
    grad_norm: float | None = None


@dataclass(frozen=True)
class Best:
    """The evaluation with the highest score, the first of equal ones; all None without an evaluation."""

    step: int | None = None
    eval_loss: float | None = None
    eval_score: float | None = None


@dataclass(frozen=True)
class OnTest:
    """The test part of finite data, measured once, with the weights at the end; all None where there is none."""

    loss: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class TaskFacts:
    """What the task calls its score, the loss of the best constant answer, and the score that counts as solved.

    Attributes:
        baselines, test_baselines: the losses of further predictors by name, on the evaluation set and on the test part.
    """

    score: str | None = None
    chance_loss: float | None = None
    solved_at: float | None = None
    baselines: dict[str, float] = field(default_factory=dict)
    test_baselines: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PackFacts:
    """The pack that the cell trained in: its id, the cell's lane of `lanes`, and the kernels that computed it."""

    id: str | None = None
    lane: int | None = None
    lanes: int | None = None
    kernel: str | None = None
    instructions: str | None = None
    build: str | None = None


@dataclass(frozen=True)
class Summary:
    """The `summary.json` of a cell, field by field in the order of the file. None where an older record lacks one.

    Attributes:
        cell: id of the cell.
        outcome: of `columns.OUTCOMES`, but never failed: a failed cell has no summary.
        reason: why a run diverged.
        step: updates that the weights had when the run ended; `solved_step`, `diverged_step` likewise.
        seconds: of one core, the cell's share of its pack.
        versions: of Python and the libraries that decide numbers.
        commit: of the code; `-dirty` where files differed from it.
        numerics: `identity.NUMERICS_VERSION` of the code.
        device, processor: as they call themselves.
        skipped: updates that were left out because loss or gradient was not finite; None where that ends a run.
    """

    cell: str
    experiment: str | None
    outcome: str
    reason: str | None
    step: int
    solved_step: int | None
    diverged_step: int | None
    final: Final
    best: Best
    task: TaskFacts
    seconds: float
    pack: PackFacts
    versions: dict[str, str]
    commit: str | None
    numerics: int
    device: str | None
    processor: str | None = None
    test: OnTest = OnTest()
    skipped: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What the file holds, for `files.write_json`: `test`, `skipped`, the baselines only where there are such."""
        content = {"format": FORMAT, **asdict(self)}
        if self.test == OnTest():
            del content["test"]
        if self.skipped is None:
            del content["skipped"]
        for name in BASELINES:
            if not content["task"][name]:
                del content["task"][name]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Summary:
        """The summary in the object of a file in which `unfinished` finds nothing wrong. Unknown names are left out."""
        entries = {each.name: content.get(each.name) for each in fields(cls)}
        parts: dict[str, Any] = {
            "final": _part(Final, entries["final"]),
            "best": _part(Best, entries["best"]),
            "test": _part(OnTest, entries["test"]),
            "task": _part(TaskFacts, entries["task"]),
            "pack": _part(PackFacts, entries["pack"]),
            "versions": dict(entries["versions"] or {}),
        }
        return cls(**{**entries, **parts})


Part = TypeVar("Part", Final, Best, OnTest, TaskFacts, PackFacts)


def _part(cls: type[Part], content: Mapping[str, Any] | None) -> Part:
    there = {each.name: (content or {}).get(each.name) for each in fields(cls)}
    return cls(**{name: _number(value) for name, value in there.items() if value is not None})


def _number(value: Any) -> Any:
    """The value as a float if it is the text of one that JSON lacks, else as it is; so in an object of numbers."""
    if isinstance(value, dict):
        return {name: _number(each) for name, each in value.items()}
    return float(value) if value in NON_FINITE else value


def finished(cell: CellPaths) -> Summary | None:
    """The summary of a cell that is done, None for any other: the one definition of done.

    A cell is done exactly when its `summary.json` is complete and its own.
    """
    content = read_json(cell.summary)
    return None if unfinished(content, cell.root.name) else Summary.from_json(content or {})


def read_summary(cell: CellPaths) -> Summary:
    """The summary of a cell.

    Raises:
        SweepsError: the cell is not done; the message says what is wrong with its summary.json.
    """
    content = read_json(cell.summary)
    if (reason := unfinished(content, cell.root.name)) is not None:
        raise SweepsError(reason)
    return Summary.from_json(content or {})


def unfinished(content: Mapping[str, Any] | None, cell: str) -> str | None:
    """Why a cell is not done, as a clause; None if it is.

    Args:
        content: the object in its summary.json, None where there is none.
        cell: its id, the name of its folder.
    """
    if content is None:
        return f"{SUMMARY} is missing or not complete"
    if (what := _defect(content)) is not None:
        return f"{SUMMARY} is not complete: {what}"
    if content["cell"] != cell:
        return f"the folder holds the record of cell {content['cell']}"
    return None


def in_the_way(cell: CellPaths) -> str | None:
    """Why a cell cannot be trained: its folder holds the complete record of another cell, perhaps the only one."""
    content = read_json(cell.summary)
    if content is None or _defect(content) is not None or content["cell"] == cell.root.name:
        return None
    return f"{cell.root} holds the record of cell {content['cell']}; move it away and the same command trains this cell"


def _defect(summary: Mapping[str, Any]) -> str | None:
    """The first thing that is wrong with the object of a summary.json, as a clause; None if it is complete."""
    if summary.get("format") != FORMAT:
        return f"it is of format {_quoted(summary.get('format'))}, this version reads {FORMAT}"
    if summary.get("outcome") not in ENDED:
        return f"the outcome is {_quoted(summary.get('outcome'))}, must be one of {', '.join(ENDED)}"
    wanted = ENTRIES | {name: kind for name, kind in FURTHER.items() if summary.get(name) is not None}
    for name, kind in wanted.items():
        if not _fits(summary.get(name), kind):
            return f"{name} is {_quoted(summary.get(name))}, must be {kind}"
    for part, names in NUMBERS.items():
        for name in names:
            if not _fits((summary.get(part) or {}).get(name), NUMBER):
                return f"{part}.{name} is {_quoted(summary[part][name])}, must be {NUMBER}"
    for name in BASELINES:
        if not _numbers_by_name(found := (summary.get("task") or {}).get(name, {})):
            return f"task.{name} is {_quoted(found)}, must be an object of numbers"
    if not _fits((summary.get("task") or {}).get("score"), TEXT):
        return f"task.score is {_quoted(summary['task']['score'])}, must be {TEXT}"
    return _contradiction(summary)


def _contradiction(summary: Mapping[str, Any]) -> str | None:
    """How the outcome and the steps of a summary contradict each other, as a clause; None if they do not."""
    outcome, step, solved, diverged = (summary[name] for name in ("outcome", "step", "solved_step", "diverged_step"))
    if diverged != (step if outcome == "diverged" else None):
        return f"the outcome is {outcome} at step {step}, and diverged_step is {_quoted(diverged)}"
    if outcome != "diverged" and (solved is None) == (outcome == "solved"):
        return f"the outcome is {outcome}, and solved_step is {_quoted(solved)}"
    if solved is not None and solved > step:
        return f"it was solved at step {solved} and ended at step {step}"
    if summary["final"].get("step") not in (None, step):
        return f"it ended at step {step}, and final.step is {_quoted(summary['final']['step'])}"
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


def _numbers_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(each is not None and _fits(each, NUMBER) for each in value.values())


def _quoted(value: Any) -> str:
    """A value as a message quotes it, shortened to 40 characters."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
