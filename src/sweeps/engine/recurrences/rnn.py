"""The plain recurrent network of Elman (1990): h_t = phi(h_{t-1} W + x_t U + b), phi = tanh or relu.

Backward (Pascanu et al. 2013, eq. 5): delta_t = dL/dh_t * phi'(h_t), dL/dh_{t-1} = delta_t W^T, and
dL/dW = sum_t h_{t-1}^T delta_t, taken as one product over time and batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.memory import lanes, over_time, steps, twin
from sweeps.engine.recurrences.base import Sizes, register

Derivative = Callable[[Tensor, Tensor, Tensor], None]
"""(dh, h, out): out = dh * phi'(h), the derivative taken from phi's own value."""


def tanh_derivative(dh: Tensor, h: Tensor, out: Tensor) -> None:
    torch.ops.aten.tanh_backward.grad_input(dh, h, grad_input=out)


def relu_derivative(dh: Tensor, h: Tensor, out: Tensor) -> None:
    torch.ops.aten.threshold_backward.grad_input(dh, h, 0.0, grad_input=out)


class Rnn:
    """One gate block, one bias."""

    gates = ("h",)

    def __init__(self, sizes: Sizes, phi_: Callable[[Tensor], Tensor], derivative: Derivative) -> None:
        self.sizes = s = sizes
        self.phi_, self.derivative = phi_, derivative
        self.h = lanes(s.lanes, s.steps + 1, s.batch, s.hidden, device=s.device)  # h[:, 0] is h_{-1} = 0
        self.delta = lanes(s.lanes, s.steps, s.batch, s.hidden, device=s.device)
        self.back_h, self.back_delta = twin(self.h, s.adjoint), twin(self.delta, s.adjoint)  # as the adjoint meets them
        self.h_t, self.back_h_t, self.back_delta_t = steps(self.h), steps(self.back_h), steps(self.back_delta)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        i, h = self.sizes.inputs, self.sizes.hidden
        return {"weight_ih": (i, h), "weight_hh": (h, h), "bias": (h,)}

    def forward(self, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        torch.baddbmm(p["bias"].unsqueeze(1), x, p["weight_ih"], out=over_time(self.h[:, 1:]))
        w = p["weight_hh"]
        for before, h in zip(self.h_t, self.h_t[1:], strict=False):
            self.phi_(h.baddbmm_(before, w))
        return self.h_t[-1]

    def backward(
        self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor], trace: Trace | None
    ) -> None:
        w, dh = (twin(each, self.sizes.adjoint).copy_(each) for each in (p["weight_hh"], dh))
        back = w.transpose(1, 2)
        self.back_h.copy_(self.h)
        for t in reversed(range(self.sizes.steps)):
            if trace is not None:
                trace.visit(t, dh)
            self.derivative(dh, self.back_h_t[t + 1], self.back_delta_t[t])
            if t > 0:
                torch.bmm(self.back_delta_t[t], back, out=dh)
        self.delta.copy_(self.back_delta)
        if trace is not None:
            trace.restore(self.delta)
        delta = over_time(self.delta)
        torch.bmm(over_time(self.h[:, :-1]).transpose(1, 2), delta, out=grads["weight_hh"])
        torch.bmm(x.transpose(1, 2), delta, out=grads["weight_ih"])
        torch.sum(delta, 1, out=grads["bias"])


register("rnn_tanh", partial(Rnn, phi_=torch.tanh_, derivative=tanh_derivative))
register("rnn_relu", partial(Rnn, phi_=torch.relu_, derivative=relu_derivative))
