"""Reference implementations: each recurrence as a textbook writes it, one time step after the other.

Slow and plain on purpose. The tests run them in float64 with autograd and compare every fast recurrence with them:
loss, each parameter's gradient and each dL/dh_t. Parameters have the names and shapes of the fast ones, without the
lane axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]


def rnn(p: Weights, x: Tensor, phi: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """h_t = phi(x_t U + h_{t-1} W + b) for `x [T, B, I]`; returns h_0 .. h_{T-1}, each `[B, H]`."""
    h = x.new_zeros(x.shape[1], p["weight_hh"].shape[0])
    out = []
    for x_t in x:
        h = phi(x_t @ p["weight_ih"] + h @ p["weight_hh"] + p["bias"])
        out.append(h)
    return out


def lstm(p: Weights, x: Tensor) -> list[Tensor]:
    """c_t = f c_{t-1} + i g, h_t = o tanh(c_t); gate blocks in the order i, f, o, g."""
    h = x.new_zeros(x.shape[1], p["weight_hh"].shape[0])
    c = torch.zeros_like(h)
    out = []
    for x_t in x:
        a_i, a_f, a_o, a_g = (x_t @ p["weight_ih"] + h @ p["weight_hh"] + p["bias"]).chunk(4, dim=-1)
        c = torch.sigmoid(a_f) * c + torch.sigmoid(a_i) * torch.tanh(a_g)
        h = torch.sigmoid(a_o) * torch.tanh(c)
        out.append(h)
    return out


def gru(p: Weights, x: Tensor) -> list[Tensor]:
    """h_t = (1 - z) n + z h_{t-1}, n = tanh(x_t U_n + b_n + r (h_{t-1} W_n + b_hn)); blocks r, z, n."""
    h = x.new_zeros(x.shape[1], p["weight_hh"].shape[0])
    out = []
    for x_t in x:
        x_r, x_z, x_n = (x_t @ p["weight_ih"] + p["bias"]).chunk(3, dim=-1)
        h_r, h_z, h_n = (h @ p["weight_hh"]).chunk(3, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * (h_n + p["bias_hn"]))
        h = (1 - z) * n + z * h
        out.append(h)
    return out


REFERENCE: dict[str, Callable[[Weights, Tensor], list[Tensor]]] = {
    "rnn_tanh": lambda p, x: rnn(p, x, torch.tanh),
    "rnn_relu": lambda p, x: rnn(p, x, torch.relu),
    "lstm": lstm,
    "gru": gru,
}
