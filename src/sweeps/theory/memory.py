"""The curse of memory: a linear unit with a long memory is sensitive to its eigenvalue though no gradient explodes.

h_t = lambda h_{t-1} + x_t, lambda real, |lambda| < 1, in its stationary state; x_t has variance 1 and the
autocorrelation rho^|d| over d steps, 0 <= rho < 1 (Zucchet & Orvieto 2024). The state grows as
1 / (1 - lambda), its derivative by lambda as (1 - lambda)^-3: near 1 a small step of lambda is a large one of h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sweeps.theory.checked import Array, below_one, inside


def state_variance(eigenvalue: ArrayLike, correlation: ArrayLike = 0.0) -> Array:
    """E h^2 = (1 + rho lambda) / ((1 - rho lambda) (1 - lambda^2)).

    Args:
        eigenvalue: lambda, above -1 and below 1.
        correlation: rho, above -1 and below 1; 0 is white noise.

    Raises:
        ValueError: a number outside.
    """
    eigenvalue, rho = _checked(eigenvalue, correlation)
    return (1 + rho * eigenvalue) / ((1 - rho * eigenvalue) * (1 - eigenvalue**2))


def sensitivity(eigenvalue: ArrayLike, correlation: ArrayLike = 0.0) -> Array:
    """E (dh/dlambda)^2 =
    ((1 + lambda^2) (1 - lambda^2 rho^2) + 2 (1 - lambda^2) lambda rho) / ((1 - lambda^2)^3 (1 - lambda rho)^2).

    For white noise (1 + lambda^2) / (1 - lambda^2)^3, near 1 a quarter of (1 - lambda)^-3. Arguments and errors as for
    `state_variance`.
    """
    eigenvalue, rho = _checked(eigenvalue, correlation)
    square, both = eigenvalue**2, eigenvalue * rho
    return ((1 + square) * (1 - both**2) + 2 * (1 - square) * both) / ((1 - square) ** 3 * (1 - both) ** 2)


def teacher_loss(eigenvalue: ArrayLike, teacher: ArrayLike) -> Array:
    """E |h - h'|^2 / 2 of two such units with white noise, of eigenvalues lambda and lambda', which may be complex:

        1/2 (1 / (1 - |lambda|^2) + 1 / (1 - |lambda'|^2) - 2 Re 1 / (1 - lambda conj(lambda')))

    The loss by which the one learns the other: the nearer lambda' is to the unit circle, the narrower its valley.

    Raises:
        ValueError: an eigenvalue whose modulus is not below 1.
    """
    a, b = (np.asarray(each, dtype=np.complex128) for each in (eigenvalue, teacher))
    for what, given in (("eigenvalue", a), ("teacher", b)):
        below_one(f"modulus of {what}", np.abs(given))
    own, other = (1 / (1 - np.abs(each) ** 2) for each in (a, b))
    return (own + other) / 2 - np.real(1 / (1 - a * np.conj(b)))


def _checked(eigenvalue: ArrayLike, correlation: ArrayLike) -> tuple[Array, Array]:
    return inside("eigenvalue", eigenvalue, -1, 1), inside("correlation", correlation, -1, 1)
