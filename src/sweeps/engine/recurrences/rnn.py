"""The plain recurrent network with a backward pass written by hand.

Backward (Pascanu et al. 2013, eq. 5): delta_t = dL/dh_t * phi'(h_t), dL/dh_{t-1} = delta_t W^T, and
dL/dW = sum_t h_{t-1}^T delta_t, computed as one product over time and batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cached_property, partial

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows, back_in_time, gate_slope, in_order, tanh_slope
from sweeps.engine.fading import revive
from sweeps.engine.memory import by_time, in_float64, over_time, zeros
from sweeps.engine.products import add_product, multiply, project
from sweeps.engine.recurrences.base import Joint, Sizes, Start, last_and_others, put_start
from sweeps.engine.recurrences.choice import register_fast

Derivative = Callable[[Tensor, Tensor, Tensor], None]
"""(dh, h, out): writes dh * phi'(a) to out, the derivative computed from h = phi(a)."""
Slope = Callable[[Tensor], Rows]
"""phi'(a) from the float64 pre-activation a, exact where phi(a) is saturated."""


def tanh_derivative(dh: Tensor, h: Tensor, out: Tensor) -> None:
    torch.ops.aten.tanh_backward.grad_input(dh, h, grad_input=out)


def relu_derivative(dh: Tensor, h: Tensor, out: Tensor) -> None:
    torch.ops.aten.threshold_backward.grad_input(dh, h, 0.0, grad_input=out)


def sigmoid_derivative(dh: Tensor, h: Tensor, out: Tensor) -> None:
    torch.ops.aten.sigmoid_backward.grad_input(dh, h, grad_input=out)


def relu_slope(a: Tensor) -> Rows:
    return Rows.of(a > 0)


class Rnn:
    """One gate block, one bias."""

    def __init__(self, sizes: Sizes, phi_: Callable[[Tensor], Tensor], derivative: Derivative, slope: Slope) -> None:
        self.sizes = s = sizes
        self.phi_, self.derivative, self.slope = phi_, derivative, slope
        self.h = zeros(s.lanes, s.length + 1, s.batch, s.hidden, device=s.device)  # h[:, 0] is h_{-1}
        self.delta = zeros(s.lanes, s.length, s.batch, s.hidden, device=s.device)
        self.h_t, self.delta_t = by_time(self.h), by_time(self.delta)

    @cached_property
    def pre(self) -> Tensor:
        """Pre-activations of the last forward pass with `keep`, `[K, T, B, H]`."""
        return zeros(*self.delta.shape, device=self.sizes.device)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        put_start(start, self.h)
        project(x, p["weight_ih"], p["bias"], out=over_time(self.h[:, 1:]))
        w = p["weight_hh"]
        for t, (before, h) in enumerate(itertools.pairwise(self.h_t)):
            add_product(h, before, w)
            if keep:
                self.pre[:, t] = h
            self.phi_(h)
        if keep and self.phi_ is torch.relu_:
            revive(p, x, self.h, self.pre)
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
        back = p["weight_hh"].transpose(1, 2)
        dh, above = last_and_others(dy)
        for t in reversed(range(self.sizes.length)):
            self.derivative(dh, self.h_t[t + 1], self.delta_t[t])
            if self.sizes.cut_before(t):
                dh.zero_()
            elif t > 0 or d_start is not None:
                multiply(self.delta_t[t], back, out=dh)
            if above and t > 0:
                dh.add_(above[t - 1])
        if d_start is not None:
            d_start[0].copy_(dh)
        delta = over_time(self.delta)
        if dx is not None:
            multiply(delta, p["weight_ih"].transpose(1, 2), out=dx)
        multiply(over_time(self.h[:, :-1]).transpose(1, 2), delta, out=grads["weight_hh"])
        multiply(x.transpose(1, 2), delta, out=grads["weight_ih"])
        torch.sum(delta, 1, out=grads["bias"])

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        return record(self.sizes, self.pre, self.slope, p, dy, trace, below, joint)


def record(
    sizes: Sizes,
    pre: Tensor,
    slope_of: Slope,
    p: Mapping[str, Tensor],
    dy: Rows,
    trace: Trace,
    below: bool,
    joint: Joint | None,
) -> Rows | None:
    """`through_time` from the pre-activations `[K, T, B, H]`."""
    back, down = (in_float64(p[name]).transpose(1, 2) for name in ("weight_hh", "weight_ih"))
    dx: list[Rows] = []
    dh, above = dy.last_and_others()
    for t, (slope,) in back_in_time(lambda pre: (slope_of(pre.double()),), pre):
        dh = dh.settled()
        trace.note(t, dh)
        delta = dh * slope
        if below:
            dx.append(delta @ down)
        dh = delta.nothing() if sizes.cut_before(t) else delta @ back
        if above is not None and t > 0:
            dh = dh.settled() + above.at(t - 1).settled()
    if joint is not None:
        joint.start = (dh,)
    return in_order(dx) if below else None


register_fast("rnn_tanh", partial(Rnn, phi_=torch.tanh_, derivative=tanh_derivative, slope=tanh_slope))
register_fast("rnn_relu", partial(Rnn, phi_=torch.relu_, derivative=relu_derivative, slope=relu_slope))
register_fast("rnn_sigmoid", partial(Rnn, phi_=torch.sigmoid_, derivative=sigmoid_derivative, slope=gate_slope))
