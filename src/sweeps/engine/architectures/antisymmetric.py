"""Antisymmetric recurrent network (Chang et al. 2019): steps of Euler's method along a stable differential equation.

    A = W - W^T - gamma 1
    h_t = h_{t-1} + epsilon z_t tanh(h_{t-1} A + x_t U_h + b_h)
    z_t = sigmoid(h_{t-1} A + x_t U_z + b_z), or 1 where it is not gated

x_t [B, I], h_t [B, H], W [H, H], U [I, H] or [I, 2H], b [H] or [2H]: `weight_hh`, `weight_ih`, `bias`. The eigenvalues
of W - W^T are imaginary, so that without the diffusion gamma nothing decays or grows but for the method's error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, gated, register
from sweeps.engine.architectures.functions import sigmoid, tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int, with_gate: bool) -> dict[str, Parameter]:
    blocks = ["h", "z"] if with_gate else ["h"]
    return {**gated(inputs, hidden, blocks), "weight_hh": Parameter((hidden, hidden), "recurrent")}


def step(p: Weights, x: Tensor, state: State, epsilon: float, gamma: float, with_gate: bool) -> State:
    [h] = state
    w = p["weight_hh"]
    turned = h @ w - h @ w.transpose(1, 2) - gamma * h
    read = x @ p["weight_ih"] + p["bias"].unsqueeze(1)
    if not with_gate:
        return (h + epsilon * tanh("h", turned + read),)
    to_h, to_z = read.chunk(2, -1)
    return (h + epsilon * sigmoid("z", turned + to_z) * tanh("h", turned + to_h),)


register("rnn_antisymmetric", Architecture(parameters, step))
