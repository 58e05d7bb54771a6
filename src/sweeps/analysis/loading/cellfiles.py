"""The small files of one cell: its settings, its summary as a row, and whether they can be trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from sweeps.analysis.loading.axes import flatten
from sweeps.records.columns import FORMAT, OUTCOMES
from sweeps.records.files import json_object
from sweeps.records.read_cell import Loader

_TOP_LEVEL = re.compile(r"^(?=[A-Za-z_])", re.MULTILINE)

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


def settings_of(content: bytes | None) -> dict[str, Any] | None:
    """The flattened settings of a cell from its config.yaml, or None if it is missing or not whole."""
    if content is None:
        return None
    try:
        config = _config(content.decode())
    except (ValueError, yaml.YAMLError):
        return None
    return flatten(config) if isinstance(config, dict) else None


def _config(text: str) -> Any:
    """The mapping of a YAML text, read a top-level key at a time: a sweep repeats the same few over and over."""
    if any(mark in text for mark in "&*#{%|>\r") or "---" in text:
        return yaml.load(text, Loader=Loader)  # what may reach beyond a key
    whole: dict[str, Any] = {}
    parts = _TOP_LEVEL.split(text)
    for part in parts:
        found = _part(part) if part.strip() else {}
        if not isinstance(found, dict) or whole.keys() & found.keys():
            return yaml.load(text, Loader=Loader)
        whole |= found
    return whole


@lru_cache(maxsize=4096)
def _part(text: str) -> Any:
    return yaml.load(text, Loader=Loader)


def trouble_of(
    folder: str, files: Mapping[str, bytes], settings: dict[str, Any] | None, summary: dict[str, Any] | None
) -> tuple[str, str] | None:
    """Why a cell is not done or not to be trusted: kind of problem and reason; None if all is well.

    Args:
        folder: name of the cell's folder, its id.
        files: content of the files that are there, by name.
    """
    if summary is None:
        failure = json_object(files.get("failure.json"))
        if failure is not None:
            return "failed", str(failure.get("reason") or "no reason recorded")
        return "unfinished", "summary.json is not whole" if "summary.json" in files else "no summary.json yet"
    if summary.get("format") != FORMAT:
        return "other format", f"record format {summary.get('format')}, this version reads {FORMAT}"
    if settings is None:
        return "damaged", "config.yaml is missing or not whole"
    if summary.get("cell") != folder:
        return "foreign", f"the folder holds the record of cell {summary.get('cell')}"
    if summary.get("outcome") not in OUTCOMES:
        return "damaged", f"summary.json has the outcome {summary.get('outcome')!r}"
    return None


def summary_row(summary: dict[str, Any]) -> dict[str, Any]:
    """The columns of one summary.json; a part that is missing or null gives NaN."""
    final, best, task, pack = (summary.get(part) or {} for part in ("final", "best", "task", "pack"))
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
        "kernel": pack.get("kernel"),
        "instructions": pack.get("instructions"),
        "processor": summary.get("processor"),
        "versions": ", ".join(f"{name} {value}" for name, value in sorted((summary.get("versions") or {}).items())),
    }


def number(value: Any) -> float:
    """A number of summary.json, where non-finite ones are text; NaN if there is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
