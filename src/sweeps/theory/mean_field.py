"""Mean-field theory of a wide network h_t = phi(h_{t-1} W + x_t U + b) with random weights: what its gradients do.

W has independent Gaussian elements of variance gain^2 / H, or is gain times a uniformly random orthogonal matrix;
x_t U + b has the variance s over units, the drive. Pre-activations become Gaussian, z ~ N(0, q), and the squared norm
of a gradient changes by the factor chi per time step (Poole et al. 2016, Schoenholz et al. 2017, Chen et al. 2018):

    q = gain^2 E[phi(z)^2] + s,    chi = gain^2 E[phi'(z)^2]

Both matrices have the same q and chi; their Jacobians differ in how far singular values spread (`singular_spread`).
phi is `tanh`, `relu` or `sigmoid`, the logistic function.

It is a theory of many units, of inputs with the same power at every time step, and of the start of training. Where
H = 300 and every unit has a drive of its own, simulation is within 3% of chi; with one scalar input for all units it
can be off by 8%, because then the drive of all units is large, or small, at the same time.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sweeps.theory.checked import Array, at_least, one_of
from sweeps.theory.roots import rising_root

PHIS = ("relu", "sigmoid", "tanh")
MATRICES = ("gaussian", "orthogonal")
POINTS = 4001
"""Of the trapezoidal rule; its integrands are smooth and fall to nothing at the ends, where it converges fastest."""
FAR = 20.0
"""Where tanh is 1 to all digits."""


class Moments(NamedTuple):
    """Averages over z ~ N(0, q)."""

    square: float  # E[phi(z)^2]
    slope_square: float  # E[phi'(z)^2]
    slope_fourth: float  # E[phi'(z)^4]


def moments(phi: str, variance: float) -> Moments:
    """E[phi(z)^2], E[phi'(z)^2] and E[phi'(z)^4] for z ~ N(0, variance).

    Raises:
        ValueError: another phi, or a variance below 0.
    """
    one_of("phi", phi, PHIS)
    at_least("variance", variance, 0)
    if phi == "relu":
        return Moments(variance / 2, 0.5, 0.5)
    if phi == "sigmoid":  # sigmoid(z) = (1 + tanh(z / 2)) / 2
        half = moments("tanh", variance / 4)
        return Moments((1 + half.square) / 4, half.slope_square / 16, half.slope_fourth / 256)
    return _tanh(variance) if variance > 0 else Moments(0.0, 1.0, 1.0)


def fixed_point(phi: str, gain: float, drive: float) -> float:
    """q*: the variance of pre-activations that stays, q = gain^2 E[phi(z)^2] + drive (Poole et al. 2016).

    Of several, that which is reached: without a drive 0 for tanh up to gain 1, and above it the positive one. For relu
    drive / (1 - gain^2 / 2), and infinite from gain sqrt(2) on.

    Args:
        phi: `tanh`, `relu` or `sigmoid`.
        gain: the standard deviation of W's elements times sqrt(H), or the factor of an orthogonal matrix; at least 0.
        drive: s, the variance of what does not come from the states; at least 0.

    Raises:
        ValueError: another phi, or a number below 0.
    """
    _check(phi, gain, drive)
    if phi == "relu":
        return drive / (1 - gain**2 / 2) if gain**2 < 2 else math.inf
    if phi == "tanh" and drive == 0 and gain <= 1:
        return 0.0
    ends = drive, gain**2 + drive  # phi^2 <= 1
    return rising_root(lambda q: q - gain**2 * moments(phi, q).square - drive, *ends)


def gradient_factor(phi: str, gain: float, drive: float) -> float:
    """chi = gain^2 E[phi'(z)^2] at q*: the factor of the squared norm of dL/dh_t per time step back.

    Schoenholz et al. (2017); of recurrent networks Chen et al. (2018). The norm itself changes by sqrt(chi).
    Below 1 gradients vanish, above 1 they explode. Arguments and errors as for `fixed_point`.
    """
    _check(phi, gain, drive)
    if phi == "relu":
        return gain**2 / 2
    return gain**2 * moments(phi, fixed_point(phi, gain, drive)).slope_square


def log10_gradient(chi: ArrayLike, lag: ArrayLike) -> Array:
    """log10 of ||dL/dh_{T-1-lag}|| / ||dL/dh_{T-1}||, for which mean-field theory has lag / 2 log10(chi).

    Args:
        chi: the factor of the squared norm per time step, above 0.
        lag: time steps back, of a shape that broadcasts with that of chi.
    """
    return np.asarray(lag) / 2 * np.log10(chi)


def time_scale(chi: ArrayLike) -> Array:
    """xi = 1 / |ln chi|: the time steps over which a squared norm changes by the factor e; infinite at chi = 1.

    Of the norm it is 2 xi. Networks were found trainable over lengths, or depths, of up to about 6 xi (Schoenholz et
    al. 2017): a rule of thumb, whose constant is to be fitted.

    Raises:
        ValueError: a chi below 0.
    """
    with np.errstate(divide="ignore"):
        return 1 / np.abs(np.log(at_least("chi", chi, 0)))


def critical_gain(phi: str, drive: float) -> float:
    """The gain at which chi = 1; sqrt(2) of relu, whose E[phi'(z)^2] is 1/2 for any q.

    Args:
        phi: `tanh`, `relu` or `sigmoid`.
        drive: s, the variance of what does not come from the states; at least 0.

    Raises:
        ValueError: another phi, or a drive below 0.
    """
    _check(phi, 0.0, drive)
    if phi == "relu":
        return math.sqrt(2)
    return moments(phi, critical_variance(drive, phi)).slope_square ** -0.5


def critical_variance(drive: float, phi: str = "tanh") -> float:
    """q at which chi = 1 of a `tanh` or `sigmoid` network; 0 of tanh without a drive.

    At chi = 1 gain^2 is 1 / E[phi'(z)^2], so that s = q - E[phi(z)^2] / E[phi'(z)^2]. This grows with q where it is
    positive: bisection over log q.

    Raises:
        ValueError: another phi, or a drive below 0.
    """
    one_of("phi", phi, ("sigmoid", "tanh"))
    at_least("drive", drive, 0)
    if phi == "tanh" and drive == 0:
        return 0.0

    def surplus(log_q: float) -> float:
        square, slope_square, _ = moments(phi, math.exp(log_q))
        return math.exp(log_q) - square / slope_square - drive

    return math.exp(rising_root(surplus, -30.0, 30.0))


def singular_spread(phi: str, gain: float, drive: float, lag: ArrayLike, matrix: str) -> Array:
    """Variance of the squared singular values of dh_T/dh_{T-lag}, in units of the square of their mean, chi^lag.

    lag (E[phi'^4] / E[phi'^2]^2 - c), with c = 0 for a `gaussian` W and 1 for an `orthogonal` one (Pennington,
    Schoenholz & Ganguli 2017; of recurrent networks Chen et al. 2018): some directions carry more and
    most less, and only an orthogonal W with units in their linear range treats all alike.

    Raises:
        ValueError: another phi or matrix, or a number below 0.
    """
    one_of("matrix", matrix, MATRICES)
    _check(phi, gain, drive)
    _, second, fourth = moments(phi, 0.0 if phi == "relu" else fixed_point(phi, gain, drive))
    return at_least("lag", lag, 0) * (fourth / second**2 - (matrix == "orthogonal"))


def _check(phi: str, gain: float, drive: float) -> None:
    one_of("phi", phi, PHIS)
    at_least("gain", gain, 0)
    at_least("drive", drive, 0)


def _tanh(q: float) -> Moments:
    sd = math.sqrt(q)
    z = np.linspace(-1, 1, POINTS) * min(10 * sd, FAR)
    density = np.exp(-((z / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))
    step, slope = z[1] - z[0], 1 / np.cosh(z) ** 2
    inside = 10 * sd <= FAR
    squares = (density * np.tanh(z) ** 2).sum() * step if inside else 1 - (density * slope).sum() * step
    fourth = (density * slope**4).sum() * step
    return Moments(float(squares), float((density * slope**2).sum() * step), float(fourth))
