"""What a native kernel is given, `Pass` in pass.h: the sizes of a pack and every buffer by its name, checked in a call.

The fields stand here and in pass.h. `difference` compares the two, so that a library is not called with another layout.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from sweeps.errors import unknown

if TYPE_CHECKING:  # what is said of the kernels without running them needs no torch
    from torch import Tensor

NUMBERS = ("lanes", "length", "batch", "inputs", "hidden", "truncate", "phi")
"""int64: the sizes, and which function a plain network has: 0 tanh, 1 relu."""
FLOAT32 = {
    "x": "TBI", "weight_ih": "IGH", "weight_hh": "HGH", "bias": "GH", "bias_hn": "H",
    "h": "SBH", "c": "SBH", "tanh_c": "TBH", "gate": "TBGH", "inner": "TBH", "pre": "TBGH",
    "dh": "BH", "above": "TBH", "dx": "TBI", "d_start_h": "BH", "d_start_c": "BH", "d_end_c": "BH",
    "grad_weight_ih": "IGH", "grad_weight_hh": "HGH", "grad_bias": "GH", "grad_bias_hn": "H",
}  # fmt: skip
"""Buffers and the shape of a lane, its letters those of engine/__init__.py, with S for T + 1."""
FLOAT64 = {
    "rows_dh": "BH", "rows_dh_exponent": "B", "rows_above": "TBH", "rows_above_exponent": "TB",
    "rows_dx": "TBI", "rows_dx_exponent": "TB", "norms": "T", "exponents": "T",
}  # fmt: skip
"""The same of the record, whose rows are times 2**exponent."""
SHAPES = FLOAT32 | FLOAT64
KINDS = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(FLOAT32, "float32") | dict.fromkeys(FLOAT64, "float64")
"""Every field, in the order in which it lies in memory."""
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
"""Gate blocks, by the first word of a kernel's name."""

_FORWARD, _BACKWARD = "x weight_ih weight_hh bias h", "x weight_hh h dh grad_weight_ih grad_weight_hh grad_bias"
_RECORD = "pre weight_hh rows_dh rows_dh_exponent norms exponents"
_BELOW, _BELOW_ROWS = ("weight_ih", "dx"), ("weight_ih", "rows_dx", "rows_dx_exponent")
_ABOVE, _ABOVE_ROWS = ("above",), ("rows_above", "rows_above_exponent")
_START, _START_LSTM = ("d_start_h",), ("d_start_h", "d_start_c")
Groups = tuple[tuple[str, ...], ...]
KERNELS: dict[str, tuple[tuple[str, ...], Groups]] = {
    name: (tuple(needed.split()), groups)
    for name, needed, groups in (
        ("rnn_forward", f"phi {_FORWARD}", (("pre",),)),
        ("rnn_backward", f"phi {_BACKWARD}", (_ABOVE, _BELOW, _START)),
        ("rnn_record", f"phi {_RECORD}", (_ABOVE_ROWS, _BELOW_ROWS)),
        ("lstm_forward", f"{_FORWARD} gate c tanh_c", (("pre",),)),
        ("lstm_backward", f"{_BACKWARD} gate c tanh_c", (_ABOVE, _BELOW, _START_LSTM, ("d_end_c",))),
        ("lstm_record", f"{_RECORD} c", (_ABOVE_ROWS, _BELOW_ROWS)),
        ("gru_forward", f"{_FORWARD} bias_hn gate inner", (("pre",),)),
        ("gru_backward", f"{_BACKWARD} gate inner grad_bias_hn", (_ABOVE, _BELOW, _START)),
        ("gru_record", f"{_RECORD} inner h", (_ABOVE_ROWS, _BELOW_ROWS)),
    )
}
"""What each kernel needs beside the sizes, and groups of what it may be given: all of a group, or nothing of it."""


class Buffer(ctypes.Structure):
    """A pointer, and the elements from one lane to the next."""

    _fields_ = [("at", ctypes.c_void_p), ("lane", ctypes.c_int64)]


class Pass(ctypes.Structure):
    """The arguments of a kernel; what is not given is 0 or a null pointer."""

    _fields_ = [*((name, ctypes.c_int64) for name in NUMBERS), *((name, Buffer) for name in SHAPES)]


def layout() -> str:
    """The fields of `Pass` as the library lists its own: name, kind, offset and size in bytes; then the size of all."""
    places = ((name, kind, getattr(Pass, name)) for name, kind in KINDS.items())
    lines = (f"{name} {kind} {place.offset} {place.size}\n" for name, kind, place in places)
    return "".join(lines) + f"all {ctypes.sizeof(Pass)}\n"


def difference(theirs: str) -> str | None:
    """The first place where a library's layout is not ours, in words; None where there is none."""
    ours, others = layout().splitlines(), theirs.splitlines()
    for mine, other in zip(ours, others, strict=False):
        if mine != other:
            return f"its arguments have {other!r} where these sources have {mine!r}"
    return None if len(ours) == len(others) else f"it has {len(others) - 1} arguments, these sources {len(ours) - 1}"


def arguments(kernel: str, numbers: Mapping[str, int], buffers: Mapping[str, Tensor | None]) -> Pass:
    """The arguments of a kernel.

    Args:
        numbers: those of `NUMBERS` that it takes.
        buffers: each `[K, ...]` with contiguous lanes, of any shape with as many elements; None: not given.

    Raises:
        TypeError: a name that the kernel does not take, or one that it needs and does not get.
        ValueError: a buffer of another dtype or size, or whose lanes are not contiguous.
    """
    given = numbers.keys() | {name for name, value in buffers.items() if value is not None}
    if (problem := _problem(kernel, frozenset(given))) is not None:
        raise TypeError(f"{kernel}: {problem}")
    out = Pass(**numbers)
    sizes = _elements(kernel, *(numbers[name] for name in ("lanes", "length", "batch", "inputs", "hidden")))
    for name, value in buffers.items():
        if value is None:
            continue
        if str(value.dtype) != f"torch.{KINDS[name]}" or value.numel() != sizes[name]:
            allowed = f"{KINDS[name]} with {sizes[name]} elements, [K, {', '.join(SHAPES[name]).replace('S', 'T+1')}]"
            raise ValueError(f"{kernel}: {name} is {value.dtype} {list(value.shape)}, not {allowed}")
        if not (value.is_contiguous() or value[0].is_contiguous()):
            raise ValueError(f"{kernel}: the lanes of {name} are not contiguous; strides {value.stride()}")
        setattr(out, name, Buffer(value.data_ptr(), value.stride(0)))
    return out


@cache
def _problem(kernel: str, given: frozenset[str]) -> str | None:
    needed, groups = KERNELS[kernel]
    always = {"lanes", "length", "batch", "inputs", "hidden", "truncate", *needed}
    allowed = always.union(*groups)
    for name in sorted(given - allowed):
        return unknown("argument", name, allowed)
    for names in (always, *(group for group in groups if given & set(group) - always)):
        for name in sorted(set(names) - given):
            return f"{name!r} is missing"
    return None


@cache
def _elements(kernel: str, lanes: int, length: int, batch: int, inputs: int, hidden: int) -> dict[str, int]:
    """How many elements each buffer has, all lanes together."""
    gates = GATES[kernel.split("_")[0]]
    of = {"T": length, "S": length + 1, "B": batch, "I": inputs, "H": hidden, "G": gates}
    return {name: lanes * math.prod(of[letter] for letter in shape) for name, shape in SHAPES.items()}
