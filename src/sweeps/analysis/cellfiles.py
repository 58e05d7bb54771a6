"""The small files of one cell: its settings, its summary as a row, and whether they can be trusted."""

from __future__ import annotations

from typing import Any

import yaml

from sweeps.analysis.axes import flatten
from sweeps.records.columns import FORMAT
from sweeps.records.files import read_json
from sweeps.records.paths import CellPaths

_Yaml = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NUMBERS: tuple[str, ...] = (
    "step",
    "solved_step",
    "diverged_step",
    "best_step",
    "best_loss",
    "best_score",
    "final_step",
    "final_loss",
    "final_eval_loss",
    "final_score",
    "final_grad_norm",
    "chance_loss",
    "solved_at",
    "seconds",
    "numerics",
)
"""Columns of a summary row that are float64; what was not measured is NaN."""


def settings_of(folder: CellPaths) -> dict[str, Any] | None:
    """The flattened settings of a cell, or None if config.yaml is missing or not whole."""
    try:
        config = yaml.load(folder.config.read_text(encoding="utf-8"), Loader=_Yaml)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return flatten(config) if isinstance(config, dict) else None


def trouble_of(
    folder: CellPaths, settings: dict[str, Any] | None, summary: dict[str, Any] | None
) -> tuple[str, str] | None:
    """Why a cell is not done or not to be trusted: kind of problem and reason; None if all is well."""
    if summary is None:
        failure = read_json(folder.failure)
        if failure is not None:
            return "failed", str(failure.get("reason") or "no reason recorded")
        kind = "summary.json is not whole" if folder.summary.exists() else "no summary.json yet"
        return "unfinished", kind
    if summary.get("format") != FORMAT:
        return "other format", f"record format {summary.get('format')}, this version reads {FORMAT}"
    if settings is None:
        return "damaged", "config.yaml is missing or not whole"
    if summary.get("cell") != folder.root.name:
        return "foreign", f"the folder holds the record of cell {summary.get('cell')}"
    return None


def summary_row(summary: dict[str, Any]) -> dict[str, Any]:
    """The columns of one summary.json; a part that is missing or null gives NaN."""
    final, best, task = (summary.get(part) or {} for part in ("final", "best", "task"))
    return {
        "outcome": summary.get("outcome"),
        "reason": summary.get("reason"),
        "step": summary.get("step"),
        "solved_step": summary.get("solved_step"),
        "diverged_step": summary.get("diverged_step"),
        "best_step": best.get("step"),
        "best_loss": best.get("eval_loss"),
        "best_score": best.get("eval_score"),
        "final_step": final.get("step"),
        "final_loss": final.get("train_loss"),
        "final_eval_loss": final.get("eval_loss"),
        "final_score": final.get("eval_score"),
        "final_grad_norm": final.get("grad_norm"),
        "score_name": task.get("score"),
        "chance_loss": task.get("chance_loss"),
        "solved_at": task.get("solved_at"),
        "seconds": summary.get("seconds"),
        "numerics": summary.get("numerics"),
        "commit": summary.get("commit"),
        "ran_on": summary.get("device"),
        "versions": ", ".join(f"{name} {value}" for name, value in sorted((summary.get("versions") or {}).items())),
    }


def number(value: Any) -> float:
    """A number of summary.json, where non-finite ones are text; NaN if there is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
