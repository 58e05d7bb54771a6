"""Products of many matrices, and their singular values, far beyond the range and the precision of float64.

A product is kept as Q D R: Q [B, N, M] has orthonormal columns, D is diagonal and R [B, M, M] is well conditioned. D is
held as its logarithm to base 2, so that it neither overflows nor underflows, and large and small singular values are
never added (Loh et al. 2005; the UDT decomposition of quantum Monte Carlo). What is left, D R, has rows of very
different size; a one-sided Jacobi iteration finds its singular values to high relative accuracy, the small ones too
(Demmel & Veselic 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SWEEPS = 40
"""Sweeps over all pairs of rows after which the iteration ends in any case; some eight are enough."""
FAR = 200.0
"""Difference of two exponents beyond which the smaller row cannot move the larger: 2^-200."""
NOTHING = -1e9
"""The logarithm of exactly 0, as far as it is computed with; `-inf` minus itself is not a number."""


@dataclass(frozen=True)
class Graded:
    """B products Q D R, D = 2^`exponents`.

    Attributes:
        q: `[B, N, M]`; exponents: `[B, M]`; r: `[B, M, M]`.
    """

    q: Floats
    exponents: Floats
    r: Floats

    @classmethod
    def identity(cls, batch: int, rows: int, columns: int) -> Graded:
        """The first columns of identity matrices `[rows, columns]`."""
        q = np.broadcast_to(np.eye(rows, columns), (batch, rows, columns)).copy()
        r = np.broadcast_to(np.eye(columns), (batch, columns, columns)).copy()
        return cls(q, np.zeros((batch, columns)), r)

    @classmethod
    def beside(cls, products: Sequence[Graded]) -> Graded:
        """Products of the same sizes as one batch."""
        parts = ("q", "exponents", "r")
        return cls(*(np.concatenate([getattr(each, part) for each in products]) for part in parts))

    def times(self, a: Floats) -> Graded:
        """A Q D R, for A `[B, N', N]`.

        The columns of A Q are sorted by their size with D before they are made orthogonal, which is what keeps R well
        conditioned.
        """
        product = a @ self.q
        with np.errstate(divide="ignore"):
            size = np.log2(np.linalg.norm(product, axis=1)) + self.exponents
        order = np.argsort(-np.maximum(size, NOTHING), axis=1, kind="stable")
        product = np.take_along_axis(product, order[:, None, :], axis=2)
        exponents = np.take_along_axis(self.exponents, order, axis=1)
        r = np.take_along_axis(self.r, order[:, :, None], axis=1)
        q, upper = np.linalg.qr(product)
        diagonal = np.abs(np.diagonal(upper, axis1=1, axis2=2))
        lengths = np.linalg.norm(upper, axis=1)
        gone = diagonal <= upper.shape[-1] * np.finfo(float).eps * lengths  # nothing but rounding is left of it
        with np.errstate(divide="ignore"):
            new = np.where(gone, NOTHING, np.log2(diagonal) + exponents)
        new = np.maximum(new, NOTHING)
        ahead = np.clip(exponents[:, None, :] - exponents[:, :, None], -1000.0, 1000.0)
        pivot = np.where(gone, 1.0, diagonal)
        scaled = upper / pivot[:, :, None] * np.exp2(ahead)
        scaled = np.where(gone[:, :, None], np.eye(upper.shape[-1]), scaled)
        return Graded(q, new, scaled @ r)

    def rows(self, count: int) -> Graded:
        """The first rows of the products, at least as many as they have columns."""
        q = np.broadcast_to(np.eye(self.r.shape[-1]), self.r.shape)
        return Graded(q, self.exponents, self.r).times(self.q[:, :count])

    def log2_singular_values(self) -> Floats:
        """log2 of the singular values `[B, M]`, the largest first; -inf for 0."""
        return _jacobi(self.r, self.exponents)


def _jacobi(rows: Floats, exponents: Floats) -> Floats:
    """log2 of the singular values of matrices whose row i is 2^exponents[i] rows[i], by rotations of pairs of rows.

    Args:
        rows: `[B, M, M]`; exponents: `[B, M]`.
    """
    order = np.argsort(-exponents, axis=1, kind="stable")
    v = np.take_along_axis(rows, order[:, :, None], axis=1)
    e = np.take_along_axis(exponents, order, axis=1)
    size = v.shape[1]
    for _ in range(SWEEPS):
        v, e = _normalised(v, e)
        largest = 0.0
        for first, second in _rounds(size):
            largest = max(largest, _rotate(v, e, first, second))
        if largest <= 4 * np.finfo(float).eps:
            break
    _, e = _normalised(v, e)
    found: Floats = -np.sort(-e, axis=1)
    return np.where(found <= NOTHING / 2, -np.inf, found)


def _normalised(v: Floats, e: Floats) -> tuple[Floats, Floats]:
    """Rows of length 1 and the exponents that make them the same rows."""
    length = np.linalg.norm(v, axis=2)
    known = (length > 0) & (e > NOTHING / 2)
    v = v / np.where(known, length, 1.0)[:, :, None] * known[:, :, None]
    return v, np.where(known, e + np.log2(np.where(known, length, 1.0)), NOTHING)


def _rotate(v: Floats, e: Floats, first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
    """Make disjoint pairs of rows orthogonal, in place; the largest cosine that there was."""
    a, b = v[:, first], v[:, second]
    alpha, beta, gamma = (a * a).sum(2), (b * b).sum(2), (a * b).sum(2)
    lengths = np.sqrt(alpha * beta)
    cosine = np.abs(gamma) / np.where(lengths > 0, lengths, 1.0)
    turn = (cosine > np.finfo(float).eps) & (lengths > 0)
    ahead = e[:, second] - e[:, first]
    near = np.clip(ahead, -FAR, FAR)
    g = np.where(turn, gamma, 1.0)
    zeta = (beta * np.exp2(near) - alpha * np.exp2(-near)) / (2 * g)
    t = np.where(zeta >= 0, 1.0, -1.0) / (np.abs(zeta) + np.hypot(1.0, zeta))
    c = 1 / np.hypot(1.0, t)
    of_second, of_first = c * t * np.exp2(near), c * t * np.exp2(-near)  # what each takes of the other
    below, above = ahead < -FAR, ahead > FAR  # one is beyond all proportion: the small one gives up its part along it
    c = np.where(below | above, 1.0, c)
    of_second = np.where(below, 0.0, np.where(above, gamma / np.where(beta > 0, beta, 1.0), of_second))
    of_first = np.where(above, 0.0, np.where(below, -gamma / np.where(alpha > 0, alpha, 1.0), of_first))
    c, of_first, of_second = (
        np.where(turn, value, still)[:, :, None] for value, still in ((c, 1.0), (of_first, 0.0), (of_second, 0.0))
    )
    v[:, first], v[:, second] = c * a - of_second * b, of_first * a + c * b
    return float(np.max(np.where(turn, cosine, 0.0), initial=0.0))


def _rounds(size: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """All pairs of rows, in rounds of disjoint ones, the lower row first: a round-robin tournament."""
    players = list(range(size + size % 2))
    rounds = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        pairs = [(min(a, b), max(a, b)) for a, b in zip(players[:half], players[: half - 1 : -1], strict=True)]
        pairs = [pair for pair in pairs if pair[1] < size]
        rounds.append((np.array([a for a, _ in pairs], np.intp), np.array([b for _, b in pairs], np.intp)))
        players = [players[0], players[-1], *players[1:-1]]
    return rounds
