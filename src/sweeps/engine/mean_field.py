"""Mean-field theory of a wide network h_t = phi(h_{t-1} W + x_t U + b) with random weights: where it is critical.

W has independent elements of variance sigma^2 / H, or is sigma times an orthogonal matrix; x_t U + b has the variance
s over units. Pre-activations become Gaussian, z ~ N(0, q), and the squared norm of a gradient changes by the factor chi
per time step (Poole et al. 2016, Schoenholz et al. 2017, Chen et al. 2018):

    q = sigma^2 E[phi(z)^2] + s,    chi = sigma^2 E[phi'(z)^2]
"""

from __future__ import annotations

import math

import numpy as np

POINTS = 4001
"""Of the trapezoidal rule; its integrands are smooth and fall to nothing at the ends, where it converges fastest."""
FAR = 20.0
"""Where tanh is 1 to all digits."""


def critical_gain(phi: str, drive: float) -> float:
    """sigma at which chi = 1.

    Args:
        phi: `tanh` or `relu`, whose E[phi'(z)^2] is 1/2 for any q.
        drive: s, the variance of what does not come from the states.
    """
    if phi == "relu":
        return math.sqrt(2)
    return _means(critical_variance(drive))[1] ** -0.5 if drive > 0 else 1.0


def critical_variance(drive: float) -> float:
    """q at which chi = 1 of a tanh network; 0 without a drive.

    At chi = 1 sigma^2 is 1 / E[phi'(z)^2], so that s = q - E[phi(z)^2] / E[phi'(z)^2], which grows with q: bisection.
    """
    if drive <= 0:
        return 0.0
    low, high = -30.0, 30.0  # log q
    for _ in range(80):
        middle = (low + high) / 2
        squares, slopes = _means(math.exp(middle))
        low, high = (middle, high) if math.exp(middle) - squares / slopes < drive else (low, middle)
    return math.exp((low + high) / 2)


def mean_square(variance: float) -> float:
    """E[tanh(z)^2] for z ~ N(0, variance)."""
    return _means(variance)[0] if variance > 0 else 0.0


def _means(q: float) -> tuple[float, float]:
    """E[tanh(z)^2] and E[tanh'(z)^2] for z ~ N(0, q)."""
    sd = math.sqrt(q)
    z = np.linspace(-1, 1, POINTS) * min(10 * sd, FAR)
    density = np.exp(-((z / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))
    step, slope = z[1] - z[0], 1 / np.cosh(z) ** 2
    inside = 10 * sd <= FAR
    squares = (density * np.tanh(z) ** 2).sum() * step if inside else 1 - (density * slope).sum() * step
    return float(squares), float((density * slope**2).sum() * step)
