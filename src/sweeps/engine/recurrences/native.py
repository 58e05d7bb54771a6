"""The recurrences on native kernels: buffers, parameters and mathematics are those of rnn.py, lstm.py and gru.py.

A kernel runs the complete time loop of one lane after the other, with the weights in cache and the elementwise
operations fused. CPU only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows, tanh_slope
from sweeps.engine.fading import revive
from sweeps.engine.memory import empty, in_float64, zeros
from sweeps.engine.native import library
from sweeps.engine.native.arguments import GATES, NUMBERS, arguments
from sweeps.engine.recurrences import gru, lstm, rnn
from sweeps.engine.recurrences.base import Joint, Sizes, Start, last_and_others, put_start
from sweeps.engine.recurrences.choice import register_fast

TANH, RELU = 0, 1
"""`phi` of a plain network."""


def call(kernel: str, sizes: Sizes, phi: int | None = None, **buffers: Tensor | None) -> None:
    """Call a kernel with its arguments by name, see native/arguments.py; None: not given.

    Raises:
        TypeError: a name that the kernel does not take, or one that it needs and does not get.
        ValueError: a buffer of another dtype or size, or whose lanes are not contiguous.
    """
    numbers = {name: getattr(sizes, name) for name in NUMBERS if name != "phi"}
    if phi is not None:
        numbers["phi"] = phi
    getattr(library(), kernel)(arguments(kernel, numbers, buffers))


def native_products(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """out = a b for `a [K, M, N]`, `b [K, N, P]`, `out [K, M, P]` with adjacent columns, all float32 or all float64."""
    k, m, n = a.shape
    places = (a.data_ptr(), *a.stride(), b.data_ptr(), *b.stride(), out.data_ptr(), *out.stride()[:2])
    compiled = library()
    assert compiled is not None
    one_precision = compiled.lane_products_float64 if out.dtype == torch.float64 else compiled.lane_products_float32
    one_precision(k, m, b.shape[-1], n, *places)
    return out


class _Native:
    """Common to the three: a pass from a start, the stored pre-activations, and the backward passes.

    Attributes:
        state: the buffers of the parts of the state, (h,) or (h, c), each `[K, T+1, B, H]`, its start first.
    """

    name: str  # its kernels are `name`_forward, `name`_backward, `name`_record
    weights: tuple[str, ...] = ("weight_ih", "weight_hh", "bias")

    def __init__(self, sizes: Sizes, phi: int | None = None) -> None:
        self.sizes, self.phi, s = sizes, phi, sizes
        self.h = zeros(s.lanes, s.length + 1, s.batch, s.hidden)
        self.state: tuple[Tensor, ...] = (self.h,)
        self._started = False  # whether the start of the last pass was given: place 0 of the buffers begins as zeros

    @cached_property
    def pre(self) -> Tensor:
        """Pre-activations of the last forward pass with `keep`, `[K, T, B, G*H]`."""
        s = self.sizes
        return zeros(s.lanes, s.length, s.batch, GATES[self.name] * s.hidden)

    def kept(self) -> dict[str, Tensor]:
        """What a forward pass keeps for `backward`, beside h, by the names of the kernels."""
        return {}

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        if start is not None or self._started:
            put_start(start, *self.state)
        self._started = start is not None
        own = {name: p[name] for name in self.weights}
        pre = self.pre if keep else None
        call(f"{self.name}_forward", self.sizes, self.phi, x=x, **own, h=self.h, **self.kept(), pre=pre)
        if keep and self.phi == RELU:
            revive(p, x, self.h, self.pre)
        return self.h[:, 1:]

    def end(self) -> tuple[Tensor, ...]:
        return tuple(part[:, -1] for part in self.state)

    def backward(
        self,
        p: Mapping[str, Tensor],
        x: Tensor,
        dy: Tensor,
        grads: Mapping[str, Tensor],
        dx: Tensor | None = None,
        d_start: Start = None,
        d_end: Start = None,
    ) -> None:
        dh, above = last_and_others(dy)
        given = {f"grad_{name}": grads[name] for name in self.weights} | self.kept()
        if dx is not None:
            given |= {"dx": dx, "weight_ih": p["weight_ih"]}
        if d_start is not None:
            given |= dict(zip(("d_start_h", "d_start_c"), d_start, strict=False))
        if d_end:
            given["d_end_c"] = d_end[0]
        call(f"{self.name}_backward", self.sizes, self.phi, x=x, weight_hh=p["weight_hh"], h=self.h, dh=dh,
             above=dy if above else None, **given)  # fmt: skip

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        if joint is not None:
            return self.record_jointly(p, dy, trace, below, joint)
        s, dx = self.sizes, None
        dh, above = dy.last_and_others()
        given = self.seen() | {"rows_dh": _of_lanes(dh.value), "rows_dh_exponent": _of_rows(dh)}
        if above is not None:
            given |= {"rows_above": _of_lanes(above.value), "rows_above_exponent": _of_rows(above)}
        if below:
            value = empty(s.lanes, s.length, s.batch, s.inputs, dtype=torch.float64)
            dx = Rows(value, torch.empty(s.lanes, s.length, s.batch, 1, dtype=torch.float64))
            given |= {"weight_ih": p["weight_ih"], "rows_dx": value, "rows_dx_exponent": dx.exponent}
        call(f"{self.name}_record", s, self.phi, pre=self.pre, weight_hh=p["weight_hh"],
             norms=trace.norms, exponents=trace.exponents, **given)  # fmt: skip
        return dx

    def seen(self) -> dict[str, Tensor]:
        """What the record reads beside the pre-activations, by the names of the kernels."""
        return {}

    def record_jointly(self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool, joint: Joint) -> Rows | None:
        """`through_time` beside another recurrence: torch's, whose buffers are these."""
        slope = tanh_slope if self.phi == TANH else rnn.relu_slope
        return rnn.record(self.sizes, self.pre, slope, p, dy, trace, below, joint)


