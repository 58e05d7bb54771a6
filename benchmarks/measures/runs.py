"""Runs a command and says what it took: wall-clock seconds and the memory of its largest process."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

BETWEEN = """
import resource, subprocess, sys
status = subprocess.run([sys.executable, *sys.argv[1:]]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""
"""A small process between this one and the command: a child's peak counts what it had before it became the command."""


@dataclass(frozen=True)
class Run:
    """Seconds, and the resident megabytes of the largest of the command's processes."""

    seconds: float
    megabytes: float


def run(*arguments: str | Path, cwd: Path) -> Run:
    """Run `python *arguments`, silently, to its end; what it prints is in `cwd/output.txt`.

    Raises:
        RuntimeError: it ended with a status that is not 0; its output is in the message.
    """
    path = cwd / "output.txt"
    start = time.perf_counter()
    with path.open("w") as output:
        command = [sys.executable, "-c", BETWEEN, *map(str, arguments)]
        status = subprocess.run(command, cwd=cwd, stdout=output, stderr=output).returncode
    seconds = time.perf_counter() - start
    if status:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {path.read_text()[-2000:]}")
    return Run(seconds, int(path.read_text().split()[-1]) / 1024)


def sweep(*overrides: str, cwd: Path) -> Run:
    """Run `python -m sweeps -m *overrides` with records under `cwd`, without W&B."""
    return run("-m", "sweeps", "-m", "tracker=csv", f"runs_dir={cwd}", *overrides, cwd=cwd)
