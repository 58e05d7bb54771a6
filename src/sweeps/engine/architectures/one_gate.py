"""Recurrences with one gate: a forget gate that both keeps and lets in.

JANET (van der Westhuizen & Lasenby 2018), `janet`:

    s = h_{t-1} W_f + x_t U_f + b_f, n = tanh(h_{t-1} W_n + x_t U_n + b_n)
    h_t = sigmoid(s) h_{t-1} + (1 - sigmoid(s - beta)) n

Minimal gated unit (Zhou et al. 2016), `mgu`:

    f = sigmoid(h_{t-1} W_f + x_t U_f + b_f), n = tanh((f h_{t-1}) W_n + x_t U_n + b_n)
    h_t = (1 - f) h_{t-1} + f n

x_t [B, I], h_t [B, H], W [H, 2H], U [I, 2H], b [2H]: `weight_hh`, `weight_ih`, `bias`, blocks f, n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor


def janet_parameters(inputs: int, hidden: int, forget_bias: float = 0.0) -> dict[str, Parameter]:
    """`forget_bias` is what the bias of the gate starts at; `chrono` initialisation is meant for it."""
    return gated(inputs, hidden, ["f", "n"], {"f": 1}, f=forget_bias)


def mgu_parameters(inputs: int, hidden: int, forget_bias: float = 0.0) -> dict[str, Parameter]:
    """`forget_bias` is what the bias of the gate starts at; the larger, the sooner a unit forgets."""
    return gated(inputs, hidden, ["f", "n"], {"f": -1}, f=forget_bias)


def janet_step(p: Weights, x: Tensor, state: State, beta: float) -> State:
    [h] = state
    s, n = drive(p, x, h).chunk(2, -1)
    # 1 - sigmoid(a) is sigmoid(-a), which does not round
    return (sigmoid("f", s, carries=True) * h + (beta - s).sigmoid() * tanh("n", n),)


def mgu_step(p: Weights, x: Tensor, state: State) -> State:
    [h] = state
    x_f, x_n = (x @ p["weight_ih"] + p["bias"].unsqueeze(1)).chunk(2, -1)
    w_f, w_n = p["weight_hh"].chunk(2, -1)
    a = x_f + h @ w_f
    f = sigmoid("f", a)
    return (sigmoid("1-f", -a, carries=True) * h + f * tanh("n", x_n + (f * h) @ w_n),)


register("janet", Architecture(janet_parameters, janet_step))
register("mgu", Architecture(mgu_parameters, mgu_step))
