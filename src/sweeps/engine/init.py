"""Initialisations of a recurrent matrix: functions `(rng, n, gain, **options) -> float64 [n, n]`.

To add one, write it here and name it in `INITS`. An LSTM or GRU draws each of its gate blocks independently. Matrices
multiply from the right (`h @ W`); W and its transpose have the same distribution in all of these.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def random(rng: np.random.Generator, n: int, gain: float, std: float = 0.01, fan_in: bool = False) -> np.ndarray:
    """W [n, n] ~ N(0, s^2), s = gain * std (0.01 is the classic recipe), or gain / sqrt(n) with `fan_in`.

    A large matrix has a spectral radius of about s sqrt(n) (Girko's circular law).
    """
    return rng.normal(0.0, gain * (1 / math.sqrt(n) if fan_in else std), (n, n))


def xavier(rng: np.random.Generator, n: int, gain: float) -> np.ndarray:
    """W [n, n] uniform, variance gain^2 * 2 / (fan in + fan out) = gain^2 / n (Glorot & Bengio 2010, eq. 16)."""
    bound = gain * math.sqrt(6 / (n + n))
    return rng.uniform(-bound, bound, (n, n))


def he(rng: np.random.Generator, n: int, gain: float) -> np.ndarray:
    """W [n, n] Gaussian, variance gain^2 * 2 / n, which keeps the scale through relu (He et al. 2015, eq. 10)."""
    return rng.normal(0.0, gain * math.sqrt(2 / n), (n, n))


def orthogonal(rng: np.random.Generator, n: int, gain: float) -> np.ndarray:
    """W = gain * Q, Q [n, n] uniform over the orthogonal group (Saxe et al. 2014).

    By QR of a Gaussian matrix with fixed signs (Mezzadri 2007).
    """
    q, r = np.linalg.qr(rng.normal(size=(n, n)))
    return gain * q * np.sign(np.diag(r))


def identity(rng: np.random.Generator, n: int, gain: float) -> np.ndarray:
    """W = gain * I, [n, n] (Le et al. 2015). Uses no random numbers."""
    del rng
    return gain * np.eye(n)


INITS: dict[str, Callable[..., np.ndarray]] = {
    "random": random,
    "xavier": xavier,
    "he": he,
    "orthogonal": orthogonal,
    "identity": identity,
}


def glorot(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Input weights of one gate, or readout weights: uniform, variance 2 / (fan in + fan out)."""
    bound = math.sqrt(6 / (rows + columns))
    return rng.uniform(-bound, bound, (rows, columns))
