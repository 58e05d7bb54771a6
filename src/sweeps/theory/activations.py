"""Activation functions and their derivatives, alone and multiplied over the layers of a deep network.

Back-propagation multiplies one derivative per layer, or per time step, into the gradient. That of the logistic function
is at most 1/4, so that ten layers leave at most 4^-10, about 1e-6; those of tanh and relu are at most 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from sweeps.theory.checked import Array, at_least, one_of


@dataclass(frozen=True)
class Activation:
    """phi and phi', both of arrays of any shape, and gamma, the least upper bound of |phi'|."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    largest_slope: float


def _tanh_slope(z: Array) -> Array:
    """1 - tanh(z)^2 as 4 s(2z) s(-2z), s the logistic function: it keeps its digits where tanh(z) rounds to 1."""
    return 4 * expit(2 * z) * expit(-2 * z)


ACTIVATIONS = {
    "tanh": Activation(np.tanh, _tanh_slope, 1.0),
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0), 1.0),
    "sigmoid": Activation(expit, lambda z: expit(z) * expit(-z), 0.25),
}


def activation(phi: str) -> Activation:
    """`tanh`, `relu` or `sigmoid`, the logistic function 1 / (1 + exp(-z)). The derivative of relu at 0 is 0.

    Raises:
        ValueError: another name.
    """
    return ACTIVATIONS[one_of("phi", phi, ACTIVATIONS)]


def largest_product(phi: str, depth: ArrayLike) -> Array:
    """gamma^depth: what the product of `depth` derivatives of phi cannot exceed, in the shape of `depth`."""
    return activation(phi).largest_slope ** at_least("depth", depth, 0)


def derivative_products(phi: str, z: ArrayLike) -> Array:
    """The product of derivatives over the layers up to each, phi'(z_1) ... phi'(z_l).

    Args:
        phi: `tanh`, `relu` or `sigmoid`.
        z: pre-activations [depth, ...], that of the first layer first.

    Returns:
        [depth, ...].
    """
    return np.cumprod(activation(phi).slope(np.asarray(z, dtype=np.float64)), axis=0)


def chain(phi: str, x: ArrayLike, depth: int, weight: float = 1.0) -> tuple[Array, Array]:
    """One unit per layer: a_l = phi(w a_{l-1}) from a_0 = x, and da_l/dx = product over layers of w phi'(w a_{l-1}).

    Args:
        phi: `tanh`, `relu` or `sigmoid`.
        x: inputs, of any shape.
        depth: layers, at least 1.
        weight: w, the same in every layer.

    Returns:
        a_1 to a_depth and da_1/dx to da_depth/dx, each [depth, ...].
    """
    function = activation(phi)
    at_least("depth", depth, 1)
    a, derivative = np.asarray(x, dtype=np.float64), np.ones(np.shape(x))
    values, derivatives = [], []
    for _ in range(depth):
        derivative = derivative * weight * function.slope(weight * a)
        a = function.value(weight * a)
        values.append(a)
        derivatives.append(derivative)
    return np.stack(values), np.stack(derivatives)
