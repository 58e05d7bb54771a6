"""Keeps the status file of a running sweep: the packs that train, their cells, the last numbers and a short curve."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from sweeps.errors import message_of
from sweeps.execute.executor import Ended, Message
from sweeps.execute.progress import Progress, seconds_left
from sweeps.plan.packs import Pack
from sweeps.records.paths import SweepPaths
from sweeps.records.status_file import NUMBERS, write_status

EVERY = 1.0
"""Seconds between two versions of the file, at least."""
SHARE = 0.005
"""Most of this process's time that writing may take; a machine with hundreds of workers writes more rarely."""
POINTS = 48
"""Most points of a curve; when there are more, every second one is left out."""


@dataclass
class _Running:
    """A pack that trains: what its last message said, and the training losses that were written so far."""

    pack: Pack
    first: tuple[float, float]  # when its first message came, and the share that was done then
    content: dict[str, Any]
    last: dict[str, dict[str, Any]] = field(default_factory=dict)  # cell id -> what was measured last
    outcomes: dict[str, str] = field(default_factory=dict)  # cell id -> how it ended
    steps: list[int] = field(default_factory=list)  # of the curves
    curves: dict[str, list[float | None]] = field(default_factory=dict)  # cell id -> a loss for each of the steps

    def add(self, content: dict[str, Any]) -> None:
        self.content = content
        for lane in content["lanes"]:
            self.last[lane["cell"]] = lane

    def sample(self) -> None:
        """Add a point to the curves, at most one for each step."""
        if not self.last or (self.steps and self.steps[-1] == self.content["step"]):
            return
        self.steps.append(self.content["step"])
        for cell in self.pack.cells:
            lane = None if cell.id in self.outcomes else self.last.get(cell.id)
            self.curves.setdefault(cell.id, []).append(_short(lane["train_loss"]) if lane else None)
        if len(self.steps) > POINTS:
            del self.steps[1::2]
            for curve in self.curves.values():
                del curve[1::2]

    def described(self, now: float) -> dict[str, Any]:
        left = seconds_left(self.first, now, self.content["done"])
        return {
            "pack": self.pack.id,
            "done": self.content["done"],
            "step": self.content["step"],
            "steps": self.pack.cells[0].settings.train.steps,
            "seconds_left": None if left is None else round(left, 1),
            "curve_steps": self.steps,
            "lanes": [
                {"cell": cell.id, "name": cell.name, "outcome": self.outcomes.get(cell.id)}
                | {name: self.last.get(cell.id, {}).get(name) for name in NUMBERS}
                | {"curve": self.curves.get(cell.id, [])}
                for cell in self.pack.cells
            ],
        }


class StatusFile:
    """Watches the events of a sweep and writes its status. A file that cannot be written stops nothing."""

    def __init__(self, sweep: SweepPaths, progress: Progress) -> None:
        """A status of the sweep that `progress` counts."""
        self.sweep, self.progress = sweep, progress
        self.started = time.time()
        self._running: dict[str, _Running] = {}  # pack id -> it
        self._next = 0.0

    def __enter__(self) -> StatusFile:
        self._write("running")
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if value is None:
            self._write("ended")
        elif isinstance(value, Exception):
            self._write("failed", message_of(value))
        else:  # Ctrl-C, SIGTERM
            self._write("stopped")

    def __call__(self, event: Message | Ended) -> None:
        """Take over one event of an executor."""
        pack = event.pack
        if isinstance(event, Ended):
            self._running.pop(pack.id, None)
        elif event.kind != "note":
            now = time.monotonic()
            running = self._running.get(pack.id)
            if running is None:
                nothing = {"done": 0.0, "step": 0, "lanes": []}
                running = self._running[pack.id] = _Running(pack, (now, event.content.get("done", 0.0)), nothing)
            if event.kind == "ended":
                running.outcomes[event.content["cell"]] = event.content["outcome"]
            else:
                running.add(event.content)
        if time.monotonic() >= self._next:
            self._write("running")

    def _write(self, state: str, error: str | None = None) -> None:
        before = time.monotonic()
        for running in self._running.values():
            running.sample()
        left = self.progress.seconds_left
        status = {
            "state": state,
            "error": error,
            "started": self.started,
            "written": time.time(),
            "to_train": self.progress.total,
            "outcomes": dict(self.progress.counts),
            "seconds_left": round(left, 1) if left is not None and state == "running" else None,
            "packs": [each.described(before) for each in self._running.values()] if state == "running" else [],
        }
        with suppress(OSError):  # a full disk: the records are what matters
            write_status(self.sweep.status, status)
        now = time.monotonic()
        self._next = now + max(EVERY, (now - before) / SHARE)


def _short(value: float) -> float:
    """Four digits: enough for a curve."""
    return float(f"{value:.4g}") if math.isfinite(value) else value
