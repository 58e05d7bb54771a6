"""The recurrences on native kernels: buffers, parameters and mathematics are those of rnn.py, lstm.py and gru.py.

A kernel runs the complete time loop of one lane after the other, with the weights in cache and the elementwise
operations fused. CPU only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows
from sweeps.engine.fading import revive
from sweeps.engine.memory import zeros
from sweeps.engine.native import library
from sweeps.engine.recurrences.base import Sizes, Start, last_and_others, put_start
from sweeps.engine.recurrences.choice import register_fast

SHAPE = ("lanes", "length", "batch", "inputs", "hidden", "truncate")
"""The fields of `Shape` in kernels.h, by the names of `Sizes`."""


class _Shape(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in SHAPE]


class _Outside(ctypes.Structure):
    """The layers above and below, `Outside` in train.cpp."""

    _fields_ = [(name, ctypes.c_int64) for name in ("above", "above_lane", "w_ih", "dx", "dx_lane")]


class _OutsideRows(ctypes.Structure):
    """The same for the trace, `OutsideRows` in record.cpp."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("above", "above_lane", "above_exponent", "w_ih", "dx", "dx_lane", "dx_exponent")
    ]


def _call(name: str, sizes: Sizes, *arguments: Tensor | np.ndarray | int | ctypes.Structure | None) -> None:
    """Call a kernel; tensors and arrays go as pointers, numbers as int64."""
    shape = _Shape(*(getattr(sizes, name) for name in SHAPE))
    function = getattr(library(), name)
    function.restype = None
    function(ctypes.byref(shape), *map(_argument, arguments))


def _argument(value: Tensor | np.ndarray | int | ctypes.Structure | None) -> Any:
    if isinstance(value, Tensor):
        return ctypes.c_void_p(value.data_ptr())
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    if isinstance(value, ctypes.Structure):
        return ctypes.byref(value)
    return ctypes.c_void_p(None) if value is None else ctypes.c_int64(value)


