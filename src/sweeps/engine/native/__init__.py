"""The optional native kernels, compiled once on the user's machine. Without a compiler, torch's kernels are used."""

from __future__ import annotations

import ctypes
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sweeps.engine.native.arguments import KERNELS, Pass, difference
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
        if (other := _declared(library)) is not None:
            return Kernels(None, missing=f"the compiled library does not belong to these sources ({other})")
        return Kernels(library, library.instructions().decode(), _digits(path))
    except Unbuilt as error:
        return Kernels(None, missing=str(error))
    except (OSError, AttributeError) as error:
        return Kernels(None, missing=f"the compiled library cannot be loaded ({error})")


def library() -> ctypes.CDLL | None:
    """The compiled kernels; None where there are none."""
    return kernels().library


def _declared(library: ctypes.CDLL) -> str | None:
    """Declare what the functions of a library take and return; returns how its arguments differ from ours, or None."""
    library.instructions.restype = library.layout.restype = ctypes.c_char_p
    for name in KERNELS:
        function = getattr(library, name)
        function.restype, function.argtypes = None, [ctypes.POINTER(Pass)]
    kinds: dict[str, Any] = {"n": ctypes.c_int64, "p": ctypes.c_void_p}
    for function in (library.lane_products_float32, library.lane_products_float64):
        function.restype, function.argtypes = None, [kinds[one] for one in "nnnnpnnnpnnnpnn"]
    for function in (library.multiply_adds, library.nops):
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_int64]
    return difference(library.layout().decode())


def _digits(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
