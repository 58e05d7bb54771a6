"""Gated recurrent unit (Cho et al. 2014), in the form that torch.nn.GRU and cuDNN compute:

r, z = sigmoid(h_{t-1} W + x_t U + b);  n = tanh(x_t U_n + b_n + r s), s = h_{t-1} W_n + b_hn;
h_t = (1 - z) n + z h_{t-1}.

Blocks are ordered r, z, n as in torch.nn. The bias b_hn inside the reset product is a parameter of its own, `bias_hn`.
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


class Gru:
    """Three gate blocks, a bias for each and `bias_hn`."""

    gates = ("r", "z", "n")

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = s = sizes
        k, t, b, n = s.lanes, s.steps, s.batch, s.hidden
        self.gate = lanes(k, t, b, 3 * n, device=s.device)  # r, z, n; after backward their gradients
        self.s = lanes(k, t, b, n, device=s.device)  # s; after backward its gradient
        self.h = lanes(k, t + 1, b, n, device=s.device)  # h[:, 0] is h_{-1} = 0
        self.product = lanes(k, b, 3 * n, device=s.device)
        self.difference = lanes(k, b, n, device=s.device)
        # what the adjoint meets, in its own number format: the buffers themselves where that is float32
        self.back_gate, self.back_s, self.back_h = (twin(x, s.adjoint) for x in (self.gate, self.s, self.h))
        self.u, self.v = (lanes(k, b, n, device=s.device, dtype=s.adjoint) for _ in range(2))
        self.h_t, self.s_t = steps(self.h), steps(self.s)
        self.rz_t = steps(self.gate[..., : 2 * n])
        self.rzn_t = [tuple(g.split(n, dim=-1)) for g in steps(self.gate)]
        self.back_h_t, self.back_s_t = steps(self.back_h), steps(self.back_s)
        self.back_rz_t = steps(self.back_gate[..., : 2 * n])
        self.back_rzn_t = [tuple(g.split(n, dim=-1)) for g in steps(self.back_gate)]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        i, h = self.sizes.inputs, self.sizes.hidden
        return {"weight_ih": (i, 3 * h), "weight_hh": (h, 3 * h), "bias": (3 * h,), "bias_hn": (h,)}

    def forward(self, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        torch.baddbmm(p["bias"].unsqueeze(1), x, p["weight_ih"], out=over_time(self.gate))
        w, bias_hn = p["weight_hh"], p["bias_hn"].unsqueeze(1)
        from_rz, from_n = self.product.split(2 * self.sizes.hidden, dim=-1)
        for t in range(self.sizes.steps):
            before, s = self.h_t[t], self.s_t[t]
            r, z, n = self.rzn_t[t]
            torch.bmm(before, w, out=self.product)
            self.rz_t[t].add_(from_rz).sigmoid_()
            torch.add(from_n, bias_hn, out=s)
            n.addcmul_(r, s).tanh_()
            torch.addcmul(n, z, torch.sub(before, n, out=self.difference), out=self.h_t[t + 1])
        return self.h_t[-1]

    def backward(
        self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor], trace: Trace | None
    ) -> None:
        hidden, u, v = self.sizes.hidden, self.u, self.v
        w, dh = (twin(each, self.sizes.adjoint).copy_(each) for each in (p["weight_hh"], dh))
        back_rz, back_n = w.transpose(1, 2).split([2 * hidden, hidden], dim=1)
        self.back_gate.copy_(self.gate)
        self.back_s.copy_(self.s)
        self.back_h.copy_(self.h)
        for t in reversed(range(self.sizes.steps)):
            if trace is not None:
                trace.visit(t, dh)
            before, s = self.back_h_t[t], self.back_s_t[t]
            r, z, n = self.back_rzn_t[t]
            torch.mul(dh, torch.sub(before, n, out=u), out=u)  # dL/dz
            torch.mul(dh, z, out=v)  # what reaches h_{t-1} directly
            tanh_backward(dh.sub_(v), n, grad_input=n)  # dh (1 - z) through the tanh
            sigmoid_backward(u, z, grad_input=z)
            torch.mul(n, s, out=u)  # dL/dr
            torch.mul(n, r, out=s)  # dL/ds
            sigmoid_backward(u, r, grad_input=r)
            if t > 0:
                torch.baddbmm(v, self.back_rz_t[t], back_rz, out=dh).baddbmm_(s, back_n)
        self.gate.copy_(self.back_gate)
        self.s.copy_(self.back_s)
        if trace is not None:
            trace.restore(self.gate, self.s)
        delta, delta_s = over_time(self.gate), over_time(self.s)
        before = over_time(self.h[:, :-1]).transpose(1, 2)
        grad_rz, grad_n = grads["weight_hh"].split([2 * hidden, hidden], dim=-1)
        grad_rz.copy_(torch.bmm(before, delta[..., : 2 * hidden]))
        grad_n.copy_(torch.bmm(before, delta_s))
        torch.bmm(x.transpose(1, 2), delta, out=grads["weight_ih"])
        torch.sum(delta, 1, out=grads["bias"])
        torch.sum(delta_s, 1, out=grads["bias_hn"])


register("gru", Gru)
