"""Wide random networks, simulated with NumPy alone, and what their gradients do."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Array = np.ndarray

PHI: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    "relu": (lambda a: a * (a > 0), lambda a: 1.0 * (a > 0)),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2),
}
"""phi and phi', written apart from those of the package."""


def matrix(rng: np.random.Generator, n: int, kind: str) -> Array:
    """W [n, n] of gain 1: Gaussian with variance 1 / n, or uniformly random orthogonal."""
    drawn = rng.normal(size=(n, n))
    if kind == "gaussian":
        return drawn / math.sqrt(n)
    q, r = np.linalg.qr(drawn)
    return q * np.sign(np.diag(r))


def matrices(kind: str, count: int, n: int) -> list[Array]:
    return [matrix(np.random.default_rng(seed), n, kind) for seed in range(count)]


def slopes(phi: str, w: Array, drive: float, steps: int, seed: int, burn: int = 30) -> Array:
    """phi' along a run of h_t = phi(h_{t-1} W + noise of variance `drive`), of its last `steps`: [steps, n]."""
    rng, (value, slope), h = np.random.default_rng(seed), PHI[phi], np.zeros(len(w))
    kept = []
    for _ in range(steps + burn):
        a = h @ w + math.sqrt(drive) * rng.normal(size=len(w))
        h = value(a)
        kept.append(slope(a))
    return np.array(kept[burn:])


def growth(phi: str, weights: list[Array], drive: float, steps: int = 20) -> Array:
    """ln of the factor of the squared norm per time step of vectors that go back through each network, [networks]."""
    found = []
    for seed, w in enumerate(weights):
        v = np.random.default_rng(1000 + seed).normal(size=(16, len(w)))
        start = (v**2).sum()
        for slope in slopes(phi, w, drive, steps, seed)[::-1]:
            v = (v * slope) @ w.T
        found.append(math.log((v**2).sum() / start) / steps)
    return np.array(found)
