"""Leaky units (Jaeger et al. 2007), leak a:

    h_t = (1 - a) h_{t-1} + a tanh(h_{t-1} W + x_t U + b)

x_t [B, I], h_t [B, H], W [H, H], U [I, H], b [H]: `weight_hh`, `weight_ih`, `bias`. The time scale is 1/a steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return gated(inputs, hidden, ["h"])


def step(p: Weights, x: Tensor, state: State, leak: float) -> State:
    [h] = state
    return ((1 - leak) * h + leak * tanh("h", drive(p, x, h)),)


register("rnn_leaky", Architecture(parameters, step))
