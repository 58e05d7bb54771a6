"""sLSTM: an LSTM with exponential gates and a normaliser (xLSTM, Beck et al. 2024, eq. 8 to 17):

    i = exp(.), f = sigmoid(.) or exp(.), o = sigmoid(.), z = tanh(.) of h_{t-1} W + x_t U + b
    c_t = f c_{t-1} + i z, n_t = f n_{t-1} + i
    h_t = o c_t / n_t

x_t [B, I], h_t, c_t and n_t [B, H], W [H, 4H], U [I, 4H], b [4H]: `weight_hh`, `weight_ih`, `bias`, blocks i, f, o, z.

What is computed are c_t exp(-m_t) and n_t exp(-m_t) with m_t = max(log f + m_{t-1}, log i), the stabiliser: it cancels
in h_t, so it is a constant for the gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor


NOTHING = 40.0
"""How far the scale of a state that holds nothing, as before the first input, may lie above the input's, so that
exp(log i - m_t) keeps its digits in float32. Beyond it the scale is the input's, which changes no h_t."""


def parameters(inputs: int, hidden: int, forget_bias: float = 0.0) -> dict[str, Parameter]:
    """`forget_bias` is what the bias of the forget gate starts at."""
    return gated(inputs, hidden, ["i", "f", "o", "z"], f=forget_bias)


def step(p: Weights, x: Tensor, state: State, exponential: bool) -> State:
    h, c, n, m = state
    i, f, o, z = drive(p, x, h).chunk(4, -1)
    log_f = f if exponential else f.minimum(0 * f) - (-f.abs()).exp().log1p()  # of sigmoid(f), without rounding to 0
    kept, nothing = log_f + m, (c == 0) & (n == 0)
    kept = kept.minimum(i + NOTHING).where(nothing, kept)
    highest = kept.maximum(i).detach()
    keep, let_in = (kept - highest).exp(), (i - highest).exp()
    c, n = keep * c + let_in * tanh("z", z), keep * n + let_in
    return sigmoid("o", o) * c / n, c, n, highest


register("slstm", Architecture(parameters, step, states=4))
