"""The small files of one cell: its settings, its summary as a row, and whether they can be trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sweeps.config.identity import NUMERICS_VERSION, completed, id_of
from sweeps.records.columns import FORMAT
from sweeps.records.paths import CONFIG, FAILURE, SUMMARY
from sweeps.records.safe_reading import is_settings, json_object, yaml_value
from sweeps.records.summary import Summary, unfinished

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
    "test_loss",
    "test_score",
    "chance_loss",
    "solved_at",
    "seconds",
    "numerics",
)
"""Columns of a summary row that are float64; what was not measured is NaN."""


def config_of(content: bytes | None) -> dict[str, Any] | None:
    """The nested settings of a cell from its config.yaml, or None if that is missing, incomplete or no settings.

    A setting that was added after the file was written has the value that was always so before.
    """
    if content is None:
        return None
    try:
        config = _config(content.decode())
    except ValueError:
        return None
    return completed(config) if is_settings(config) else None


def _config(text: str) -> Any:
    """The value of a YAML text. Each top-level key is parsed alone and cached: cells of a sweep share most of them."""
    if any(mark in text for mark in "&*#{%|>\r") or "---" in text:
        return yaml_value(text)  # anchors, block scalars and the like: they may span several keys
    config: dict[str, Any] = {}
    parts = _TOP_LEVEL.split(text)
    for part in parts:
        value = _part(part) if part.strip() else {}
        if not isinstance(value, dict) or config.keys() & value.keys():
            return yaml_value(text)
        config |= value
    return config


_part = lru_cache(maxsize=4096)(yaml_value)


def problem_of(
    folder: str,
    files: Mapping[str, bytes],
    unread: Mapping[str, str],
    config: dict[str, Any] | None,
    summary: dict[str, Any] | None,
) -> tuple[str, str] | None:
    """Why a cell is not done, or its record cannot be trusted: kind of problem and reason; None without a problem.

    Args:
        folder: name of the cell's folder, its id.
        files: content of every file that was read, by name.
        unread: why a file could not be read, by name.
        config: nested settings, None where they cannot be read.
        summary: content of summary.json, None where it is missing or incomplete.
    """
    if summary is None:
        failure = json_object(files.get(FAILURE))
        if failure is not None:
            return "failed", str(failure.get("reason") or "no reason recorded")
        if SUMMARY in unread:
            return "unfinished", f"{SUMMARY} cannot be read: {unread[SUMMARY]}"
        return "unfinished", f"{SUMMARY} is not complete" if SUMMARY in files else f"no {SUMMARY} yet"
    if type(version := summary.get("format")) is int and version != FORMAT:
        return "other format", f"record format {version}, this version reads {FORMAT}"
    if (reason := unfinished(summary, folder)) is not None:
        complete = unfinished(summary, summary.get("cell", "")) is None  # but it is another cell's
        return ("foreign" if complete else "unfinished"), reason
    if CONFIG in unread:
        return "damaged", f"{CONFIG} cannot be read: {unread[CONFIG]}"
    if config is None:
        return "damaged", f"{CONFIG} is missing or not complete"
    if (own := id_of(config, summary["numerics"])) != folder:
        return "damaged", f"{CONFIG} is not the cell's: its settings have the id {own}"
    return None


def id_matches(config: dict[str, Any], folder: str) -> bool:
    """Whether the id of the settings is the name of their folder, under this or any earlier numerics version."""
    return any(id_of(config, numerics) == folder for numerics in range(NUMERICS_VERSION, -1, -1))


def summary_row(summary: Summary) -> dict[str, Any]:
    """The columns of one summary.json; None for what an older record lacks or what was not measured.

    `baselines` and `test_baselines` are JSON texts: losses by name.
    """
    final, best, task, pack = summary.final, summary.best, summary.task, summary.pack
    return {
        "outcome": summary.outcome,
        "reason": summary.reason,
        "step": summary.step,
        "solved_step": summary.solved_step,
        "diverged_step": summary.diverged_step,
        "best_step": best.step,
        "best_loss": best.eval_loss,
        "best_score": best.eval_score,
        "final_step": final.step,
        "final_loss": final.train_loss,
        "final_eval_loss": final.eval_loss,
        "final_score": final.eval_score,
        "final_grad_norm": final.grad_norm,
        "test_loss": summary.test.loss,
        "test_score": summary.test.score,
        "baselines": json.dumps(task.baselines) if task.baselines else None,
        "test_baselines": json.dumps(task.test_baselines) if task.test_baselines else None,
        "score_name": task.score,
        "chance_loss": task.chance_loss,
        "solved_at": task.solved_at,
        "seconds": summary.seconds,
        "numerics": summary.numerics,
        "commit": summary.commit,
        "ran_on": summary.device,
        "kernel": pack.kernel,
        "instructions": pack.instructions,
        "processor": summary.processor,
        "versions": ", ".join(f"{name} {value}" for name, value in sorted(summary.versions.items())),
    }
