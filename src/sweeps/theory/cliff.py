"""The error surface of one recurrent unit has a wall, and clipping keeps a step from being thrown off it.

    x_t = w sigmoid(x_{t-1}) + b, x_0 = 1/2,    E(w, b) = (sigmoid(x_50) - 0.7)^2

(Pascanu et al. 2013, figure 6). Where the unit changes from one stable point to two its gradient over fifty steps
explodes, and so does its curvature: along the wall both grow together, as the smoothness of Zhang et al. (2020) has it,
||H|| <= L_0 + L_1 ||g||. Derivatives are exact, taken forwards with the states.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from sweeps.theory.checked import Array, above, at_least

START, TARGET, STEPS = 0.5, 0.7, 50


def error(w: ArrayLike, b: ArrayLike) -> Array:
    """E(w, b), in the shape to which w and b broadcast."""
    return _derivatives(w, b)[0]


def gradient(w: ArrayLike, b: ArrayLike) -> Array:
    """dE/dw and dE/db, `[2, ...]`."""
    return _derivatives(w, b)[1]


def curvature(w: ArrayLike, b: ArrayLike) -> Array:
    """||H||: the largest modulus of an eigenvalue of E's second derivatives by w and b."""
    ww, wb, bb = _derivatives(w, b)[2]
    middle, apart = (ww + bb) / 2, np.hypot((ww - bb) / 2, wb)
    return np.maximum(np.abs(middle + apart), np.abs(middle - apart))


def descend(w: ArrayLike, b: ArrayLike, rate: float, updates: int, threshold: float = np.inf) -> tuple[Array, Array]:
    """Gradient descent from (w, b): all its points, `[updates + 1, 2, ...]`, and the length of each step.

    Args:
        rate: learning rate, above 0.
        updates: how many.
        threshold: of clipping by the norm of (dE/dw, dE/db); infinite for none.

    Raises:
        ValueError: a rate or threshold that is not above 0, or a number of updates below 0.
    """
    above("rate", rate, 0), above("threshold", threshold, 0), at_least("updates", updates, 0)
    point = np.stack(np.broadcast_arrays(np.asarray(w, dtype=np.float64), np.asarray(b, dtype=np.float64)))
    points, lengths = [point], []
    for _ in range(updates):
        slope = gradient(*point)
        norm = np.hypot(*slope)
        step = rate * slope * np.minimum(1, threshold / np.maximum(norm, np.finfo(float).tiny))
        point = point - step
        points.append(point)
        lengths.append(np.hypot(*step))
    return np.stack(points), np.array(lengths)


def _derivatives(w: ArrayLike, b: ArrayLike) -> tuple[Array, Array, Array]:
    """E, its two first and its three second derivatives (ww, wb, bb)."""
    w, b = np.broadcast_arrays(np.asarray(w, dtype=np.float64), np.asarray(b, dtype=np.float64))
    x, zero = np.full(w.shape, START), np.zeros(w.shape)
    dw, db, ww, wb, bb = zero, zero, zero, zero, zero
    for _ in range(STEPS):
        s, first, second = _sigmoid(x)
        ww = 2 * first * dw + w * (second * dw**2 + first * ww)
        wb = first * db + w * (second * dw * db + first * wb)
        bb = w * (second * db**2 + first * bb)
        dw, db, x = s + w * first * dw, 1 + w * first * db, w * s + b
    s, first, second = _sigmoid(x)
    off = s - TARGET
    outer, inner = 2 * (first**2 + off * second), 2 * off * first
    seconds = [outer * one * other + inner * both for one, other, both in ((dw, dw, ww), (dw, db, wb), (db, db, bb))]
    return off**2, np.stack([inner * dw, inner * db]), np.stack(seconds)


def _sigmoid(x: Array) -> tuple[Array, Array, Array]:
    """sigmoid(x) and its first and second derivative."""
    s = expit(x)
    first = s * (1 - s)
    return s, first, first * (1 - 2 * s)
