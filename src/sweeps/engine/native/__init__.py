"""The optional native kernels: compiled once on the user's machine, absent without harm where there is no compiler."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("kernels.cpp")
FLAGS = ("-O3", "-march=native", "-std=c++17", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
"""No -ffast-math: nan and inf are results here."""


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sweeps"


def _processor() -> str:
    """What -march=native depends on; a home folder may be shared by machines of different kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(line for line in dict.fromkeys(lines) if line.startswith(("model name", "flags", "Features")))


@cache
def library() -> ctypes.CDLL | None:
    """The compiled kernels, built on first use, cached by source, compiler and processor; None if they cannot be."""
    compiler = shutil.which(os.environ.get("CXX", "")) or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return None
    try:
        return ctypes.CDLL(str(_built(compiler)))
    except (OSError, subprocess.SubprocessError):
        return None


def _built(compiler: str) -> Path:
    version = subprocess.run((compiler, "--version"), capture_output=True, text=True, check=True).stdout
    key = "\n".join((SOURCE.read_text(encoding="utf-8"), " ".join(FLAGS), version, _processor()))
    path = _cache_folder() / f"kernels-{hashlib.sha256(key.encode()).hexdigest()[:16]}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / "kernels.so"
            command = (compiler, *FLAGS, str(SOURCE), "-o", str(made))
            subprocess.run(command, capture_output=True, check=True, timeout=300)
            made.replace(path)  # in one step: two workers may build at once
    return path
