"""Averages over a Gaussian variable, by Gauss-Hermite quadrature."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sweeps.theory.checked import Array, at_least

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def nodes(mean: ArrayLike, variance: ArrayLike) -> Array:
    """Points of z ~ N(mean, variance) in a last axis, [..., 61]: `average` takes the values of a function there.

    Raises:
        ValueError: a variance below 0.
    """
    sd = np.sqrt(at_least("variance", variance, 0))
    return np.asarray(mean, dtype=np.float64)[..., None] + sd[..., None] * NODES


def average(values: Array) -> Array:
    """E f(z) from f at `nodes`, [..., 61] -> [...]; exact to many digits for f as smooth as the logistic function."""
    return (values * WEIGHTS).sum(-1)
