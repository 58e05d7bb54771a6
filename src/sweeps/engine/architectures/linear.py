"""Recurrent network with a linear transition, LT-RNN (Henaff et al. 2016, section 3):

    h_t = h_{t-1} W + relu(x_t U + b)

x_t [B, I], h_t [B, H], W [H, H], U [I, H], b [H]: `weight_hh`, `weight_ih`, `bias`. dh_t/dh_{t-1} is W at every step
and in every sequence, so that dL/dh_t of a loss of the last state is W^(T-1-t) times dL/dh_{T-1}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, gated, register
from sweeps.engine.architectures.functions import relu

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return gated(inputs, hidden, ["h"])


def step(p: Weights, x: Tensor, state: State) -> State:
    [h] = state
    read = relu("x", p["bias"].unsqueeze(1).baddbmm(x, p["weight_ih"]))
    return (read.baddbmm(h, p["weight_hh"]),)


register("rnn_linear", Architecture(parameters, step))
