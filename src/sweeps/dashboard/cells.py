"""The cells of a sweep as they lie on disk: how many are done, missing and failed, and why those failed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from sweeps.errors import SweepsError, exception_text
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.plan_file import read_plan
from sweeps.records.safe_reading import read_json
from sweeps.records.summary import finished

KNOWN = 1 << 17
"""Number of summaries that are remembered, and read again only if their files change."""
LISTED, NAMED = 8, 3
"""Most reasons of failures that are told, and most names of cells with each."""


@dataclass(frozen=True)
class Counts:
    """Number of cells on disk that are done and that failed.

    Attributes:
        newest: when the last cell was done, in seconds since 1970; 0 without any.
        planned: cells that were requested last; None without a plan, or if it cannot be read.
        missing: of the planned ones, those that are not done.
        failures: the failed cells by reason, the most frequent first: {"reason", "cells": how many, "names": a few}.
    """

    done: int
    failed: int
    newest: float
    planned: int | None = field(compare=False)
    missing: int = field(compare=False)
    failures: list[dict[str, Any]] = field(compare=False)


def count(sweep: SweepPaths) -> Counts:
    """Count the cells: done with a complete summary, failed with a failure.json and no complete summary."""
    done, newest, failed = set[str](), 0.0, list[CellPaths]()
    for cell in sweep.cells():
        with suppress(OSError):  # it has no summary
            status = cell.summary.stat()
            if _remembered(_finished, cell.summary):
                done.add(cell.root.name)
                newest = max(newest, status.st_mtime)
                continue
        if os.path.lexists(cell.failure):
            failed.append(cell)
    planned = None
    with suppress(OSError):  # there is no plan
        planned = _remembered(_plan, sweep.plan)
    missing = len(planned - done) if planned is not None else 0
    return Counts(len(done), len(failed), newest, planned and len(planned), missing, _by_reason(failed))


def _by_reason(cells: list[CellPaths]) -> list[dict[str, Any]]:
    names: dict[str, list[str]] = {}
    for cell in cells:
        with suppress(OSError):  # removed: it is being tried again
            name, reason = _remembered(_failure, cell.failure)
            names.setdefault(reason, []).append(name)
    most = sorted(names.items(), key=lambda item: -len(item[1]))
    return [{"reason": reason, "cells": len(each), "names": each[:NAMED]} for reason, each in most[:LISTED]]


def _remembered(read: Callable[..., Any], path: Path) -> Any:
    """What `read` makes of a file, read again only if the file has changed.

    Raises:
        OSError: there is none.
    """
    status = path.stat()
    return read(path, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


@lru_cache(KNOWN)
def _finished(summary: Path, *stamp: int) -> bool:
    return finished(CellPaths(summary.parent)) is not None


@lru_cache(KNOWN)
def _failure(path: Path, *stamp: int) -> tuple[str, str]:
    content = read_json(path) or {}
    reason = exception_text(str(content.get("reason", ""))) or f"{path.name} does not say"
    return str(content.get("name", path.parent.name)), reason


@lru_cache(1)
def _plan(path: Path, *stamp: int) -> frozenset[str] | None:
    try:
        return frozenset(read_plan(path) or ())
    except SweepsError:
        return None
