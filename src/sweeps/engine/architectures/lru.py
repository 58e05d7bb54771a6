"""Linear recurrent unit (Orvieto et al. 2023): complex numbers that turn and fade, each by itself.

    s_t = lambda s_{t-1} + gamma (x_t B)
    lambda = exp(-exp(nu) + i exp(theta)), gamma = sqrt(1 - |lambda|^2)

x_t [B, I], s_t [B, H/2], B [I, H/2], all complex but x; nu and theta [H/2]. The state h_t [B, H] has the real parts,
then the imaginary ones, so that a linear readout of it is Re(s_t C). B is `weight_ih` [I, H], real part first.

It begins on a ring: |lambda|^2 is uniform between r_min^2 and r_max^2, the angle between 0 and max_phase. gamma, which
the authors learn from this value on, stays what normalises the state.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sweeps.engine.architectures.base import Architecture, Factors, Parameter, State, Weights, register

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int, r_min: float, r_max: float, max_phase: float) -> dict[str, Parameter]:
    """
    Raises:
        ValueError: the ring is none, or H is odd.
    """
    if hidden % 2:
        raise ValueError(f"arch.hidden: given {hidden}, must be even: the state is pairs of numbers")
    if not 0 <= r_min < r_max <= 1:
        raise ValueError(f"arch.r_min, arch.r_max: given {r_min:g} and {r_max:g}, must be 0 <= r_min < r_max <= 1")
    if not 0 < max_phase <= 2 * np.pi + 1e-3:
        raise ValueError(f"arch.max_phase: given {max_phase:g}, must be above 0 and at most 2 pi, 6.2832")
    return {
        "weight_ih": Parameter((inputs, hidden), "input", ("re", "im")),
        "nu": Parameter((hidden // 2,), partial(log_decay, low=r_min, high=r_max)),
        "theta": Parameter((hidden // 2,), partial(log_angle, high=max_phase)),
    }


def log_decay(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """nu for |lambda|^2 uniform between low^2 and high^2."""
    squared = rng.uniform(low**2, high**2, shape)
    return np.log(-0.5 * np.log(np.clip(squared, 1e-12, 1 - 1e-7)))


def log_angle(rng: np.random.Generator, shape: tuple[int, ...], high: float) -> np.ndarray:
    """theta for an angle uniform between 0 and high."""
    return np.log(np.clip(rng.uniform(0.0, high, shape), 1e-6, None))


def factors(p: Weights) -> tuple[Tensor, Tensor, Tensor]:
    """Real and imaginary part of lambda, and gamma, each [K, H/2]; 1 - |lambda|^2 without cancellation."""
    decay, angle = p["nu"].exp(), p["theta"].exp()
    return (-decay).exp() * angle.cos(), (-decay).exp() * angle.sin(), (-(-2 * decay).expm1()).sqrt()


def linear(p: Weights, x: Tensor) -> tuple[Factors, Tensor]:
    c, d, gamma = (each[:, None, None] for each in factors(p))
    read = x @ p["weight_ih"].unsqueeze(1)
    return (c, d), read * gamma.repeat(1, 1, 1, 2)


def step(p: Weights, x: Tensor, state: State) -> State:
    c, d, gamma = (each.unsqueeze(1) for each in factors(p))
    pairs = state[0].unflatten(-1, (2, -1))  # [K, B, 2, H/2]
    turned = c.unsqueeze(2) * pairs + d.unsqueeze(2) * pairs.flip(2) * pairs.new_tensor([[-1.0], [1.0]])
    return (turned.flatten(2) + x @ p["weight_ih"] * gamma.repeat(1, 1, 2),)


register("lru", Architecture(parameters, step, linear=linear))
