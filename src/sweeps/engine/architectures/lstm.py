"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), without peepholes:

    i, f, o = sigmoid(.), g = tanh(.) of h_{t-1} W + x_t U + b
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

x_t [B, I], h_t and c_t [B, H], W [H, 4H], U [I, 4H], b [4H]: `weight_hh`, `weight_ih`, `bias`.

Blocks are ordered i, f, o, g, so that one call applies the sigmoid to three gates (torch.nn.LSTM orders i, f, g, o).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int, forget_bias: float = 0.0) -> dict[str, Parameter]:
    """`forget_bias` is what the bias of the forget gate starts at (Jozefowicz et al. 2015)."""
    return gated(inputs, hidden, ["i", "f", "o", "g"], {"f": 1, "i": -1}, f=forget_bias)


def step(p: Weights, x: Tensor, state: State) -> State:
    h, c = state
    i, f, o, g = drive(p, x, h).chunk(4, -1)
    c = sigmoid("f", f, carries=True) * c + sigmoid("i", i) * tanh("g", g)
    return sigmoid("o", o) * tanh("c", c), c


register("lstm", Architecture(parameters, step, states=2))
