"""Runs a command and says what it took: wall-clock seconds and the memory of its largest process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """Seconds, and the resident megabytes of the largest of the command's processes."""

    seconds: float
    megabytes: float


def run(*arguments: str | Path, cwd: Path) -> Run:
    """Run `python *arguments`, silently, to its end.

    Raises:
        RuntimeError: it ended with a status that is not 0; its output is in the message.
    """
    start = time.perf_counter()
    with (cwd / "output.txt").open("w") as output:
        process = subprocess.Popen([sys.executable, *map(str, arguments)], cwd=cwd, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {(cwd / 'output.txt').read_text()[-2000:]}")
    return Run(time.perf_counter() - start, usage.ru_maxrss / 1024)


def sweep(*overrides: str, cwd: Path) -> Run:
    """Run `python -m sweeps -m *overrides` with records under `cwd`, without W&B."""
    return run("-m", "sweeps", "-m", "tracker=csv", f"runs_dir={cwd}", *overrides, cwd=cwd)
