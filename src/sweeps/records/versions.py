"""Provenance of a record: library versions, commit and processor."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sweeps.config.places import ROOT
from sweeps.own import digest


@cache
def versions() -> dict[str, str]:
    """Version of Python and of each library on which the numbers depend; `own`: a digest of the code of own folders."""
    found = {"python": platform.python_version(), **{name: version(name) for name in ("sweeps", "torch", "numpy")}}
    return found | ({"own": own} if (own := digest()) else {})


@cache
def commit() -> str | None:
    """The commit of the source tree, with `-dirty` when tracked files differ from it; None outside a checkout.

    Git runs without its optional lock, which a sweep that is killed meanwhile would leave behind.
    """
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None
    return f"{head}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else head


@cache
def processor() -> str:
    """The model name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ("git", "--no-optional-locks", "-C", str(ROOT), *arguments), capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
