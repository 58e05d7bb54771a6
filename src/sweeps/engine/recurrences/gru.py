"""The GRU with a backward pass written by hand; s = h_{t-1} W_n + b_hn is the argument of the reset product."""

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


class Gru:
    """Three gate blocks, a bias for each and `bias_hn`."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        k, t, b, n = s.lanes, s.length, s.batch, s.hidden
        self.gate = zeros(k, t, b, 3 * n, device=s.device)  # r, z, n; after backward, dL/d of their pre-activations
        self.s = zeros(k, t, b, n, device=s.device)  # s; after backward, dL/ds
        self.h = zeros(k, t + 1, b, n, device=s.device)  # h[:, 0] is h_{-1}
        self.product = zeros(k, b, 3 * n, device=s.device)
        self.difference = zeros(k, b, n, device=s.device)
        self.u, self.v = (zeros(k, b, n, device=s.device) for _ in range(2))
        self.h_t, self.s_t = by_time(self.h), by_time(self.s)
        self.rz_t = by_time(self.gate[..., : 2 * n])
        self.rzn_t = [tuple(g.split(n, dim=-1)) for g in by_time(self.gate)]

    @cached_property
    def pre(self) -> Tensor:
        """Pre-activations of the last forward pass with `keep`, `[K, T, B, 3H]`."""
        return zeros(*self.gate.shape, device=self.sizes.device)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        put_start(start, self.h)
        project(x, p["weight_ih"], p["bias"], out=over_time(self.gate))
        w, bias_hn, two = p["weight_hh"], p["bias_hn"].unsqueeze(1), 2 * self.sizes.hidden
        from_rz, from_n = self.product.split([two, self.sizes.hidden], dim=-1)
        for t in range(self.sizes.length):
            before, s = self.h_t[t], self.s_t[t]
            r, z, n = self.rzn_t[t]
            multiply(before, w, out=self.product)
            self.rz_t[t].add_(from_rz)
            if keep:
                self.pre[:, t, :, :two] = self.rz_t[t]
            self.rz_t[t].sigmoid_()
            torch.add(from_n, bias_hn, out=s)
            n.addcmul_(r, s)
            if keep:
                self.pre[:, t, :, two:] = n
            n.tanh_()
            torch.addcmul(n, z, torch.sub(before, n, out=self.difference), out=self.h_t[t + 1])
        return self.h[:, 1:]

    def end(self) -> tuple[Tensor, ...]:
        return (self.h[:, -1],)

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
        hidden, u, v = self.sizes.hidden, self.u, self.v
        back_rz, back_n = p["weight_hh"].transpose(1, 2).split([2 * hidden, hidden], dim=1)
        for t in reversed(range(self.sizes.length)):
            before, s = self.h_t[t], self.s_t[t]
            r, z, n = self.rzn_t[t]
            torch.mul(dh, torch.sub(before, n, out=u), out=u)  # dL/dz
            torch.mul(dh, z, out=v)  # dL/dh_{t-1} through z h_{t-1} alone
            tanh_backward(dh.sub_(v), n, grad_input=n)  # dh (1 - z) through the tanh
            sigmoid_backward(u, z, grad_input=z)
            torch.mul(n, s, out=u)  # dL/dr
            torch.mul(n, r, out=s)  # dL/ds
            sigmoid_backward(u, r, grad_input=r)
            if self.sizes.cut_before(t):
                dh.zero_()
            elif t > 0 or d_start is not None:
                add_product(add_product(dh.copy_(v), self.rz_t[t], back_rz), s, back_n)
            if above and t > 0:
                dh.add_(above[t - 1])
        if d_start is not None:
            d_start[0].copy_(dh)
        delta, delta_s = over_time(self.gate), over_time(self.s)
        if dx is not None:
            multiply(delta, p["weight_ih"].transpose(1, 2), out=dx)
        before = over_time(self.h[:, :-1]).transpose(1, 2)
        grad_rz, grad_n = grads["weight_hh"].split([2 * hidden, hidden], dim=-1)
        multiply(before, delta[..., : 2 * hidden], out=grad_rz)
        multiply(before, delta_s, out=grad_n)
        multiply(x.transpose(1, 2), delta, out=grads["weight_ih"])
        torch.sum(delta, 1, out=grads["bias"])
        torch.sum(delta_s, 1, out=grads["bias_hn"])

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        return record(self.sizes, self.pre, self.s, self.h, p, dy, trace, below, joint)


def record(
    sizes: Sizes,
    pre: Tensor,
    s: Tensor,
    states: Tensor,
    p: Mapping[str, Tensor],
    dy: Rows,
    trace: Trace,
    below: bool,
    joint: Joint | None,
) -> Rows | None:
    """`through_time` from pre-activations `[K, T, B, 3H]`, s `[K, T, B, H]` and h_{-1} .. h_{T-1} `[K, T+1, B, H]`."""
    back, down = (in_float64(p[name]).transpose(1, 2) for name in ("weight_hh", "weight_ih"))
    h, dx = _states(pre, states), list[Rows]()
    dh, above = dy.last_and_others()
    for t, (to_r, to_z, to_n, to_s, kept) in back_in_time(_local, pre, s, h[:, :-1]):
        dh = dh.settled()
        trace.note(t, dh)
        if below:
            dx.append(side_by_side(dh * to_r, dh * to_z, dh * to_n) @ down)
        delta = side_by_side(dh * to_r, dh * to_z, dh * to_s)
        dh = dh.nothing() if sizes.cut_before(t) else delta @ back + dh * kept
        if above is not None and t > 0:
            dh = dh.settled() + above.at(t - 1).settled()
    if joint is not None:
        joint.start = (dh,)
    return in_order(dx) if below else None


def _states(pre: Tensor, states: Tensor) -> Tensor:
    """h_{-1} .. h_{T-1} in float64, `[K, T+1, B, H]`, from h_{-1} of `states`."""
    h = in_float64(states)
    for t, (kept, new) in in_time(_update, pre):
        h[:, t + 1] = h[:, t] * kept.value + new.value
    return h


def _update(pre: Tensor) -> tuple[Rows, ...]:
    """z_t and (1 - z_t) n_t, from the pre-activations."""
    _, z, n = pre.double().chunk(3, -1)
    return Rows.of(z.sigmoid()), Rows.of((-z).sigmoid() * n.tanh())


def _local(pre: Tensor, s: Tensor, before: Tensor) -> tuple[Rows, ...]:
    """Factors that turn dL/dh_t into dL/da of r, z, n and into dL/ds; and z_t, that of the direct path to h_{t-1}."""
    r, z, n = pre.double().chunk(3, -1)
    to_n = gate(-z) * tanh_slope(n)
    return to_n * gate_slope(r) * s.double(), gate_slope(z) * (before - n.tanh()), to_n, to_n * gate(r), gate(z)


register_fast("gru", Gru)
