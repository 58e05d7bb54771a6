"""Coupled oscillators, coRNN (Rusch & Mishra 2021, eq. 3): a damped, driven oscillator for each unit.

    z_t = z_{t-1} + dt (tanh(y_{t-1} W + z_{t-1} Z + x_t U + b) - gamma y_{t-1} - epsilon z_{t-1})
    y_t = y_{t-1} + dt z_t

x_t [B, I], y_t (which is h_t) and its velocity z_t [B, H], W, Z [H, H], U [I, H], b [H]: `weight_hh`, `weight_zh`,
`weight_ih`, `bias`. gamma is the squared frequency, epsilon the damping, dt the length of a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, State, Weights, drive, gated, register
from sweeps.engine.architectures.functions import tanh

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return {**gated(inputs, hidden, ["h"]), "weight_zh": Parameter((hidden, hidden), "recurrent")}


def step(p: Weights, x: Tensor, state: State, dt: float, gamma: float, epsilon: float) -> State:
    y, z = state
    z = z + dt * (tanh("z", drive(p, x, y) + z @ p["weight_zh"]) - gamma * y - epsilon * z)
    return y + dt * z, z


register("cornn", Architecture(parameters, step, states=2))
