"""The gradient of a wide LSTM before training, while its states and inputs are small: through the cell state and h_t.

    f, i, o = sigmoid(h_{t-1} W + x_t U + b) of each gate,    g = tanh(h_{t-1} W_g + x_t U_g)
    c_t = f c_{t-1} + i g,    h_t = o tanh(c_t)

W_g has independent Gaussian elements of variance gain^2 / H, or is gain times an orthogonal matrix; the biases are 0,
but that of f. Near 0 the gates are constant, f = sigmoid(forget_bias) and i = o = 1/2, and tanh has the slope 1: a
gradient that goes back one step stays in its unit by the factor f, or passes W_g by a = i o gain = gain / 4. Powers of
W_g keep the length gain^j on average and are at right angles to each other, so that over k steps, of which the last
leaves h_{T-k} through W_g,

    E ||dL/dh_{T-k}||^2 / ||dL/dh_T||^2 = a^2 sum_j C(k-1, j)^2 f^(2 (k-1-j)) a^(2j),    j = 0 .. k-1

[derived here.] What passes step T - k through c_{T-k} is not in it, as it is not in the records. In the end the norm
goes with (f + a)^k: faster than the carry f^k of the cell state alone (`carry`). From a forget bias of about 3 on
states grow over a sequence, and saturate: then the gradient grows less than this says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, gammaln, logit, logsumexp

from sweeps.theory.checked import Array, at_least, inside


def log10_gradient(forget_bias: float, steps: int, gain: float = 1.0) -> Array:
    """log10 of ||dL/dh_{T-1-k}|| / ||dL/dh_{T-1}|| for k = 0 to `steps`, [steps + 1]; the equation above.

    Args:
        forget_bias: of f.
        steps: the largest lag, at least 0.
        gain: of W_g, at least 0; with 0 nothing passes, -inf.

    Raises:
        ValueError: a gain, or `steps`, below 0.
    """
    at_least("steps", steps, 0)
    with np.errstate(divide="ignore"):
        log_a = float(np.log(at_least("gain", gain, 0) / 4))
    log_f = float(np.log(expit(forget_bias)))
    logs = np.zeros(steps + 1)
    for k in range(1, steps + 1):
        j = np.arange(k)
        ways = gammaln(k) - gammaln(j + 1) - gammaln(k - j)
        logs[k] = logsumexp(2 * (ways + (k - 1 - j) * log_f + (j + 1) * log_a)) / 2
    return logs / np.log(10)


def gradient_factor(forget_bias: ArrayLike, gain: ArrayLike = 1.0) -> Array:
    """(f + gain / 4)^2: the factor of the squared norm per time step at long lags.

    Raises:
        ValueError: a gain below 0.
    """
    return (expit(np.asarray(forget_bias, dtype=np.float64)) + at_least("gain", gain, 0) / 4) ** 2


def critical_forget_bias(gain: ArrayLike = 1.0) -> Array:
    """The forget bias at which this factor is 1, logit(1 - gain / 4): ln 3 = 1.10 of gain 1, near the usual bias of 1.

    Raises:
        ValueError: a gain that is not above 0 and below 4.
    """
    return logit(1 - inside("gain", gain, 0, 4) / 4)
