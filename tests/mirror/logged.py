"""Reads the offline file of a run back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweeps.mirror.offline_file import records


@dataclass
class LoggedRun:
    """Content of an offline file; a non-finite number is a float in the history, and W&B's text elsewhere."""

    id: str = ""
    name: str = ""
    project: str = ""
    group: str = ""
    job_type: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)  # rows in order, `_step` among the keys
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None


def read(path: Path) -> LoggedRun:
    """The run in an offline file. Raises as `records` does."""
    run = LoggedRun()
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            sent = record.run
            run.id, run.name, run.project = sent.run_id, sent.display_name, sent.project
            run.group, run.job_type, run.tags = sent.run_group, sent.job_type, tuple(sent.tags)
            run.config.update(_items(sent.config.update))
        elif kind == "config":
            run.config.update(_items(record.config.update))
        elif kind == "history":
            run.history.append(_items(record.history.item))
        elif kind == "summary":
            run.summary.update(_items(record.summary.update))
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def _items(items: Any) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): _value(item.value_json) for item in items}


def _value(text: str) -> Any:
    return -0.0 if text == "-0" else json.loads(text)  # which Python would read as the integer 0
