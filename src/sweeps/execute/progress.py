"""Progress of a running sweep: one line kept up to date in a terminal, a new line every 10 s in a log file."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from sweeps.amounts import duration, number_of
from sweeps.errors import exception_text
from sweeps.execute.executor import Ended, Message
from sweeps.plan.packs import Pack
from sweeps.plan.plan import Plan

EVERY = 10.0
"""Seconds between two plain lines."""


def seconds_left(first: tuple[float, float], now: float, done: float) -> float | None:
    """Seconds until all of something is done, at the pace since it was first looked at; None if it has not moved.

    Args:
        first: when that was, and the share that was done then.
        done: the share that is done now.
    """
    since, share = first
    return (now - since) * (1 - done) / (done - share) if done > share else None


class Progress:
    """Counts cells by outcome; the time left follows from the share of the forecast work that is done."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self.console, self.plan = console, plan
        self.total = len(plan.to_train)
        self.work = plan.left(plan.to_train)
        self.counts: Counter[str] = Counter()
        self.finished_work = 0.0
        self.running: dict[str, float] = {}  # pack id -> seconds of its forecast work that are done
        self.left: Counter[str] = Counter()  # pack id -> cells of it that have not ended
        self.started = self._printed = time.monotonic()
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, event: Message | Ended) -> None:
        """Count one event of an executor and show the new state."""
        pack = event.pack
        if isinstance(event, Ended):
            self.finished_work += self._work(pack) if event.lost is None and event.error is None else 0.0
            self.running.pop(pack.id, None)
            self.left.pop(pack.id, None)
            if event.lost or event.error:
                why = event.lost or exception_text(str(event.error))
                self.console.print(f"pack {pack.id} of {number_of(len(pack.cells), 'cell')}: {why}", style="red")
        elif event.kind == "note":
            text = event.content["text"]
            self.console.print(f"pack {pack.id} of {number_of(len(pack.cells), 'cell')}: {text}", style="yellow")
        elif event.kind == "ended":
            self.counts[event.content["outcome"]] += 1
            self.left[pack.id] -= 1
        else:
            if pack.id not in self.running:
                self.left[pack.id] += len(pack.cells)  # a cell may end before the first progress message
            self.running[pack.id] = self._of_what_was_left(pack, event.content["done"]) * self._work(pack)
        self._show()

    def _work(self, pack: Pack) -> float:
        return self.plan.left(pack.cells)

    def _of_what_was_left(self, pack: Pack, done: float) -> float:
        """Share of the updates that a pack had yet to make, where a share of all of them is done."""
        begun = sum(map(self.plan.share_begun, pack.cells)) / len(pack.cells)
        return max(0.0, (done - begun) / (1 - begun)) if begun < 1 else 1.0

    @property
    def share(self) -> float:
        """Share of the forecast work that is done."""
        return min(1.0, (self.finished_work + sum(self.running.values())) / self.work) if self.work else 1.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until all is done; None before there is anything to go by."""
        elapsed = time.monotonic() - self.started
        known = self.share > 0.02 or (self.share > 0 and elapsed > 20)
        return elapsed * (1 / self.share - 1) if known else None

    def status(self) -> str:
        """As shown: 12/288 cells · 5 solved · 6 finished · 1 diverged · 32 running in 2 packs · 2 min 10 s left"""
        parts = [f"{self.counts.total()}/{number_of(self.total, 'cell')}"]
        parts += [f"{self.counts[name]} {name}" for name in ("solved", "finished", "diverged") if self.counts[name]]
        packs = len(self.running)
        if packs:
            parts.append(f"{sum(self.left.values())} running in {number_of(packs, 'pack')}")
        if (left := self.seconds_left) is not None:
            parts.append(f"{duration(left)} left")
        return " · ".join(parts)

    def _show(self) -> None:
        if self._live:
            line = Table.grid(padding=(0, 1))
            line.add_row(ProgressBar(total=1.0, completed=self.share, width=24), self.status())
            self._live.update(line)
        elif time.monotonic() - self._printed >= EVERY:
            self._printed = time.monotonic()
            self.console.print(self.status())
