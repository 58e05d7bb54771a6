"""Recurrent network whose matrix stays exactly orthogonal, expRNN (Lezcano-Casado & Martínez-Rubio 2019):

    h_t = modrelu(h_{t-1} Q + x_t U; b), Q = exp(W - W^T)
    modrelu(a; b) = sign(a) max(|a| + b, 0)

x_t [B, I], h_t [B, H], W [H, H], U [I, H], b [H]: `weight_hh`, `weight_ih`, `bias`. The exponential of an antisymmetric
matrix is orthogonal, whatever training makes of W, and the slope of modrelu (Arjovsky et al. 2016) is 1 or 0: where all
units are active the gradient keeps its norm. `init` draws W; from init=identity Q is the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, gated, register

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return gated(inputs, hidden, ["h"])


def prepare(p: Weights) -> Weights:
    w = p["weight_hh"]
    return {**p, "weight_hh": (w - w.transpose(1, 2)).matrix_exp()}


def step(p: Weights, x: Tensor, state: State) -> State:
    a = x @ p["weight_ih"] + state[0] @ p["weight_hh"]
    return (a.sign() * (a.abs() + p["bias"].unsqueeze(1)).relu(),)


register("rnn_orthogonal", Architecture(parameters, step, prepare=prepare))
