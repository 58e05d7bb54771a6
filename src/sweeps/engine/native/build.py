"""Compiles the native kernels on the user's machine and caches the library in a folder that only the user can write.

The library's file name holds a hash of its sources, flags and processor. The compiler is needed to build it, not to use
it. The file ends with the SHA-256 of all bytes before: an incomplete or damaged one is built again and never loaded.
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
SOURCES = ("train.cpp", "record.cpp", "about.cpp", "peak.cpp")
FLAGS = ("-O3", "-std=c++17", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
"""No -ffast-math: nan and inf are results here."""
SWITCH = "SWEEPS_INSTRUCTIONS"
WIDEST = ("-mprefer-vector-width=512",) if platform.machine() in ("x86_64", "AMD64") else ()
"""GCC's own loops take half of a vector on Intel's processors with AVX-512, and half of the speed with it."""
INSTRUCTIONS = {"native": ("-march=native", *WIDEST), "avx2": ("-march=native", "-mno-avx512f"), "baseline": ()}
"""Compiler flags by value of the switch: all instructions of this processor; all but AVX-512; those every one has."""
DIGEST = 64
"""Bytes of the digest at the end of a library, in hexadecimal."""
TIMEOUT = 300.0
"""Seconds that a compiler may take."""


class Unbuilt(Exception):
    """There are no native kernels; the message, which is shown to the user, says why."""


def library_path() -> Path:
    """The path of this machine's library, which is compiled if it is missing or damaged.

    Raises:
        Unbuilt: it cannot be compiled or stored.
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
    """Folders to try, in order: the user's cache, then a folder of the user's among the temporary ones."""
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "sweeps"
    yield Path(tempfile.gettempdir()) / f"sweeps-{os.geteuid()}"


def _private(folder: Path) -> Path:
    """The folder, created if missing, with access for the user only.

    Raises:
        OSError: it cannot be created, or it belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise PermissionError(0, "it is not a folder of yours")
    if stat.S_IMODE(status.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def _in_folder(folder: Path) -> Path:
    path = folder / f"kernels-{_key()}.so"
    if not sound(path):
        path.unlink(missing_ok=True)
        _build(path)
    return path


def sound(path: Path) -> bool:
    """Whether a library is complete, belongs to the user, and cannot be written by other users."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            return False
        content = path.read_bytes()
    except OSError:
        return False
    return len(content) > DIGEST and _digest(content[:-DIGEST]) == content[-DIGEST:]


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _flags() -> tuple[str, ...]:
    choice = os.environ.get(SWITCH) or "native"
    if choice not in INSTRUCTIONS:
        raise SweepsError(unknown(SWITCH, choice, INSTRUCTIONS))
    return (*FLAGS, *INSTRUCTIONS[choice])


def _key() -> str:
    texts = [path.read_text(encoding="utf-8") for path in sorted(HERE.iterdir()) if path.suffix in (".h", ".cpp")]
    return hashlib.sha256("\n".join((*texts, *_flags(), processor())).encode()).hexdigest()[:16]


def processor() -> str:
    """The processor's model and features: -march=native depends on them, and machines may share a home folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(line for line in dict.fromkeys(lines) if line.startswith(("model name", "flags", "Features")))


def _build(path: Path) -> None:
    preferred = os.environ.get("CXX")
    compilers = [program for name in (preferred, "g++", "clang++") if name and (program := shutil.which(name))]
    if not compilers:
        raise Unbuilt("there is no C++ compiler (g++ or clang++) on PATH" + f", nor CXX={preferred}" * bool(preferred))
    why = []
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        output = Path(folder) / "kernels.so"
        for compiler in dict.fromkeys(compilers):
            if not (problem := _compile(compiler, output)):
                content = output.read_bytes()
                output.write_bytes(content + _digest(content))
                output.chmod(0o700)
                output.replace(path)  # atomic: two workers may build at once
                return
            why.append(f"{compiler} {problem}")
    raise Unbuilt("; ".join(why))


def _compile(compiler: str, output: Path) -> str | None:
    """Compile to `output`; returns what went wrong, if anything. A compiler that was killed is run once more."""
    command = (compiler, *_flags(), *(str(HERE / name) for name in SOURCES), "-o", str(output))
    for _ in range(2):
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return f"did not end within {TIMEOUT:.0f} s"
        except OSError as error:
            return f"does not run ({error.strerror})"
        if done.returncode == 0:
            return None if output.exists() else "made nothing"
        if done.returncode > 0:
            message = next((line for line in done.stderr.splitlines() if "error" in line), "")
            return f"ended with status {done.returncode}" + f" ({message.strip()})" * bool(message)
    return f"was killed by signal {-done.returncode}, twice"
