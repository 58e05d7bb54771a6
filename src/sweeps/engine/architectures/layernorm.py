"""Recurrences whose sums are normalised over the units of a layer at every time step (Ba, Kiros & Hinton 2016).

    LN(a; g) = g (a - mean(a)) / sqrt(var(a) + 1e-5), over all columns of a

`rnn_layernorm` (eq. 4):

    h_t = tanh(LN(h_{t-1} W + x_t U; g) + b)

`lstm_layernorm` (eq. 20 to 22):

    i, f, o = sigmoid(.), g = tanh(.) of LN(h_{t-1} W; g_h) + LN(x_t U; g_x) + b
    c_t = f c_{t-1} + i g
    h_t = o tanh(LN(c_t; g_c) + b_c)

x_t [B, I], h_t and c_t [B, H]; W [H, H] or [H, 4H], U [I, H] or [I, 4H], b [H] or [4H]: `weight_hh`, `weight_ih`,
`bias`; g: `gain` [H], or `gain_hh`, `gain_ih` [4H] and `gain_c` [H], which begin at 1; b_c: `bias_c` [H].

Where a sum has no spread, as with blank inputs before anything was read, LN magnifies gradients by 316, 1 / sqrt(1e-5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, gated, register
from sweeps.engine.architectures.functions import sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = 1e-5
"""Added to the variance, as torch.nn.LayerNorm does."""


def _gain(width: int) -> Parameter:
    return Parameter((width,), values={"": 1.0})


def _normalised(a: Tensor, gain: Tensor) -> Tensor:
    """LN of a [K, B, N] with gain [K, N]."""
    centred = a - a.mean(-1, keepdim=True)
    return gain.unsqueeze(1) * centred * (centred.square().mean(-1, keepdim=True) + EPSILON).rsqrt()


def rnn_parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return {**gated(inputs, hidden, ["h"]), "gain": _gain(hidden)}


def rnn_step(p: Weights, x: Tensor, state: State) -> State:
    [h] = state
    a = h @ p["weight_hh"] + x @ p["weight_ih"]
    return (tanh("h", _normalised(a, p["gain"]) + p["bias"].unsqueeze(1)),)


def lstm_parameters(inputs: int, hidden: int, forget_bias: float = 0.0) -> dict[str, Parameter]:
    """`forget_bias` is what the bias of the forget gate starts at."""
    gains = {"gain_hh": _gain(4 * hidden), "gain_ih": _gain(4 * hidden), "gain_c": _gain(hidden)}
    return {
        **gated(inputs, hidden, ["i", "f", "o", "g"], {"f": 1, "i": -1}, f=forget_bias),
        **gains,
        "bias_c": Parameter((hidden,)),
    }


def lstm_step(p: Weights, x: Tensor, state: State) -> State:
    h, c = state
    recurrent, read = h @ p["weight_hh"], x @ p["weight_ih"]
    a = _normalised(recurrent, p["gain_hh"]) + _normalised(read, p["gain_ih"]) + p["bias"].unsqueeze(1)
    i, f, o, g = a.chunk(4, -1)
    c = sigmoid("f", f, carries=True) * c + sigmoid("i", i) * tanh("g", g)
    return sigmoid("o", o) * tanh("c", _normalised(c, p["gain_c"]) + p["bias_c"].unsqueeze(1)), c


register("rnn_layernorm", Architecture(rnn_parameters, rnn_step))
register("lstm_layernorm", Architecture(lstm_parameters, lstm_step, states=2))
