"""The linear recurrent unit at its start (Orvieto et al. 2023): s_t = lambda s_{t-1} + gamma u_t, element by element.

|lambda|^2 is uniform between r_min^2 and r_max^2, a ring of the complex plane; u_t is white noise where it says so.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sweeps.theory.checked import Array, at_least, below_one


def normaliser(modulus: ArrayLike) -> Array:
    """gamma = sqrt(1 - |lambda|^2): with it the state has the power of its input, E |s|^2 = E |u|^2.

    Raises:
        ValueError: a modulus below 0 or not below 1.
    """
    r = below_one("modulus", modulus)
    return np.sqrt((1 - r) * (1 + r))


def state_power(r_min: float, r_max: float) -> float:
    """E |s|^2 / E |u|^2 over the ring without a normaliser, gamma = 1.

    ln((1 - r_min^2) / (1 - r_max^2)) / (r_max^2 - r_min^2) (Orvieto et al. 2023, Proposition 3): 2.05 for a ring from 0
    to .9, 13.3 from .9 to .99, infinite up to 1.

    Raises:
        ValueError: not 0 <= r_min < r_max <= 1.
    """
    low, high = _ring(r_min, r_max)
    return (math.log1p(-low) - math.log1p(-high)) / (high - low) if high < 1 else math.inf


def log10_gradient(r_min: float, r_max: float, lag: ArrayLike) -> Array:
    """log10 of the root mean square of |lambda|^k over the ring, k = `lag`: ||ds_T/ds_{T-k}||_F / sqrt(units).

    E |lambda|^(2k) = (b^(k+1) - a^(k+1)) / ((k + 1) (b - a)), a = r_min^2 and b = r_max^2: with r_max = 1 a power law,
    below it exponential in the end.

    Raises:
        ValueError: not 0 <= r_min < r_max <= 1, or a lag below 0.
    """
    low, high = _ring(r_min, r_max)
    k = at_least("lag", lag, 0) + 1
    rest = np.log1p(-((low / high) ** k)) - np.log(k * (high - low))
    return (k * np.log(high) + rest) / 2 / np.log(10)


def _ring(r_min: float, r_max: float) -> tuple[float, float]:
    """r_min^2 and r_max^2, checked."""
    if not 0 <= r_min < r_max <= 1:
        raise ValueError(f"r_min, r_max: given {r_min:g} and {r_max:g}, must be 0 <= r_min < r_max <= 1")
    return r_min**2, r_max**2