def native_products(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """out = a b for `a [K, M, N]`, `b [K, N, P]`, `out [K, M, P]` with adjacent columns, all float32."""
    k, m, n = a.shape
    _call(
        "lane_products", Sizes(k, 0, 0, 0, 0), m, b.shape[-1], n, a, *a.stride(), b, *b.stride(), out, *out.stride()[:2]
    )
    return out


class _Native:
    """Common to the three: the stored pre-activations, and the backward pass for the trace."""

    sizes: Sizes
    gates: int  # gate blocks G

    @cached_property
    def pre(self) -> Tensor:
        """Pre-activations of the last forward pass with `keep`, `[K, T, B, G*H]`."""
        s = self.sizes
        return zeros(s.lanes, s.length, s.batch, self.gates * s.hidden)

    def buffers(self):
        return (self.h, self.c) if hasattr(self, "c") else (self.h,)

    def end(self):
        return tuple(each[:, -1] for each in self.buffers())

    def pre_buffer(self, keep: bool) -> tuple[Tensor | None, int]:
        """Where a forward pass stores its pre-activations, and their stride between lanes; (None, 0) without `keep`."""
        return (self.pre, self.pre.stride(0)) if keep else (None, 0)

    def outside(self, p: Mapping[str, Tensor], dy: Tensor, dx: Tensor | None) -> tuple[Tensor, _Outside]:
        """dL/dh_{T-1} from above, and the rest of what a backward pass exchanges with the layers above and below."""
        dh, above = last_and_others(dy)
        places = (dy.data_ptr(), dy.stride(0)) if above else (0, 0)
        below = (p["weight_ih"].data_ptr(), dx.data_ptr(), dx.stride(0)) if dx is not None else (0, 0, 0)
        return dh, _Outside(*places, *below)

    def record(
        self,
        name: str,
        p: Mapping[str, Tensor],
        dy: Rows,
        trace: Trace,
        below: bool,
        *arguments: Tensor | np.ndarray | int,
    ) -> Rows | None:
        """Call a kernel that records the trace; `arguments` are those that it takes before the weights."""
        s, w = self.sizes, p["weight_hh"]
        dh, above = dy.last_and_others()
        exact = zeros(*dh.value.shape, dtype=torch.float64).copy_(dh.value)
        exponent = dh.exponent.expand(-1, -1, 1).contiguous()
        outside, dx = _OutsideRows(), None
        if above is not None:
            whole = zeros(*above.value.shape, dtype=torch.float64).copy_(above.value)
            exponents = above.exponent.contiguous()
            outside.above, outside.above_lane = whole.data_ptr(), whole.stride(0)
            outside.above_exponent = exponents.data_ptr()
        if below:
            value = zeros(s.lanes, s.length, s.batch, s.inputs, dtype=torch.float64)
            dx = Rows(value, torch.empty(s.lanes, s.length, s.batch, 1, dtype=torch.float64))
            outside.w_ih, outside.dx, outside.dx_lane = p["weight_ih"].data_ptr(), value.data_ptr(), value.stride(0)
            outside.dx_exponent = dx.exponent.data_ptr()
        _call(
            name, s, *arguments, w, w.stride(0), exact, exact.stride(0), exponent, trace.norms, trace.exponents, outside
        )
        return dx


class NativeRnn(_Native):
    """See rnn.py."""

    gates = 1

    def __init__(self, sizes: Sizes, phi: int) -> None:
        self.sizes, self.phi = sizes, phi
        self.h = zeros(sizes.lanes, sizes.length + 1, sizes.batch, sizes.hidden)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        put_start(start, *self.buffers())
        w = p["weight_hh"]
        _call("rnn_forward", self.sizes, self.phi, x, x.stride(0), p["weight_ih"], w, p["bias"], w.stride(0),
              self.h, self.h.stride(0), *self.pre_buffer(keep))  # fmt: skip
        if keep and self.phi == 1:
            revive(p, x, self.h, self.pre)
        return self.h[:, 1:]

    def backward(
        self,
        p: Mapping[str, Tensor],
        x: Tensor,
        dy: Tensor,
        grads: Mapping[str, Tensor],
        dx: Tensor | None = None,
        d_start: Start = None,
    ) -> None:
        w, (dh, outside) = p["weight_hh"], self.outside(p, dy, dx)
        _call("rnn_backward", self.sizes, self.phi, x, x.stride(0), w, w.stride(0), self.h, self.h.stride(0),
              dh, dh.stride(0), grads["weight_ih"], grads["weight_hh"], grads["bias"], outside)  # fmt: skip

    def through_time(self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False) -> Rows | None:
        return self.record("rnn_record", p, dy, trace, below, self.phi, self.pre, self.pre.stride(0))


class NativeLstm(_Native):
    """See lstm.py."""

    gates = 4

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        self.gate = zeros(s.lanes, s.length, s.batch, 4 * s.hidden)
        self.h = zeros(s.lanes, s.length + 1, s.batch, s.hidden)
        self.c = zeros(s.lanes, s.length + 1, s.batch, s.hidden)
        self.tanh_c = zeros(s.lanes, s.length, s.batch, s.hidden)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        put_start(start, *self.buffers())
        w = p["weight_hh"]
        _call("lstm_forward", self.sizes, x, x.stride(0), p["weight_ih"], w, p["bias"], w.stride(0),
              self.gate, self.gate.stride(0), self.h, self.c, self.h.stride(0), self.tanh_c,
              self.tanh_c.stride(0), *self.pre_buffer(keep))  # fmt: skip
        return self.h[:, 1:]

    def backward(
        self,
        p: Mapping[str, Tensor],
        x: Tensor,
        dy: Tensor,
        grads: Mapping[str, Tensor],
        dx: Tensor | None = None,
        d_start: Start = None,
    ) -> None:
        w, (dh, outside) = p["weight_hh"], self.outside(p, dy, dx)
        _call("lstm_backward", self.sizes, x, x.stride(0), w, w.stride(0), self.gate, self.gate.stride(0),
              self.h, self.c, self.h.stride(0), self.tanh_c, self.tanh_c.stride(0), dh, dh.stride(0),
              grads["weight_ih"], grads["weight_hh"], grads["bias"], outside)  # fmt: skip

    def through_time(self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False) -> Rows | None:
        return self.record("lstm_record", p, dy, trace, below, self.pre, self.pre.stride(0))


class NativeGru(_Native):
    """See gru.py."""

    gates = 3

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        self.gate = zeros(s.lanes, s.length, s.batch, 3 * s.hidden)
        self.s = zeros(s.lanes, s.length, s.batch, s.hidden)
        self.h = zeros(s.lanes, s.length + 1, s.batch, s.hidden)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        put_start(start, *self.buffers())
        w = p["weight_hh"]
        _call("gru_forward", self.sizes, x, x.stride(0), p["weight_ih"], w, p["bias"], p["bias_hn"], w.stride(0),
              self.gate, self.gate.stride(0), self.s, self.s.stride(0), self.h, self.h.stride(0),
              *self.pre_buffer(keep))  # fmt: skip
        return self.h[:, 1:]

    def backward(
        self,
        p: Mapping[str, Tensor],
        x: Tensor,
        dy: Tensor,
        grads: Mapping[str, Tensor],
        dx: Tensor | None = None,
        d_start: Start = None,
    ) -> None:
        w, (dh, outside) = p["weight_hh"], self.outside(p, dy, dx)
        _call("gru_backward", self.sizes, x, x.stride(0), w, w.stride(0), self.gate, self.gate.stride(0),
              self.s, self.s.stride(0), self.h, self.h.stride(0), dh, dh.stride(0), grads["weight_ih"],
              grads["weight_hh"], grads["bias"], grads["bias_hn"], outside)  # fmt: skip

    def through_time(self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False) -> Rows | None:
        return self.record("gru_record", p, dy, trace, below, self.pre, self.pre.stride(0), self.s, self.s.stride(0))


if library() is not None:
    register_fast("rnn_tanh", partial(NativeRnn, phi=0), kernel="native")
    register_fast("rnn_relu", partial(NativeRnn, phi=1), kernel="native")
    register_fast("lstm", NativeLstm, kernel="native")
    register_fast("gru", NativeGru, kernel="native")
