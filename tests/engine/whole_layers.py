"""Layers that are no recurrence, from torch.nn in float64 with the weights of a network.

Each is `(p, x [T, B, I], **options) -> h [T, B, H]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call


def attention(p: Mapping[str, Tensor], x: Tensor, heads: int, pre_norm: bool, positions: bool, widen: int) -> Tensor:
    """torch.nn's encoder layer behind the input map and the position numbers."""
    hidden = len(p["weight_o"])
    e = x
    if "weight_ih" in p:
        e = torch.einsum("tbi,ih->tbh", x, p["weight_ih"]) + p["bias"]
        e = e + (position_numbers(len(x), hidden)[:, None] if positions else 0)
    layer = torch.nn.TransformerEncoderLayer(
        hidden, heads, widen * hidden, dropout=0.0, norm_first=pre_norm, dtype=torch.float64
    )
    theirs = {
        "self_attn.in_proj_weight": p["weight_qkv"].mT,
        "self_attn.in_proj_bias": p["bias_qkv"],
        "self_attn.out_proj.weight": p["weight_o"].mT,
        "self_attn.out_proj.bias": p["bias_o"],
        "linear1.weight": p["weight_up"].mT,
        "linear1.bias": p["bias_up"],
        "linear2.weight": p["weight_down"].mT,
        "linear2.bias": p["bias_down"],
        "norm1.weight": p["gain_attention"],
        "norm1.bias": p["shift_attention"],
        "norm2.weight": p["gain_map"],
        "norm2.bias": p["shift_map"],
    }
    ahead = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
    found: Tensor = functional_call(layer, theirs, (e,), {"src_mask": ahead})
    return found


def position_numbers(steps: int, hidden: int) -> Tensor:
    """Equation 3.5 of Vaswani et al. 2017, number by number."""
    rows = []
    for t in range(steps):
        row = []
        for column in range(hidden):
            angle = t / 10000 ** ((column - column % 2) / hidden)
            row.append(math.cos(angle) if column % 2 else math.sin(angle))
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


def mlp(p: Mapping[str, Tensor], x: Tensor, phi: torch.nn.Module) -> Tensor:
    """The lowest feed-forward layer; its output is that of the last time step, and there is nothing at the others."""
    everything = torch.cat(list(x), -1)
    h = phi(torch.nn.functional.linear(everything, p["weight_ih"].mT, p["bias"]))
    return torch.cat([h.new_zeros(len(x) - 1, *h.shape, requires_grad=True), h[None]])


WHOLE: dict[str, Callable[..., Tensor]] = {
    "attention": attention,
    "mlp_tanh": partial(mlp, phi=torch.nn.Tanh()),
    "mlp_relu": partial(mlp, phi=torch.nn.ReLU()),
    "mlp_sigmoid": partial(mlp, phi=torch.nn.Sigmoid()),
}
