"""The gradient through time, ||dL/dh_t|| for every t, read off the adjoint while it travels back.

In float32 the adjoint of a long sequence leaves the range of the format: 0 below 1e-38, inf above 1e38. While a trace
is taken the recurrence runs on `dh * 2**-e` instead, with one integer `e` per lane. Scaling by a power of two is exact,
so neither the norms nor the weight gradients see a rounding; the record is log10 of the true norm.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

LARGEST = 2.0**24
"""A lane is rescaled when its adjoint's norm leaves [1/LARGEST, LARGEST]: one step cannot leave float32 from there."""
PRECISE = 2.0**-50
"""Below this, and above its inverse, squares come near the ends of float32; such a norm is taken in float64."""
LOG10_2 = math.log10(2.0)


def _norms(x: Tensor) -> list[float]:
    """Frobenius norm of each lane of `[K, B, H]`; lane by lane, as a neighbour must not move a last bit of it."""
    norms: list[float] = torch.linalg.vector_norm(x, dim=(1, 2)).tolist()
    if all(PRECISE <= norm <= 1 / PRECISE for norm in norms):
        return norms
    exact = torch.linalg.vector_norm(x, dim=(1, 2), dtype=torch.float64).tolist()
    return [a if PRECISE <= a <= 1 / PRECISE else b for a, b in zip(norms, exact, strict=True)]


class Trace:
    """Collects log10 ||dL/dh_t|| (Frobenius norm over batch and hidden units, L the mean loss) for K lanes, T steps.

    `norms` and `exponents` are float64 and int64, `[K, T]`: the norm at (k, t) is norms * 2**exponents. A recurrence
    calls `visit` and `restore`, or is a kernel that does both itself and writes the two arrays.
    """

    def __init__(self, k: int, t: int) -> None:
        self.norms = np.empty((k, t))
        self.exponents = np.zeros((k, t), dtype=np.int64)
        self._exponent = np.zeros(k, dtype=np.int64)

    def visit(self, t: int, dh: Tensor, *carried: Tensor) -> None:
        """Record `dh = dL/dh_t`, `[K, B, H]`, and bring it and what is carried with it back into range if it left it.

        Args:
            t: the time step, counted down by the caller.
            dh: the complete adjoint of h_t; may be rescaled in place.
            carried: other adjoints `[K, B, H]` that travel back with it (dL/dc_t of an LSTM); rescaled alike.
        """
        norms = _norms(dh)
        self.norms[:, t] = norms
        self.exponents[:, t] = self._exponent
        sizes = norms
        for other in carried:
            sizes = [max(pair) for pair in zip(sizes, _norms(other), strict=True)]
        if not all(1 / LARGEST <= size <= LARGEST for size in sizes):
            self._rescale(t, sizes, dh, *carried)

    def _rescale(self, t: int, sizes: list[float], *adjoints: Tensor) -> None:
        """Bring the lanes that are out of range, and no others, to a norm between 1/2 and 1."""
        out = [0 < size < 1 / LARGEST or LARGEST < size < math.inf for size in sizes]
        if not any(out):
            return
        shift = np.array([math.frexp(size)[1] if is_out else 0 for size, is_out in zip(sizes, out, strict=True)])
        for adjoint in adjoints:
            _shift(adjoint, -shift)
        self._exponent = self._exponent + shift
        self.norms[:, t] = np.ldexp(self.norms[:, t], -shift)
        self.exponents[:, t] = self._exponent

    def restore(self, *deltas: Tensor) -> None:
        """Give the deltas `[K, T, B, N]` that were computed from scaled adjoints their true scale, in place.

        What lies outside float32's range becomes 0 or inf here, as in any float32 backward pass.
        """
        if self.exponents.any():
            for delta in deltas:
                _shift(delta, self.exponents)

    def restore_at(self, t: int, *gradients: Tensor) -> None:
        """The same for gradients `[K, ...]` that step t alone contributed."""
        for gradient in gradients:
            _shift(gradient, self.exponents[:, t])

    def log10_norm(self) -> np.ndarray:
        """log10 ||dL/dh_t||, float64 `[K, T]`; -inf where the adjoint is exactly zero."""
        with np.errstate(divide="ignore"):
            return np.log10(self.norms) + self.exponents * LOG10_2


def _shift(x: Tensor, exponent: np.ndarray) -> None:
    """`x *= 2**exponent` in place, exactly; exponent has the leading axes of x. 2**200 is no float32: repeat."""
    while exponent.any():
        part = exponent.clip(-126, 127)
        factor = torch.from_numpy(np.ldexp(np.float32(1), part)).to(x.device)
        x.mul_(factor.reshape(factor.shape + (1,) * (x.dim() - factor.dim())))
        exponent = (exponent - part).clip(-252, 254)  # beyond that the result is 0 or inf already
