"""The LSTM with a backward pass written by hand.

The adjoint has two parts, dL/dh_t and dL/dc_t; the trace records the norm of the first. For the trace c_t is computed
again in float64 from the pre-activations: tanh'(c) falls by e^2 for each unit of c, and rounding errors add up in c.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows, back_in_time, gate, gate_slope, in_order, in_time, side_by_side, tanh_slope
from sweeps.engine.memory import by_time, in_float64, over_time, zeros
from sweeps.engine.products import add_product, multiply, project
from sweeps.engine.recurrences.base import Joint, Sizes, Start, last_and_others, put_start
from sweeps.engine.recurrences.choice import register_fast

tanh_backward = torch.ops.aten.tanh_backward.grad_input
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


class Lstm:
    """Four gate blocks, one bias."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        k, t, b, n = s.lanes, s.length, s.batch, s.hidden
        self.gate = zeros(k, t, b, 4 * n, device=s.device)  # i, f, o, g; after backward, dL/d of their pre-activations
        self.h = zeros(k, t + 1, b, n, device=s.device)  # h[:, 0] is h_{-1}, c likewise
        self.c = zeros(k, t + 1, b, n, device=s.device)
        self.tanh_c = zeros(k, t, b, n, device=s.device)
        self.dc, self.u, self.v = (zeros(k, b, n, device=s.device) for _ in range(3))
        self.h_t, self.c_t, self.tanh_c_t = by_time(self.h), by_time(self.c), by_time(self.tanh_c)
        self.gate_t = by_time(self.gate)
        self.sigmoids_t = by_time(self.gate[..., : 3 * n])
        self.ifog_t = [tuple(g.split(n, dim=-1)) for g in self.gate_t]

    @cached_property
    def pre(self) -> Tensor:
        """Pre-activations of the last forward pass with `keep`, `[K, T, B, 4H]`."""
        return zeros(*self.gate.shape, device=self.sizes.device)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        put_start(start, self.h, self.c)
        project(x, p["weight_ih"], p["bias"], out=over_time(self.gate))
        w = p["weight_hh"]
        for t in range(self.sizes.length):
            add_product(self.gate_t[t], self.h_t[t], w)
            if keep:
                self.pre[:, t] = self.gate_t[t]
            i, f, o, g = self.ifog_t[t]
            self.sigmoids_t[t].sigmoid_()
            g.tanh_()
            c = torch.mul(f, self.c_t[t], out=self.c_t[t + 1]).addcmul_(i, g)
            torch.mul(o, torch.tanh(c, out=self.tanh_c_t[t]), out=self.h_t[t + 1])
        return self.h[:, 1:]

    def end(self) -> tuple[Tensor, ...]:
        return (self.h[:, -1], self.c[:, -1])

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
        back = p["weight_hh"].transpose(1, 2)
        dh, above = last_and_others(dy)
        dc, u, v = self.dc.zero_() if d_end is None else self.dc.copy_(d_end[0]), self.u, self.v
        for t in reversed(range(self.sizes.length)):
            i, f, o, g = self.ifog_t[t]
            tanh_c = self.tanh_c_t[t]
            dc.add_(tanh_backward(torch.mul(dh, o, out=u), tanh_c, grad_input=u))
            sigmoid_backward(torch.mul(dh, tanh_c, out=u), o, grad_input=o)
            torch.mul(dc, g, out=u)
            tanh_backward(torch.mul(dc, i, out=v), g, grad_input=g)
            sigmoid_backward(u, i, grad_input=i)
            torch.mul(dc, self.c_t[t], out=u)
            dc.mul_(f)
            sigmoid_backward(u, f, grad_input=f)
            if self.sizes.cut_before(t):
                dh.zero_()
                dc.zero_()
            elif t > 0 or d_start is not None:
                multiply(self.gate_t[t], back, out=dh)
            if above and t > 0:
                dh.add_(above[t - 1])
        if d_start is not None:
            for part, found in zip(d_start, (dh, dc), strict=True):
                part.copy_(found)
        delta = over_time(self.gate)
        if dx is not None:
            multiply(delta, p["weight_ih"].transpose(1, 2), out=dx)
        multiply(over_time(self.h[:, :-1]).transpose(1, 2), delta, out=grads["weight_hh"])
        multiply(x.transpose(1, 2), delta, out=grads["weight_ih"])
        torch.sum(delta, 1, out=grads["bias"])

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        return record(self.sizes, self.pre, self.c, p, dy, trace, below, joint)


def record(
    sizes: Sizes,
    pre: Tensor,
    cells: Tensor,
    p: Mapping[str, Tensor],
    dy: Rows,
    trace: Trace,
    below: bool,
    joint: Joint | None,
) -> Rows | None:
    """`through_time` from the pre-activations `[K, T, B, 4H]` and c_{-1} .. c_{T-1}, `[K, T+1, B, H]`."""
    back, down = (in_float64(p[name]).transpose(1, 2) for name in ("weight_hh", "weight_ih"))
    c, dx = _cells(pre, cells), list[Rows]()
    dh, above = dy.last_and_others()
    dc = (dh * torch.zeros_like(dh.exponent)).settled_apart()
    if joint is not None and joint.later:
        dc = joint.later[0].settled_apart()
    for t, (to_c, to_i, to_f, to_o, to_g, kept) in back_in_time(_local, pre, c[:, :-1], c[:, 1:]):
        dh = dh.settled()
        trace.note(t, dh)
        dc = (dc + (dh * to_c).settled_apart()).settled_apart()
        delta = side_by_side(dc * to_i, dc * to_f, dh * to_o, dc * to_g)
        if below:
            dx.append(delta @ down)
        if sizes.cut_before(t):
            dh, dc = dh.nothing(), dc.nothing()
        else:
            dh, dc = delta @ back, dc * kept
        if above is not None and t > 0:
            dh = dh.settled() + above.at(t - 1).settled()
    if joint is not None:
        joint.start = (dh, dc)
    return in_order(dx) if below else None


def _cells(pre: Tensor, cells: Tensor) -> Tensor:
    """c_{-1} .. c_{T-1} in float64, `[K, T+1, B, H]`, from c_{-1} of `cells`."""
    c = in_float64(cells)
    for t, (kept, new) in in_time(_update, pre):
        c[:, t + 1] = c[:, t] * kept.value + new.value
    return c


def _update(pre: Tensor) -> tuple[Rows, ...]:
    """f_t and i_t g_t, from the pre-activations."""
    i, f, _, g = pre.double().chunk(4, -1)
    return Rows.of(f.sigmoid()), Rows.of(i.sigmoid() * g.tanh())


def _local(pre: Tensor, before: Tensor, c: Tensor) -> tuple[Rows, ...]:
    """Local derivatives of one time step: factors of dL/dh_t or dL/dc_t.

    In order: what dL/dh_t adds to dL/dc_t; dL/da of i, f (from dL/dc_t), o (from dL/dh_t) and g (from dL/dc_t);
    dc_t/dc_{t-1}. The first and the last have an exponent for each unit: through a forget gate that is open for a
    thousand steps, a unit's dL/dc outlasts that of other units which was many powers of two larger.
    """
    i, f, o, g = pre.double().chunk(4, -1)
    to_c, to_i, to_f = gate(o, apart=True) * tanh_slope(c, apart=True), gate_slope(i) * g.tanh(), gate_slope(f) * before
    return to_c, to_i, to_f, gate_slope(o) * c.tanh(), tanh_slope(g) * gate(i), gate(f, apart=True)


register_fast("lstm", Lstm)
