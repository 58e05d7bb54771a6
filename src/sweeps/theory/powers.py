"""Norms of powers of a recurrent matrix, W^k, what lies above and below them, and Pascanu's bound on gradients.

    rho(W)^k <= ||W^k|| <= sigma_max(W)^k

rho is the largest modulus of an eigenvalue, sigma_max the largest singular value, ||.|| the spectral norm. Of a normal
matrix (symmetric, orthogonal) the three are one. Otherwise ||W^k|| may first grow, even with rho < 1, and goes with
rho^k in the end. All are of W and its transpose alike, and all are given as log10, far outside float64's range too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma

from sweeps.theory.activations import activation
from sweeps.theory.checked import Array, at_least, square


def log10_radius_envelope(w: ArrayLike, lag: ArrayLike) -> Array:
    """k log10 rho(W), in the shape of `lag`, k: below every ||W^k||; -inf where W has no eigenvalue but 0 and k > 0.

    Args:
        w: W [H, H].
        lag: k, at least 0.

    Raises:
        ValueError: w is not a finite square matrix, or a lag is below 0.
    """
    return _power(float(np.abs(np.linalg.eigvals(square("w", w))).max()), lag)


def log10_singular_envelope(w: ArrayLike, lag: ArrayLike) -> Array:
    """k log10 sigma_max(W), in the shape of `lag`, k: above every ||W^k||. Arguments and errors as of the other one."""
    return _power(float(np.linalg.norm(square("w", w), 2)), lag)


def log10_power_norms(w: ArrayLike, steps: int) -> Array:
    """log10 ||W^k|| for k = 0 to `steps`, [steps + 1]; -inf where a power is 0.

    Each power is divided by its norm before the next product, so that none leaves float64's range.

    Raises:
        ValueError: w is not a finite square matrix, or `steps` is below 0.
    """
    w = square("w", w)
    at_least("steps", steps, 0)
    logs, power = np.full(steps + 1, -np.inf), np.eye(len(w))
    logs[0] = 0.0
    for k in range(1, steps + 1):
        power = power @ w
        norm = np.linalg.norm(power, 2)
        if norm == 0:
            break
        logs[k] = logs[k - 1] + np.log10(norm)
        power = power / norm
    return logs


def log10_pascanu_bound(w: ArrayLike, phi: str, lag: ArrayLike) -> Array:
    """log10 of (gamma sigma_max(W))^k: ||dL/dh_{T-1-k}|| / ||dL/dh_{T-1}|| cannot exceed it, of a loss at the end.

    For h_t = phi(h_{t-1} W + x_t U + b), whose Jacobian is diag(phi') W^T with |phi'| <= gamma: 1 of `tanh` and `relu`,
    1/4 of `sigmoid` (Pascanu et al. 2013, sec. 2.1). sigma_max < 1 / gamma is sufficient for gradients to vanish,
    sigma_max > 1 / gamma necessary for them to explode. It needs the singular value: with the spectral radius in its
    place, as one version of the paper has it, it does not hold for a W that is not normal.

    Raises:
        ValueError: another phi; w is not a finite square matrix; a lag is below 0.
    """
    return _power(activation(phi).largest_slope * float(np.linalg.norm(square("w", w), 2)), lag)


def gaussian_exponents(n: int, gain: float = 1.0) -> Array:
    """Growth rates of the singular values of a long product of independent Gaussian matrices, largest first, [n].

    lambda_i = ln gain + (ln(2 / n) + psi((n - i + 1) / 2)) / 2 per factor, i = 1 .. n, for n x n matrices with elements
    of variance gain^2 / n (Newman 1986); psi is the digamma function. Orthogonal factors have ln gain for all i. The
    powers of one matrix go with its eigenvalues instead.

    Raises:
        ValueError: n below 1, or a gain below 0.
    """
    at_least("n", n, 1)
    with np.errstate(divide="ignore"):
        return np.log(at_least("gain", gain, 0)) + (np.log(2 / n) + digamma(np.arange(n, 0, -1) / 2)) / 2


def _power(factor: float, lag: ArrayLike) -> Array:
    """k log10(factor), 0 at k = 0 whatever the factor."""
    k = at_least("lag", lag, 0)
    if factor == 0:
        return np.where(k > 0, -np.inf, 0.0)
    return k * np.log10(factor)
