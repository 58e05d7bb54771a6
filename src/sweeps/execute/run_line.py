"""Progress of a single run: one line that is kept up to date in a terminal, and nothing anywhere else."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sweeps.amounts import duration
from sweeps.execute.progress import seconds_left
from sweeps.plan.cells import Cell

PAUSE = 0.25
"""Seconds between two changes of the line."""
BAR = 24
"""Columns of the bar, which is left out where it does not fit."""


class RunLine:
    """A context that shows how far a run is; called with the messages of its worker (`worker.Notify`).

    The line is drawn by the training process between two updates, at most every `PAUSE` seconds. It vanishes at the
    end.
    """

    def __init__(self, cell: Cell, console: Console) -> None:
        self.cell, self.console = cell, console
        self.text, self.share = "", 0.0
        self._first: tuple[float, float] | None = None  # when the first message came, and the share done then
        self._next = 0.0
        show = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, auto_refresh=False, transient=True) if show else None

    def __enter__(self) -> RunLine:
        if self._live:
            self._live.start()
            self.say("importing torch ...")
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """Show what is done before the first update."""
        self.text = f"{self.cell.name}: {text}"
        self._draw()

    def __call__(self, kind: str, content: dict) -> None:
        """Take over a message, and show it if the last one has been there for a while."""
        if kind == "note":
            self.console.print(f"{self.cell.name}: {content['text']}", style="yellow", highlight=False)
        now = time.monotonic()
        if self._live is None or kind != "progress" or not content["lanes"]:
            return
        self._first = self._first or (now, content["done"])
        if now >= self._next:
            self.text, self.share = self.status(content, now), content["done"]
            self._draw()
            self._next = now + PAUSE

    def status(self, content: dict, now: float) -> str:
        """As shown: 600/2000 · 12 s left · loss 0.0123 · eval 0.0131, score 0.92 · gradient 0.31"""
        [lane] = content["lanes"]
        parts = [f"{content['step']}/{self.cell.settings.train.steps}"]
        left = seconds_left(self._first or (now, content["done"]), now, content["done"])
        if left is not None:
            parts.append(f"{duration(left)} left")
        parts.append(f"loss {lane['train_loss']:.3g}")
        if lane["eval_loss"] is not None:
            parts.append(f"eval {lane['eval_loss']:.3g}, score {lane['eval_score']:.3g}")
        return " · ".join([*parts, f"gradient {lane['grad_norm']:.2g}"])

    def _draw(self) -> None:
        if self._live is None:
            return
        line, text = Table.grid(padding=(0, 1)), Text(self.text, no_wrap=True, overflow="ellipsis")
        if self.share and len(self.text) + BAR < self.console.width:
            line.add_row(ProgressBar(total=1.0, completed=self.share, width=BAR), text)
        else:
            line.add_row(text)
        self._live.update(line, refresh=True)