def _of_lanes(value: Tensor) -> Tensor:
    """Float64 with contiguous lanes."""
    return value if value.dtype == torch.float64 and value[0].is_contiguous() else in_float64(value)


def _of_rows(rows: Rows) -> Tensor:
    """Contiguous exponents, one for each row."""
    return rows.exponent.expand(*rows.value.shape[:-1], 1).contiguous()


class NativeRnn(_Native):
    """See rnn.py."""

    name = "rnn"


class NativeLstm(_Native):
    """See lstm.py."""

    name = "lstm"

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        s = sizes
        self.gate = zeros(s.lanes, s.length, s.batch, 4 * s.hidden)
        self.c = zeros(s.lanes, s.length + 1, s.batch, s.hidden)
        self.tanh_c = zeros(s.lanes, s.length, s.batch, s.hidden)
        self.state = (self.h, self.c)

    def kept(self) -> dict[str, Tensor]:
        return {"gate": self.gate, "c": self.c, "tanh_c": self.tanh_c}

    def seen(self) -> dict[str, Tensor]:
        return {"c": self.c}

    def record_jointly(self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool, joint: Joint) -> Rows | None:
        return lstm.record(self.sizes, self.pre, self.c, p, dy, trace, below, joint)


class NativeGru(_Native):
    """See gru.py."""

    name = "gru"
    weights = (*_Native.weights, "bias_hn")

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        s = sizes
        self.gate = zeros(s.lanes, s.length, s.batch, 3 * s.hidden)
        self.s = zeros(s.lanes, s.length, s.batch, s.hidden)

    def kept(self) -> dict[str, Tensor]:
        return {"gate": self.gate, "inner": self.s}

    def seen(self) -> dict[str, Tensor]:
        return {"inner": self.s, "h": self.h}

    def record_jointly(self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool, joint: Joint) -> Rows | None:
        return gru.record(self.sizes, self.pre, self.s, self.h, p, dy, trace, below, joint)


if library() is not None:
    register_fast("rnn_tanh", partial(NativeRnn, phi=TANH), kernel="native")
    register_fast("rnn_relu", partial(NativeRnn, phi=RELU), kernel="native")
    register_fast("lstm", NativeLstm, kernel="native")
    register_fast("gru", NativeGru, kernel="native")
