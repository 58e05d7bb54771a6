"""What a gate that does not change lets through: the path c_t = f_t c_{t-1} + ... through an LSTM's cell state.

With the gates held fixed dc_T/dc_{T-k} is the diagonal of f_{T-k+1} ... f_T (Hochreiter & Schmidhuber 1997, Gers et al.
2000). A network whose gates see the state has other paths too, through h_t: its whole gradient is of this order only
while the recurrent weights are small. minGRU and minLSTM have no other path: there it is exact (Feng et al. 2024).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import exp1, expit, log_expit

from sweeps.theory.averages import average, nodes
from sweeps.theory.checked import Array, above, at_least

POINTS, PARTS = np.polynomial.legendre.leggauss(200)


def log10_carry(bias: ArrayLike, lag: ArrayLike, variance: float = 0.0) -> Array:
    """log10 of the typical carry over k = `lag` steps, k E[log10 f] with f = sigmoid(z), z ~ N(bias, variance).

    The inputs make the variance, anew at every step. Without it, as in a network whose weights are 0, all carries are
    sigmoid(bias)^k.

    Args:
        bias: of the forget gate (of `mingru` minus that of z), of a shape that broadcasts with that of `lag`.
        lag: k, time steps back.
        variance: of the gate's pre-activation over time.

    Raises:
        ValueError: a variance or lag below 0.
    """
    return at_least("lag", lag, 0) * average(log_expit(nodes(bias, variance))) / np.log(10)


def log10_carry_norm(bias: ArrayLike, lag: ArrayLike, variance: float = 0.0) -> Array:
    """log10 of the root mean square of carries, k / 2 log10 E[f^2]: ||dc_T/dc_{T-k}||_F / sqrt(units), over many.

    Never below `log10_carry`, whose arguments and errors it has. Over a long lag few units and sequences show the
    typical one: the mean is then of carries that are too rare to be met.
    """
    return at_least("lag", lag, 0) / 2 * np.log10(average(expit(nodes(bias, variance)) ** 2))


def time_scale(bias: ArrayLike) -> Array:
    """-1 / ln sigmoid(bias): the time steps over which a carry falls by e; about 1/2 + e^bias of a large bias.

    Over about 1 + e^bias steps, say Tallec & Ollivier (2018).
    """
    return -1 / log_expit(np.asarray(bias, dtype=np.float64))


def chrono_carry(t_max: float, lag: ArrayLike) -> Array:
    """The mean over units of f^k, k = `lag`, at the start of a network with `init=chrono`.

    A unit's forget bias is log u, u ~ U(1, t_max - 1) (Tallec & Ollivier 2018, eq. 16), so that f = u / (1 + u): the
    mean of (u / (1 + u))^k over u. Of the root mean square, as a Frobenius norm over units has it, it is
    sqrt(chrono_carry(t_max, 2 k)).

    Raises:
        ValueError: t_max is not above 2, or a lag below 0.
    """
    above("t_max", t_max, 2)
    log_u = np.log(t_max - 1) * (1 + POINTS) / 2  # the integral over log u, in which the integrand is smooth
    parts = PARTS * np.log(t_max - 1) / 2 * np.exp(log_u)
    k = at_least("lag", lag, 0)[..., None]
    return (np.exp(k * log_expit(log_u)) * parts).sum(-1) / (t_max - 2)


def log10_chrono_carry(t_max: float, lag: ArrayLike) -> Array:
    """log10 of the typical carry over k = `lag` steps at the start of a network with `init=chrono`, k E[log10 f].

    f = u / (1 + u) with u ~ U(1, m), m = t_max - 1, as in `chrono_carry`:
    E[ln f] = (m ln m - (1 + m) ln(1 + m) + 2 ln 2) / (m - 1).

    Raises:
        ValueError: t_max is not above 2, or a lag below 0.
    """
    m = above("t_max", t_max, 2) - 1
    mean = (m * np.log(m) - (1 + m) * np.log1p(m) + 2 * np.log(2)) / (m - 1)
    return at_least("lag", lag, 0) * mean / np.log(10)


def chrono_limit(ratio: ArrayLike) -> Array:
    """The limit of `chrono_carry(t_max, lag)` for long sequences, ratio = t_max / lag: e^-x - x E1(x), x = 1 / ratio.

    .1485 over the whole of t_max; .2478 over two thirds of it, as where t_max = 1.5 T.

    Raises:
        ValueError: a ratio that is not above 0.
    """
    x = 1 / above("ratio", ratio, 0)
    return np.exp(-x) - x * exp1(x)
