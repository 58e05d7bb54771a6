"""Mean-field theory of a wide GRU before training: how its gradient falls with the lag.

    z, r = sigmoid(h_{t-1} W_z + x_t U_z + update_bias), sigmoid(h_{t-1} W_r + x_t U_r + reset_bias)
    n = tanh(x_t U_n + r s), s = h_{t-1} W_n,    h_t = z h_{t-1} + (1 - z) n

Every W has independent Gaussian elements of variance gain^2 / H, or is gain times an orthogonal matrix of its own; x U
has the variance `drive` in each gate, anew at every step. The squared norm of a gradient has four ways back: through
h_{t-1} itself, and through z, s and r (Chen et al. 2018, Gilboa et al. 2019).

The factors of single steps, multiplied, are what matrices that are drawn anew at every step would give. But W_n stays:
a gradient that remains in its unit and then passes W_n, and one that passes it first, meet the same element of it and
add up, because both carry factors z and b = (1 - z) n' r that are positive. With gain 1, a drive of 0.1 and no bias the
squared norm falls by .32 over one step, at long lags by .53.

So two copies of a path are followed, which have passed W_n a and a' times; d = a - a' changes from step to step,
and ||.||^2 gathers where they meet again, at d = 0. It is M^k at (0, 0) of a matrix over d = .. -1, 0, 1 ..:

    M(0, 0)      = E[z^2] + gain^2 E[b^2] + gain^2 (q + E[n^2]) E[z'^2] + gain^2 E[(1 - z)^2] E[n'^2 s^2 r'^2]
    M(d, d)      = E[z]^2 + gain^2 E[b]^2                        for other d
    M(0, +-1)    = gain E[z b]                                   from +-1 to 0
    M(d +- 1, d) = gain E[z] E[b]                                otherwise

[derived here; simulation at H = 400 is within 4% per step.] Left out is that gates and states change slowly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from sweeps.theory.averages import NODES, average, nodes
from sweeps.theory.checked import Array, at_least
from sweeps.theory.roots import rising_root


class Factors(NamedTuple):
    """The elements of M."""

    meeting: float  # M(0, 0): also the factor of the squared norm over the last step alone
    apart: float  # M(d, d) of other d
    joining: float  # M(0, +-1)
    parting: float  # the other neighbours


def state_variance(gain: float, drive: float, update_bias: float = 0.0, reset_bias: float = 0.0) -> float:
    """q = E h^2 of a network that has run for long: q = E[z^2] q + E[(1 - z)^2] E[n^2].

    Args:
        gain: of W_z, W_r and W_n, at least 0.
        drive: the variance of x_t U in each gate, at least 0.
        update_bias: of z; the larger, the longer a unit keeps its state.
        reset_bias: of r.

    Raises:
        ValueError: a gain or drive below 0.
    """
    at_least("gain", gain, 0)
    at_least("drive", drive, 0)

    def surplus(q: float) -> float:
        z = nodes(update_bias, gain**2 * q + drive)
        new = _new_square(gain, drive, reset_bias, q)
        return float(q - new * average(expit(-z) ** 2) / average(1 - expit(z) ** 2))

    return rising_root(surplus, 0.0, 1.0)


def factors(gain: float, drive: float, update_bias: float = 0.0, reset_bias: float = 0.0) -> Factors:
    """The elements of M. Arguments and errors as for `state_variance`."""
    q = state_variance(gain, drive, update_bias, reset_bias)
    z, reset = nodes(update_bias, gain**2 * q + drive), nodes(reset_bias, gain**2 * q + drive)
    keep, let, r = expit(z), expit(-z), expit(reset)[:, None, None]  # of the second, axes are r, s, x U_n
    s = gain * np.sqrt(q) * NODES[:, None]
    slope = 1 / np.cosh(np.sqrt(drive) * NODES + r * s) ** 2

    def new(values: Array) -> float:
        return float(average(average(average(values))))

    through_z = (q + _new_square(gain, drive, reset_bias, q)) * average((keep * let) ** 2)
    through_s = average(let**2) * new((slope * r) ** 2)
    through_r = average(let**2) * new((slope * s * r * (1 - r)) ** 2)
    z_mean, b_mean = float(average(keep)), float(average(let)) * new(slope * r)
    return Factors(
        float(average(keep**2) + gain**2 * (through_z + through_s + through_r)),
        z_mean**2 + gain**2 * b_mean**2,
        gain * float(average(keep * let)) * new(slope * r),
        gain * z_mean * b_mean,
    )


def log10_gradient(gain: float, drive: float, steps: int, update_bias: float = 0.0, reset_bias: float = 0.0) -> Array:
    """log10 of ||dL/dh_{T-1-k}|| / ||dL/dh_{T-1}|| for k = 0 to `steps`, [steps + 1].

    Arguments and errors as for `state_variance`.
    """
    at_least("steps", steps, 0)
    meeting, apart, joining, parting = factors(gain, drive, update_bias, reset_bias)
    d = np.zeros(2 * steps + 1)
    d[steps] = 1.0
    logs = np.zeros(steps + 1)
    for k in range(1, steps + 1):
        beside = np.zeros_like(d)
        beside[1:] += d[:-1]
        beside[:-1] += d[1:]
        after = apart * d + parting * beside
        after[steps] = meeting * d[steps] + joining * beside[steps]
        d = after / after[steps]
        logs[k] = logs[k - 1] + np.log10(after[steps]) / 2
    return logs


def gradient_factor(gain: float, drive: float, update_bias: float = 0.0, reset_bias: float = 0.0) -> float:
    """The factor of the squared norm per time step at long lags: the largest eigenvalue of M.

    (E[z] + gain E[b])^2, or where it is larger that of a pair of copies that stay together, M(0, 0) + 2 M(0, 1) x with
    the weight x^|d| of copies apart: (parting - 2 joining) x^2 + (apart - meeting) x + parting = 0, |x| < 1.

    Arguments and errors as for `state_variance`.
    """
    meeting, apart, joining, parting = factors(gain, drive, update_bias, reset_bias)
    roots = np.roots([parting - 2 * joining, apart - meeting, parting])
    bound = [meeting + 2 * joining * x.real for x in roots if abs(x) < 1 and abs(x.imag) < 1e-12]
    return max([apart + 2 * parting, *bound])


def _new_square(gain: float, drive: float, reset_bias: float, q: float) -> float:
    """E[n^2]: for every r x U_n + r s is Gaussian."""
    r = expit(nodes(reset_bias, gain**2 * q + drive))
    return float(average(average(np.tanh(nodes(0.0, drive + (gain * r) ** 2 * q)) ** 2)))
