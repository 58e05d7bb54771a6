"""The W&B mirror beside a sweep: a low-priority process that follows the records.

If it fails, a message is printed and the sweep goes on.
"""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

from rich.console import Console

from sweeps.config.schema import Tracker
from sweeps.records.paths import SweepPaths

PATIENCE = 300.0
"""Seconds that a finished sweep waits for its mirror to finish."""
GRACE = 5.0
"""Seconds that the mirror has to end by itself, and remove its temporary folders, when it is terminated."""
LINES = 4
"""Last lines of the mirror's output that are printed."""


class Mirror:
    """A context that mirrors cells as they end; on leaving it mirrors the rest and prints the result.

    Does nothing unless the tracker is `wandb`.
    """

    def __init__(self, tracker: Tracker, sweep: SweepPaths, console: Console) -> None:
        self.tracker, self.sweep, self.console = tracker, sweep, console
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Mirror:
        if self.tracker.name != "wandb":
            return self
        self.sweep.root.mkdir(parents=True, exist_ok=True)
        t = self.tracker
        root = self.sweep.root
        where = [f"experiment={root.name}", f"runs_dir={root.parent}"]
        how = [f"tracker.project={t.project}", f"tracker.mode={t.mode}", f"tracker.entity={t.entity}"]
        command = [sys.executable, "-m", "sweeps", "mirror", *where, *how, "--follow"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,  # Ctrl-C reaches the sweep alone, which then ends the mirror
            )
        except OSError as error:
            self.console.print(f"W&B mirror: could not start ({error}); the CSV records are complete without it")
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is None:
            return
        try:
            if kind is None:
                self._print(self._process.communicate(timeout=PATIENCE)[0])  # closes its input: the sweep is over
        except subprocess.TimeoutExpired:
            self._print(f"not finished; `python -m sweeps mirror experiment={self.sweep.root.name}` goes on with it")
        finally:
            self._end(self._process)

    def _print(self, output: str) -> None:
        for line in output.strip().splitlines()[-LINES:]:
            self.console.print(f"W&B mirror: {line}")

    def _end(self, process: subprocess.Popen[str]) -> None:
        """Terminate the mirror if it still runs; killing it, which leaves temporary folders, is the last resort."""
        with process:  # closes the pipes and waits
            process.terminate()
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
