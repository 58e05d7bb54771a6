"""LSTM with peepholes: the gates see the cell state (Gers, Schraudolph & Schmidhuber 2002):

    i, f = sigmoid(. + v_i c_{t-1}), sigmoid(. + v_f c_{t-1}), g = tanh(.) of h_{t-1} W + x_t U + b
    c_t = f c_{t-1} + i g
    o = sigmoid(. + v_o c_t), h_t = o tanh(c_t)

x_t [B, I], h_t and c_t [B, H], W [H, 4H], U [I, 4H], b [4H], v [3H]: `weight_hh`, `weight_ih`, `bias`, `peephole`,
blocks as for `lstm`. The peepholes begin at 0, as an LSTM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int, forget_bias: float = 0.0) -> dict[str, Parameter]:
    """`forget_bias` is what the bias of the forget gate starts at."""
    peephole = Parameter((3 * hidden,), blocks=("i", "f", "o"))
    return {**gated(inputs, hidden, ["i", "f", "o", "g"], {"f": 1, "i": -1}, f=forget_bias), "peephole": peephole}


def step(p: Weights, x: Tensor, state: State) -> State:
    h, c = state
    i, f, o, g = drive(p, x, h).chunk(4, -1)
    v_i, v_f, v_o = p["peephole"].unsqueeze(1).chunk(3, -1)
    c = sigmoid("f", f + v_f * c, carries=True) * c + sigmoid("i", i + v_i * c) * tanh("g", g)
    return sigmoid("o", o + v_o * c) * tanh("c", c), c


register("lstm_peephole", Architecture(parameters, step, states=2))
