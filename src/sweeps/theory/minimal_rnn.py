"""Mean-field theory of the minimalRNN, h_t = u h_{t-1} + (1 - u) x_t with a gate u = sigmoid(h_{t-1} W + x_t V + bias).

Element by element; every unit has an input x_t of its own, drawn anew at every step (Chen et al. 2018). W has
independent Gaussian elements of variance gain^2 / H, or is gain times an orthogonal matrix.

Left out is that a gated state changes slowly, so that the gate of now is not independent of the states it saw before.
Simulation at H = 400: q is 2 to 9% away and chi up to 5%, the more the larger gain and inputs are; where the gate is
open, 0.1%.
"""

from __future__ import annotations

from typing import NamedTuple

from scipy.special import expit

from sweeps.theory.averages import average, nodes
from sweeps.theory.checked import at_least
from sweeps.theory.roots import rising_root


class Stationary(NamedTuple):
    """Of a network that has run for long."""

    q: float  # E h^2
    chi: float  # the factor of the squared norm of dL/dh_t per time step back


def minimal_rnn(gain: float, input_gain: float, power: float, bias: float = 0.0) -> Stationary:
    """q = E[u^2] q + E[(1 - u)^2] R and chi = E[u^2] + gain^2 (q + R) E[u'^2] (Chen et al. 2018).

    u = sigmoid(z) with z ~ N(bias, gain^2 q + input_gain^2 R). A bias that opens the gate, u near 1, brings chi near 1
    for any gain: a broad region in which gradients neither vanish nor explode.

    Args:
        gain: of W, at least 0.
        input_gain: of V, whose elements have the variance input_gain^2 / H; at least 0.
        power: R, the variance of x_t; at least 0.
        bias: of the gate.

    Raises:
        ValueError: a number below 0.
    """
    for what, given in (("gain", gain), ("input_gain", input_gain), ("power", power)):
        at_least(what, given, 0)

    def surplus(q: float) -> float:
        z = nodes(bias, gain**2 * q + input_gain**2 * power)
        return float(q - power * average(expit(-z) ** 2) / average(1 - expit(z) ** 2))

    q = rising_root(surplus, 0.0, power)
    z = nodes(bias, gain**2 * q + input_gain**2 * power)
    slope = expit(z) * expit(-z)
    return Stationary(q, float(average(expit(z) ** 2) + gain**2 * (q + power) * average(slope**2)))
