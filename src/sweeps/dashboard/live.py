"""The newest report of a sweep that may still be training. Records are read and reports made only on request."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sweeps.dashboard.cells import count
from sweeps.dashboard.now import running_now
from sweeps.records.paths import SweepPaths

PAUSE = 20.0
"""Seconds between two reports: making one takes about ten of a core that training could use."""


class Live:
    """The report of a sweep, made again when its records have changed.

    Attributes:
        folder: of the newest report; None until there is one.
    """

    def __init__(self, sweep: SweepPaths, command: Sequence[str], into: Path, pause: float) -> None:
        """Use `live`."""
        self.sweep = sweep
        self.folder = sweep.report.root if _current(sweep) else None
        self._command, self._into, self._pause = [*command, f"into={into}"], into, pause
        self._counts = count(sweep) if self.folder else None  # of the newest report, or of the one being made
        self._version, self._cells = int(self.folder is not None), self._counts.done if self._counts else 0
        self._making: subprocess.Popen[bytes] | None = None
        self._problem: str | None = None
        self._rest_until = 0.0
        self._lock = threading.Lock()

    def status(self) -> dict[str, Any]:
        """The state of the sweep and of its report; starts making a newer report if one is due."""
        with self._lock:
            now = count(self.sweep)
            self._collect()
            if now.done and now != self._counts and not self._making and time.monotonic() >= self._rest_until:
                self._counts = now
                self._make()
            return {
                "experiment": self.sweep.root.name,
                "planned": now.planned,
                "missing": now.missing,
                "done": now.done,
                "failed": now.failed,
                "failures": now.failures,
                "seconds_since": round(time.time() - now.newest) if now.done else None,
                "version": self._version,
                "cells": self._cells,
                "making": self._making is not None,
                "problem": self._problem,
                **running_now(self.sweep, now),
            }

    def stop(self) -> None:
        """Kill the process that is making a report, if there is one."""
        with self._lock:
            if self._making is not None:
                self._making.kill()
                self._making.wait()

    def _make(self) -> None:
        null = subprocess.DEVNULL
        with self._log.open("wb") as log:  # its own session: Ctrl-C reaches the dashboard alone
            self._making = subprocess.Popen(self._command, stdin=null, stdout=null, stderr=log, start_new_session=True)
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._making.pid, 19)  # training comes first

    def _collect(self) -> None:
        """Take over the report that was being made, if it is finished."""
        status = self._making.poll() if self._making else None
        if status is None:
            return
        self._making, self._rest_until = None, time.monotonic() + self._pause
        if status == 0:
            self.folder, self._problem, self._version = self._into, None, self._version + 1
            self._cells = self._counts.done if self._counts else 0
        else:  # the page shows the problem; it is tried again at the next change of the records
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            self._problem = lines[-1] if lines else f"making it ended with status {status}"

    @property
    def _log(self) -> Path:
        return self._into.with_suffix(".log")


@contextmanager
def live(sweep: SweepPaths, command: Sequence[str], pause: float = PAUSE) -> Iterator[Live]:
    """The report of `sweep`, made by a low-priority process, at most every `pause` seconds.

    A report in the records that is newer than every cell is shown as it is. Others are made in a temporary folder, so
    that the records are only read.

    Args:
        command: makes the report; `into=FOLDER` is appended as its last argument.
    """
    with TemporaryDirectory(prefix="sweeps-") as folder:
        report = Live(sweep, command, Path(folder) / "report", pause)
        try:
            yield report
        finally:
            report.stop()


def _current(sweep: SweepPaths) -> bool:
    page = sweep.report.html
    return page.is_file() and page.stat().st_mtime >= count(sweep).newest
