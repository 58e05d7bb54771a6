"""Recurrent network whose matrix stays exactly orthogonal, made from an antisymmetric one:

    h_t = modrelu(h_{t-1} Q + x_t U; b), or tanh(h_{t-1} Q + x_t U + b)
    modrelu(a; b) = sign(a) max(|a| + b, 0)
    Q = exp(A), or Cayley's transform (1 - A/2)^-1 (1 + A/2)
    A = W - W^T

x_t [B, I], h_t [B, H], W [H, H], U [I, H], b [H]: `weight_hh`, `weight_ih`, `bias`. Q is orthogonal whatever training
makes of W. With the exponential it is expRNN (Lezcano-Casado & Martínez-Rubio 2019), with Cayley's transform scoRNN
(Helfrich, Willmott & Ye 2018) without their diagonal of signs; the two agree to second order in A. The slope of modrelu
(Arjovsky et al. 2016) is 1 or 0: where all units are active the gradient keeps its norm. `init` draws W, of which
`parameters.csv` has the spectrum; from init=identity Q is the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import relu, tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return gated(inputs, hidden, ["h"])


def prepare(p: Weights, cayley: bool) -> Weights:
    """Q in place of W, computed in float64: an error would be raised to the power T."""
    w = p["weight_hh"]
    a = (w - w.transpose(1, 2)).double()
    return {**p, "weight_hh": (_cayley(a) if cayley else a.matrix_exp()).to(w.dtype)}


def _cayley(a: Tensor) -> Tensor:
    """(1 - a/2)^-1 (1 + a/2) of a [K, H, H], written as 2 (1 - a/2)^-1 - 1."""
    one = a.new_ones(a.shape[-1]).diag()
    return 2 * (one - a / 2).inverse() - one


def step(p: Weights, x: Tensor, state: State, modrelu: bool) -> State:
    [h] = state
    if not modrelu:
        return (tanh("h", drive(p, x, h)),)
    a = x @ p["weight_ih"] + h @ p["weight_hh"]
    return (a.sign() * relu("h", a.abs() + p["bias"].unsqueeze(1)),)


register("rnn_orthogonal", Architecture(parameters, step, prepare=prepare))
