"""Residual (skip) recurrent network with two learned scalars, FastRNN (Kusupati et al. 2018, eq. 1):

    h_t = beta h_{t-1} + alpha tanh(h_{t-1} W + x_t U + b), alpha = sigmoid(`scale[0]`), beta = sigmoid(`scale[1]`)

x_t [B, I], h_t [B, H], W [H, H], U [I, H], b [H]: `weight_hh`, `weight_ih`, `bias`. It begins at alpha = 0.047 and
beta = 0.953, scale = (-3, 3): nearly the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    scale = Parameter((2,), blocks=("alpha", "beta"), values={"alpha": -3.0, "beta": 3.0})
    return {**gated(inputs, hidden, ["h"]), "scale": scale}


def step(p: Weights, x: Tensor, state: State) -> State:
    [h] = state
    alpha, beta = p["scale"].sigmoid()[:, :, None, None].unbind(1)
    return (beta * h + alpha * tanh("h", drive(p, x, h)),)


register("rnn_residual", Architecture(parameters, step))
