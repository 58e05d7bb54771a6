"""The optional native kernels, compiled once on the user's machine. Without a compiler, torch's kernels are used."""

from __future__ import annotations

import ctypes
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sweeps.engine.native.build import Unbuilt, library_path

RECURRENCES = ("rnn_tanh", "rnn_relu", "lstm", "gru")
"""The architectures that have native kernels, if these can be built."""


class Kernels(NamedTuple):
    """The native kernels of this machine, or why there are none."""

    library: ctypes.CDLL | None
    instructions: str | None = None  # avx512, avx2, avx, sse2, baseline
    build: str | None = None  # eight hex digits of the library's SHA-256: one build, one set of roundings
    missing: str | None = None  # why there are none


@cache
def kernels() -> Kernels:
    """The native kernels, compiled on first use and loaded once per process.

    Raises:
        SweepsError: the switch for the instruction set has an unknown value.
    """
    try:
        path = library_path()
        library = ctypes.CDLL(str(path))
        library.instructions.restype = ctypes.c_char_p
        return Kernels(library, library.instructions().decode(), _digits(path))
    except Unbuilt as error:
        return Kernels(None, missing=str(error))
    except (OSError, AttributeError) as error:
        return Kernels(None, missing=f"the compiled library cannot be loaded ({error})")


def library() -> ctypes.CDLL | None:
    """The compiled kernels; None where there are none."""
    return kernels().library


def _digits(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
