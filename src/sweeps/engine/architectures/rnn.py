"""The plain recurrent network of Elman (1990): h_t = phi(h_{t-1} W + x_t U + b), phi = tanh or relu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return gated(inputs, hidden, ["h"])


def tanh_step(p: Weights, x: Tensor, state: State) -> State:
    return (drive(p, x, state[0]).tanh(),)


def relu_step(p: Weights, x: Tensor, state: State) -> State:
    return (drive(p, x, state[0]).relu(),)


register("rnn_tanh", Architecture(parameters, tanh_step))
register("rnn_relu", Architecture(parameters, relu_step))
