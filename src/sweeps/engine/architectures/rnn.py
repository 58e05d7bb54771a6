"""The plain recurrent network of Elman (1990), phi = tanh, relu or the logistic sigmoid:

    h_t = phi(h_{t-1} W + x_t U + b)

x_t [B, I], h_t [B, H], W [H, H], U [I, H], b [H]: `weight_hh`, `weight_ih`, `bias`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import relu, sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return gated(inputs, hidden, ["h"])


def tanh_step(p: Weights, x: Tensor, state: State) -> State:
    """phi = tanh, whose slope is 1 at most: the gradient shrinks by what units saturate."""
    return (tanh("h", drive(p, x, state[0])),)


def relu_step(p: Weights, x: Tensor, state: State) -> State:
    """phi = relu; with init=identity and a bias of 0 the IRNN of Le et al. (2015)."""
    return (relu("h", drive(p, x, state[0])),)


def sigmoid_step(p: Weights, x: Tensor, state: State) -> State:
    """phi = sigmoid, whose slope is 1/4 at most: the gradient shrinks four times as fast as W lets it."""
    return (sigmoid("h", drive(p, x, state[0])),)


register("rnn_tanh", Architecture(parameters, tanh_step, phi="tanh"))
register("rnn_relu", Architecture(parameters, relu_step, phi="relu"))
register("rnn_sigmoid", Architecture(parameters, sigmoid_step))
