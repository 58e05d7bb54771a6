"""The newest report of a sweep whose records may still grow. Nothing is looked at or made unless somebody asks."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sweeps.errors import SweepsError
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.plan_file import read_plan
from sweeps.records.summary import finished

PAUSE = 20.0
"""Seconds between two reports: making one takes about ten, which training would like to have."""


KNOWN = 1 << 17
"""Summaries that are not read again as long as their files stay as they are."""


@dataclass(frozen=True)
class Counts:
    """Cells on disk; `newest` is when the last of them ended, in seconds since 1970, 0 without any."""

    done: int
    failed: int
    newest: float


def count(sweep: SweepPaths) -> Counts:
    """Look at the cells; one is done when its summary is whole, one failed when it has the word of that instead."""
    done, failed, newest = 0, 0, 0.0
    for cell in sweep.cells():
        with suppress(OSError):  # there is none
            found = cell.summary.stat()
            if _finished(cell, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino):
                done, newest = done + 1, max(newest, found.st_mtime)
                continue
        failed += os.path.lexists(cell.failure)
    return Counts(done, failed, newest)


@lru_cache(KNOWN)
def _finished(cell: CellPaths, *stamp: int) -> bool:
    return finished(cell) is not None


def planned(sweep: SweepPaths) -> int | None:
    """Cells that were asked for last; None where nobody wrote it down, or it cannot be read."""
    try:
        rows = read_plan(sweep.plan)
    except SweepsError:
        return None
    return None if rows is None else len(rows)


class Live:
    """The report of a sweep, made again when its records have changed.

    Attributes:
        folder: where the newest report lies; None until there is one.
    """

    def __init__(self, sweep: SweepPaths, command: Sequence[str], into: Path, pause: float) -> None:
        """Use `live`."""
        self.sweep = sweep
        self.folder = sweep.report.root if _current(sweep) else None
        self._command, self._into, self._pause = [*command, f"into={into}"], into, pause
        self._counts = count(sweep) if self.folder else None  # of the report that is there or being made
        self._version, self._cells = int(self.folder is not None), self._counts.done if self._counts else 0
        self._making: subprocess.Popen[bytes] | None = None
        self._problem: str | None = None
        self._rest_until = 0.0
        self._lock = threading.Lock()

    def status(self) -> dict[str, Any]:
        """How far the sweep is and which report there is; has a newer one made if that is due."""
        with self._lock:
            now = count(self.sweep)
            self._collect()
            if now.done and now != self._counts and not self._making and time.monotonic() >= self._rest_until:
                self._counts = now
                self._make()
            return {
                "experiment": self.sweep.root.name,
                "planned": planned(self.sweep),
                "done": now.done,
                "failed": now.failed,
                "seconds_since": round(time.time() - now.newest) if now.done else None,
                "version": self._version,
                "cells": self._cells,
                "making": self._making is not None,
                "problem": self._problem,
            }

    def stop(self) -> None:
        """End what is being made."""
        with self._lock:
            if self._making is not None:
                self._making.kill()
                self._making.wait()

    def _make(self) -> None:
        nothing = subprocess.DEVNULL
        with self._said.open("wb") as said:  # its own session: Ctrl-C is for the dashboard
            self._making = subprocess.Popen(
                self._command, stdin=nothing, stdout=nothing, stderr=said, start_new_session=True
            )
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._making.pid, 19)  # training comes first

    def _collect(self) -> None:
        """Take the report that is ready, if one is."""
        status = self._making.poll() if self._making else None
        if status is None:
            return
        self._making, self._rest_until = None, time.monotonic() + self._pause
        if status == 0:
            self.folder, self._problem, self._version = self._into, None, self._version + 1
            self._cells = self._counts.done if self._counts else 0
        else:  # the page says it, and the next change of the records tries again
            said = self._said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            self._problem = said[-1] if said else f"making it ended with status {status}"

    @property
    def _said(self) -> Path:
        return self._into.with_suffix(".log")


@contextmanager
def live(sweep: SweepPaths, command: Sequence[str], pause: float = PAUSE) -> Iterator[Live]:
    """The report of `sweep`, made by a process that gives way to training, at most every `pause` seconds.

    A report that is newer than the records is shown as it is; others are made in a temporary folder, so that
    nothing here writes to the records.

    Args:
        command: writes the report; is given `into=FOLDER` as its last argument.
    """
    with TemporaryDirectory(prefix="sweeps-") as folder:
        made = Live(sweep, command, Path(folder) / "report", pause)
        try:
            yield made
        finally:
            made.stop()


def _current(sweep: SweepPaths) -> bool:
    page = sweep.report.html
    return page.is_file() and page.stat().st_mtime >= count(sweep).newest
