"""Builds the native kernels on the user's machine and keeps them where nobody else can put something in their place.

A library is found by what it is made of: sources, flags, processor. The compiler is needed to build it, not to use it.
It ends with the SHA-256 of its own bytes, so that half a file, or a damaged one, is built again and never loaded.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sweeps.errors import SweepsError, unknown

HERE = Path(__file__).parent
SOURCES = ("train.cpp", "record.cpp")
FLAGS = ("-O3", "-std=c++17", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
"""No -ffast-math: nan and inf are results here."""
SWITCH = "SWEEPS_INSTRUCTIONS"
INSTRUCTIONS = {"native": ("-march=native",), "avx2": ("-march=native", "-mno-avx512f"), "baseline": ()}
"""What the kernels may use: all that this processor has, that without AVX-512, or what every processor has."""
DIGEST = 64
TIMEOUT = 300.0


class Unbuilt(Exception):
    """There are no native kernels; the message says why, for a person."""


def built() -> Path:
    """The library of this machine, made if it is not there.

    Raises:
        Unbuilt: it cannot be made or kept.
        SweepsError: the switch for the instruction set has an unknown value.
    """
    why = []
    for folder in _folders():
        try:
            return _in_folder(_private(folder))
        except OSError as error:
            why.append(f"{folder} cannot hold them ({error.strerror or error})")
    raise Unbuilt("; ".join(why))


def _folders() -> Iterator[Path]:
    """The user's cache; else a folder of the user's among the temporary ones."""
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "sweeps"
    yield Path(tempfile.gettempdir()) / f"sweeps-{os.geteuid()}"


def _private(folder: Path) -> Path:
    """Make the folder if need be, for the user alone.

    Raises:
        OSError: that cannot be, or it is somebody else's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = folder.lstat()
    if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.geteuid():
        raise PermissionError(0, "it is not a folder of yours")
    if stat.S_IMODE(there.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def _in_folder(folder: Path) -> Path:
    path = folder / f"kernels-{_key()}.so"
    if not sound(path):
        path.unlink(missing_ok=True)
        _build(path)
    return path


def sound(path: Path) -> bool:
    """Whether a library is whole, the user's own, and nobody else's to change."""
    try:
        there = path.lstat()
        if not stat.S_ISREG(there.st_mode) or there.st_uid != os.geteuid() or there.st_mode & 0o022:
            return False
        content = path.read_bytes()
    except OSError:
        return False
    return len(content) > DIGEST and _digest(content[:-DIGEST]) == content[-DIGEST:]


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _flags() -> tuple[str, ...]:
    wanted = os.environ.get(SWITCH) or "native"
    if wanted not in INSTRUCTIONS:
        raise SweepsError(unknown(SWITCH, wanted, INSTRUCTIONS))
    return (*FLAGS, *INSTRUCTIONS[wanted])


def _key() -> str:
    texts = [path.read_text(encoding="utf-8") for path in sorted(HERE.iterdir()) if path.suffix in (".h", ".cpp")]
    return hashlib.sha256("\n".join((*texts, *_flags(), processor())).encode()).hexdigest()[:16]


def processor() -> str:
    """What -march=native depends on; a home folder may be shared by machines of different kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(line for line in dict.fromkeys(lines) if line.startswith(("model name", "flags", "Features")))


def _build(path: Path) -> None:
    asked = os.environ.get("CXX")
    compilers = [found for name in (asked, "g++", "clang++") if name and (found := shutil.which(name))]
    if not compilers:
        raise Unbuilt("there is no C++ compiler (g++ or clang++) on PATH" + f", nor CXX={asked}" * bool(asked))
    why = []
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / "kernels.so"
        for compiler in dict.fromkeys(compilers):
            if not (problem := _compile(compiler, made)):
                content = made.read_bytes()
                made.write_bytes(content + _digest(content))
                made.chmod(0o700)
                made.replace(path)  # in one step: two workers may build at once
                return
            why.append(f"{compiler} {problem}")
    raise Unbuilt("; ".join(why))


def _compile(compiler: str, made: Path) -> str | None:
    """What went wrong, if anything; a compiler that was killed is asked once more."""
    command = (compiler, *_flags(), *(str(HERE / name) for name in SOURCES), "-o", str(made))
    for _ in range(2):
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return f"did not end within {TIMEOUT:.0f} s"
        except OSError as error:
            return f"does not run ({error.strerror})"
        if done.returncode == 0:
            return None if made.exists() else "made nothing"
        if done.returncode > 0:
            said = next((line for line in done.stderr.splitlines() if "error" in line), "")
            return f"ended with status {done.returncode}" + f" ({said.strip()})" * bool(said)
    return f"was killed by signal {-done.returncode}, twice"
