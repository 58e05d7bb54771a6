"""The fast recurrences on native kernels: the buffers, parameters and mathematics of rnn.py, lstm.py and gru.py.

A kernel runs the whole time loop of one lane after the other with the weights in cache, every elementwise step fused;
it reads the adjoint's norms on the way as `Trace` does. CPU only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.memory import lanes
from sweeps.engine.native import library
from sweeps.engine.recurrences.base import Sizes, register


class _Shape(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("lanes", "steps", "batch", "inputs", "hidden")]


def _call(name: str, sizes: Sizes, *arguments: Tensor | np.ndarray | int | None) -> None:
    """Call a kernel; tensors and arrays go as pointers, numbers as int64."""
    shape = _Shape(sizes.lanes, sizes.steps, sizes.batch, sizes.inputs, sizes.hidden)
    function = getattr(library(), name)
    function.restype = None
    function(ctypes.byref(shape), *map(_argument, arguments))


def _argument(value: Tensor | np.ndarray | int | None) -> Any:
    if isinstance(value, Tensor):
        return ctypes.c_void_p(value.data_ptr())
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    return ctypes.c_void_p(None) if value is None else ctypes.c_int64(value)


def _record(trace: Trace | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Where a kernel writes norms and exponents, or nowhere."""
    return (None, None) if trace is None else (trace.norms, trace.exponents)


class NativeRnn:
    """See rnn.py."""

    gates = ("h",)

    def __init__(self, sizes: Sizes, phi: int) -> None:
        self.sizes, self.phi = sizes, phi
        self.h = lanes(sizes.lanes, sizes.steps + 1, sizes.batch, sizes.hidden)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        i, h = self.sizes.inputs, self.sizes.hidden
        return {"weight_ih": (i, h), "weight_hh": (h, h), "bias": (h,)}

    def forward(self, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        w = p["weight_hh"]
        _call("rnn_forward", self.sizes, self.phi, x, x.stride(0), p["weight_ih"], w, p["bias"], w.stride(0),
              self.h, self.h.stride(0))  # fmt: skip
        return self.h[:, -1]

    def backward(
        self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor], trace: Trace | None
    ) -> None:
        w = p["weight_hh"]
        _call("rnn_backward", self.sizes, self.sizes.wide,
              self.phi, x, x.stride(0), w, w.stride(0), self.h, self.h.stride(0),
              dh, dh.stride(0), grads["weight_ih"], grads["weight_hh"], grads["bias"],
              *_record(trace))  # fmt: skip


class NativeLstm:
    """See lstm.py."""

    gates = ("i", "f", "o", "g")

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        self.gate = lanes(s.lanes, s.steps, s.batch, 4 * s.hidden)
        self.h = lanes(s.lanes, s.steps + 1, s.batch, s.hidden)
        self.c = lanes(s.lanes, s.steps + 1, s.batch, s.hidden)
        self.tanh_c = lanes(s.lanes, s.steps, s.batch, s.hidden)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        i, h = self.sizes.inputs, self.sizes.hidden
        return {"weight_ih": (i, 4 * h), "weight_hh": (h, 4 * h), "bias": (4 * h,)}

    def forward(self, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        w = p["weight_hh"]
        _call("lstm_forward", self.sizes, x, x.stride(0), p["weight_ih"], w, p["bias"], w.stride(0),
              self.gate, self.gate.stride(0), self.h, self.c, self.h.stride(0), self.tanh_c,
              self.tanh_c.stride(0))  # fmt: skip
        return self.h[:, -1]

    def backward(
        self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor], trace: Trace | None
    ) -> None:
        w = p["weight_hh"]
        _call("lstm_backward", self.sizes, self.sizes.wide,
              x, x.stride(0), w, w.stride(0), self.gate, self.gate.stride(0),
              self.h, self.c, self.h.stride(0), self.tanh_c, self.tanh_c.stride(0), dh, dh.stride(0),
              grads["weight_ih"], grads["weight_hh"], grads["bias"], *_record(trace))  # fmt: skip


class NativeGru:
    """See gru.py."""

    gates = ("r", "z", "n")

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        self.gate = lanes(s.lanes, s.steps, s.batch, 3 * s.hidden)
        self.s = lanes(s.lanes, s.steps, s.batch, s.hidden)
        self.h = lanes(s.lanes, s.steps + 1, s.batch, s.hidden)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        i, h = self.sizes.inputs, self.sizes.hidden
        return {"weight_ih": (i, 3 * h), "weight_hh": (h, 3 * h), "bias": (3 * h,), "bias_hn": (h,)}

    def forward(self, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        w = p["weight_hh"]
        _call("gru_forward", self.sizes, x, x.stride(0), p["weight_ih"], w, p["bias"], p["bias_hn"], w.stride(0),
              self.gate, self.gate.stride(0), self.s, self.s.stride(0), self.h, self.h.stride(0))  # fmt: skip
        return self.h[:, -1]

    def backward(
        self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor], trace: Trace | None
    ) -> None:
        w = p["weight_hh"]
        _call("gru_backward", self.sizes, self.sizes.wide,
              x, x.stride(0), w, w.stride(0), self.gate, self.gate.stride(0),
              self.s, self.s.stride(0), self.h, self.h.stride(0), dh, dh.stride(0), grads["weight_ih"],
              grads["weight_hh"], grads["bias"], grads["bias_hn"], *_record(trace))  # fmt: skip


if library() is not None:
    register("rnn_tanh", partial(NativeRnn, phi=0), kernel="native")
    register("rnn_relu", partial(NativeRnn, phi=1), kernel="native")
    register("lstm", NativeLstm, kernel="native")
    register("gru", NativeGru, kernel="native")
