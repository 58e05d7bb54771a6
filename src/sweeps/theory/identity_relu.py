"""The relu network that starts at the identity, h_t = relu(h_{t-1} + x_t U) from h = 0 (IRNN, Le et al. 2015).

dh_T/dh_{T-k} is diagonal, with 1 for units that stay positive over the last k steps and 0 for the others: each unit is
a random walk that is put back to 0 where it would become negative. If its steps x_t U are independent, continuous and
symmetric, then how often it stays positive does not depend on their distribution (Sparre Andersen 1954; Feller 1971,
vol. 2, ch. XII), and the gradient falls with a power of the length, not exponentially.

Real inputs part from it where their mean is not 0: a unit then drifts one way, and either keeps its gradient or dies.
With W = c I the squared norm has a factor c^2 more per step, and the walk is another one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from sweeps.theory.checked import Array, at_least


def survival(steps: ArrayLike) -> Array:
    """P(a walk from 0 stays positive for n steps) = C(2n, n) / 4^n, about 1 / sqrt(pi n).

    It is E ||dh_T/dh_0||_F^2 / H over all T = n steps of a sequence, from the start state h_0 = 0.

    Args:
        steps: n, at least 0, of any shape.

    Raises:
        ValueError: an n below 0.
    """
    n = at_least("steps", steps, 0)
    return np.exp(gammaln(n + 0.5) - gammaln(n + 1)) / np.sqrt(np.pi)


def gradient_square(length: int) -> Array:
    """E ||dh_T/dh_{T-k}||_F^2 / H for k = 0 to T in a sequence of T = `length` steps, [T + 1].

    It is the chance that a walk was put back for the last time at step T - k or before. With u_n = C(2n, n) / 4^n, the
    chance of being put back at step n (of step 0, where all begin, 1), this is sum_{n=0}^{T-k} u_n u_{T-n}: the arcsine
    law, for long sequences 1 - 2/pi arcsin(sqrt(k / T)). At k = T it is `survival(T)`. For a loss of the last state
    whose gradient does not depend on the walks, its square root is ||dL/dh_{T-k}|| / ||dL/dh_T||.

    Raises:
        ValueError: a length below 0.
    """
    at_least("length", length, 0)
    u = survival(np.arange(length + 1))
    return np.cumsum(u * u[::-1])[::-1]
