"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), without peepholes:

i, f, o = sigmoid(.), g = tanh(.) of h_{t-1} W + x_t U + b;  c_t = f c_{t-1} + i g;  h_t = o tanh(c_t).

Blocks are ordered i, f, o, g, so that one call squashes the three sigmoid gates (torch.nn.LSTM orders i, f, g, o).
The adjoint has two parts, dL/dh_t and dL/dc_t; the record is the norm of the first.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.memory import lanes, over_time, steps, twin
from sweeps.engine.recurrences.base import Sizes, register

tanh_backward = torch.ops.aten.tanh_backward.grad_input
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


class Lstm:
    """Four gate blocks, one bias."""

    gates = ("i", "f", "o", "g")

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        k, t, b, n = s.lanes, s.steps, s.batch, s.hidden
        self.gate = lanes(k, t, b, 4 * n, device=s.device)  # gates forward, their gradients after backward
        self.h = lanes(k, t + 1, b, n, device=s.device)  # h[:, 0] = h_{-1} = 0, c likewise
        self.c = lanes(k, t + 1, b, n, device=s.device)
        self.tanh_c = lanes(k, t, b, n, device=s.device)
        # what the adjoint meets, in its own number format: the buffers themselves where that is float32
        self.back_gate, self.back_c, self.back_tanh_c = (twin(x, s.adjoint) for x in (self.gate, self.c, self.tanh_c))
        self.dc, self.u, self.v = (lanes(k, b, n, device=s.device, dtype=s.adjoint) for _ in range(3))
        self.h_t, self.c_t, self.tanh_c_t = steps(self.h), steps(self.c), steps(self.tanh_c)
        self.gate_t = steps(self.gate)
        self.sigmoids_t = steps(self.gate[..., : 3 * n])
        self.ifog_t = [tuple(g.split(n, dim=-1)) for g in self.gate_t]
        self.back_c_t, self.back_tanh_c_t, self.back_gate_t = map(
            steps, (self.back_c, self.back_tanh_c, self.back_gate)
        )
        self.back_ifog_t = [tuple(g.split(n, dim=-1)) for g in self.back_gate_t]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        i, h = self.sizes.inputs, self.sizes.hidden
        return {"weight_ih": (i, 4 * h), "weight_hh": (h, 4 * h), "bias": (4 * h,)}

    def forward(self, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        torch.baddbmm(p["bias"].unsqueeze(1), x, p["weight_ih"], out=over_time(self.gate))
        w = p["weight_hh"]
        for t in range(self.sizes.steps):
            self.gate_t[t].baddbmm_(self.h_t[t], w)
            i, f, o, g = self.ifog_t[t]
            self.sigmoids_t[t].sigmoid_()
            g.tanh_()
            c = torch.mul(f, self.c_t[t], out=self.c_t[t + 1]).addcmul_(i, g)
            torch.mul(o, torch.tanh(c, out=self.tanh_c_t[t]), out=self.h_t[t + 1])
        return self.h_t[-1]

    def backward(
        self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor], trace: Trace | None
    ) -> None:
        w, dh = (twin(each, self.sizes.adjoint).copy_(each) for each in (p["weight_hh"], dh))
        back = w.transpose(1, 2)
        self.back_gate.copy_(self.gate)
        self.back_c.copy_(self.c)
        self.back_tanh_c.copy_(self.tanh_c)
        dc, u, v = self.dc.zero_(), self.u, self.v
        for t in reversed(range(self.sizes.steps)):
            if trace is not None:
                trace.visit(t, dh, dc)
            i, f, o, g = self.back_ifog_t[t]
            tanh_c = self.back_tanh_c_t[t]
            dc.add_(tanh_backward(torch.mul(dh, o, out=u), tanh_c, grad_input=u))
            sigmoid_backward(torch.mul(dh, tanh_c, out=u), o, grad_input=o)
            torch.mul(dc, g, out=u)
            tanh_backward(torch.mul(dc, i, out=v), g, grad_input=g)
            sigmoid_backward(u, i, grad_input=i)
            torch.mul(dc, self.back_c_t[t], out=u)
            dc.mul_(f)
            sigmoid_backward(u, f, grad_input=f)
            if t > 0:
                torch.bmm(self.back_gate_t[t], back, out=dh)
        self.gate.copy_(self.back_gate)
        if trace is not None:
            trace.restore(self.gate)
        delta = over_time(self.gate)
        torch.bmm(over_time(self.h[:, :-1]).transpose(1, 2), delta, out=grads["weight_hh"])
        torch.bmm(x.transpose(1, 2), delta, out=grads["weight_ih"])
        torch.sum(delta, 1, out=grads["bias"])


register("lstm", Lstm)
