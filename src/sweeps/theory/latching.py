"""One tanh unit that keeps a bit, x_t = tanh(w x_{t-1} + noise_t): the surer it is, the faster its gradient vanishes.

For w > 1 the unit has two stable points, +x* and -x*, x* = tanh(w x*). Near them a gradient is multiplied by
w (1 - x*^2) < 1 at every step; noise cannot flip the bit while it stays below a size that grows with w (Bengio, Simard
& Frasconi 1994). Both are functions of w, so that one is a curve over the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sweeps.theory.checked import Array, above, inside
from sweeps.theory.roots import rising_root


def stable_point(w: ArrayLike) -> Array:
    """x* > 0 with x* = tanh(w x*), in the shape of w.

    Raises:
        ValueError: a w that is not above 1.
    """
    return np.vectorize(_stable_point, otypes=[np.float64])(above("w", w, 1))


def gradient_factor(w: ArrayLike) -> Array:
    """w (1 - x*^2): the factor of dx_T/dx_t per time step while the bit is kept, without noise.

    Raises:
        ValueError: a w that is not above 1.
    """
    return np.asarray(w) / np.cosh(np.asarray(w) * stable_point(w)) ** 2


def safe_noise(w: ArrayLike) -> Array:
    """The size below which noise at every step, whatever its signs, never flips the bit: w s - artanh(s),
    s = sqrt(1 - 1/w).

    At s the slope of tanh(w x) is 1: with more noise towards 0 than this the stable point is gone.

    Raises:
        ValueError: a w that is not above 1.
    """
    weights = above("w", w, 1)
    s = np.sqrt(1 - 1 / weights)
    return weights * s - np.arctanh(s)


def steps_until(factor: ArrayLike, fraction: float) -> Array:
    """ln(fraction) / ln(factor): the time steps after which a gradient is down to `fraction`, in the shape of `factor`.

    Raises:
        ValueError: a factor or fraction that is not above 0 and below 1.
    """
    return np.log(inside("fraction", fraction, 0, 1)) / np.log(inside("factor", factor, 0, 1))


def _stable_point(w: float) -> float:
    """By bisection from where x - tanh(w x) is least, cosh(w x)^2 = w, which lies between 0 and x*."""
    return rising_root(lambda x: x - float(np.tanh(w * x)), float(np.arccosh(np.sqrt(w))) / w, 1.0)
