"""Gated recurrent unit (Cho et al. 2014), in the form that torch.nn.GRU and cuDNN compute:

    r, z = sigmoid(.) of h_{t-1} W + x_t U + b
    n = tanh(x_t U_n + b_n + r s), s = h_{t-1} W_n + b_hn
    h_t = (1 - z) n + z h_{t-1}

x_t [B, I], h_t [B, H], W [H, 3H], U [I, 3H], b [3H]: `weight_hh`, `weight_ih`, `bias`.

Blocks are ordered r, z, n as in torch.nn. The bias b_hn inside the reset product is a parameter of its own, `bias_hn`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, gated, register
from sweeps.engine.architectures.functions import sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int, update_bias: float = 0.0) -> dict[str, Parameter]:
    """`update_bias` is what the bias of z starts at: the larger, the longer a unit keeps its state at first."""
    return {**gated(inputs, hidden, ["r", "z", "n"], {"z": 1}, z=update_bias), "bias_hn": Parameter((hidden,))}


def step(p: Weights, x: Tensor, state: State) -> State:
    [h] = state
    x_r, x_z, x_n = (x @ p["weight_ih"] + p["bias"].unsqueeze(1)).chunk(3, -1)
    h_r, h_z, h_n = (h @ p["weight_hh"]).chunk(3, -1)
    a_r, a_z = x_r + h_r, x_z + h_z
    n = tanh("n", x_n + sigmoid("r", a_r) * (h_n + p["bias_hn"].unsqueeze(1)))
    # 1 - sigmoid(a) is sigmoid(-a), which never rounds to 0
    return ((-a_z).sigmoid() * n + sigmoid("z", a_z, carries=True) * h,)


register("gru", Architecture(parameters, step))
