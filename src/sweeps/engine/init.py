"""Initialisations of a recurrent matrix: functions `(rng, n, gain, **options) -> float64 [n, n]`.

To add one, write it here and name it in `INITS`; one that has a parameter `place` is told where its matrix stands. An
LSTM or GRU draws each of its gate blocks independently. Matrices multiply from the right (`h @ W`), so that column j
holds what comes into unit j; W and its transpose have the same distribution in all of these but `sparse`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sweeps.theory.mean_field import critical_gain


@dataclass(frozen=True)
class Place:
    """Where a recurrent matrix stands.

    Attributes:
        block: name of its gate block; empty for the only one.
        phi: `tanh` or `relu` in h_t = phi(h_{t-1} W + x_t U + b); empty for a recurrence of another form.
        drive: variance of what the inputs add to a unit, x_t U, over units, sequences and time steps.
    """

    block: str = ""
    phi: str = ""
    drive: float = 0.0


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


def diagonal(
    rng: np.random.Generator,
    n: int,
    gain: float,
    place: Place,
    low: float = 0.0,
    high: float = 1.0,
    blocks: str = "all",
) -> np.ndarray:
    """W = gain * diag(d), [n, n], d_i uniform in [low, high]: every unit recurs to itself alone, at a rate of its own.

    Of a gated network `blocks` names the gate blocks that are drawn so, joined by +: `g` is the LSTM's candidate, `n`
    the GRU's, `g+n` both, `all` every block. Other blocks are gain times a uniformly random orthogonal matrix.
    """
    if blocks != "all" and place.block not in blocks.split("+"):
        return orthogonal(rng, n, gain)
    return gain * np.diag(rng.uniform(low, high, n))


def sparse(rng: np.random.Generator, n: int, gain: float, incoming: int = 15) -> np.ndarray:
    """W [n, n] with `incoming` Gaussian elements in each column, at random places, scaled to the spectral radius gain.

    Martens (2010) and Sutskever et al. (2013) draw 15 incoming connections of each unit; with a gain of 0.95 this is
    the "smart tanh" of Pascanu et al. (2013). Fewer than 15 units have all connections.
    """
    w, most = np.zeros((n, n)), min(incoming, n)
    for unit in range(n):
        w[rng.choice(n, most, replace=False), unit] = rng.normal(size=most)
    return gain / abs(np.linalg.eigvals(w)).max() * w


def rotations(
    rng: np.random.Generator,
    n: int,
    gain: float,
    angle_low: float = -1.0,
    angle_high: float = 1.0,
    distribution: str = "uniform",
) -> np.ndarray:
    """W [n, n] = gain times rotations of pairs of units by angles theta: eigenvalues gain exp(+-i theta).

    Angles are in units of pi. With a from U(angle_low, angle_high), theta is a for `uniform`, -tan(a / 2) for `cayley`:
    uniform on [-1, 1] is the initialisation of Henaff et al. (2016), on [0, 0.5] that of scoRNN (Helfrich et al. 2018),
    cayley on [0, 0.5] that of expRNN (Lezcano-Casado & Martinez-Rubio 2019). Of an odd n the last unit keeps its state.
    """
    drawn = math.pi * rng.uniform(angle_low, angle_high, n // 2)
    theta = drawn if distribution == "uniform" else -np.tan(drawn / 2)
    w, even = np.eye(n), 2 * np.arange(n // 2)
    w[even, even] = w[even + 1, even + 1] = np.cos(theta)
    w[even, even + 1] = np.sin(theta)
    w[even + 1, even] = -np.sin(theta)
    return gain * w


def critical(
    rng: np.random.Generator, n: int, gain: float, place: Place, matrix: str = "orthogonal", drive: float = 1.0
) -> np.ndarray:
    """W [n, n] at the edge of chaos of mean-field theory: a gradient neither grows nor shrinks through time on average.

    The factor of its squared norm per time step is chi = sigma^2 E[phi'(z)^2], z ~ N(0, q), where the variance of the
    pre-activations is q = sigma^2 E[phi(z)^2] + s (Poole et al. 2016, Schoenholz et al. 2017; recurrent networks: Chen
    et al. 2018). W is sigma Q with Q uniformly random orthogonal (`matrix=orthogonal`) or Gaussian with variance
    sigma^2 / n (`matrix=random`), with the sigma of chi = 1 times gain. s is `drive` times the variance of x_t U that
    the task's inputs give; drive 0 is a network without inputs, sigma = 1 for tanh. For relu sigma is sqrt(2) for any
    s. The theory is of wide networks whose inputs have the same power at all time steps, and of the start of training.
    """
    return _matrix(matrix, rng, n, gain * critical_gain(place.phi, drive * place.drive))


def chrono(rng: np.random.Generator, n: int, gain: float, matrix: str = "orthogonal", t_max: int = 0) -> np.ndarray:
    """Gate biases from the time scales of the task (Tallec & Ollivier 2018, eq. 16); W as `matrix` says.

    Each unit gets a time scale u ~ U(1, t_max - 1) and the bias log u in the gate that keeps its state (LSTM: f, GRU:
    z), -log u in the gate that lets its input in (LSTM: i): it forgets over about 1 + u steps. t_max 0 is the number of
    time steps T of the task. `arch.forget_bias` and the like are replaced. W [n, n] is gain times a uniformly random
    orthogonal matrix, or Gaussian with variance gain^2 / n (`matrix=random`).
    """
    del t_max  # of the biases, `time_scale_biases`
    return _matrix(matrix, rng, n, gain)


def own(rng: np.random.Generator, n: int, gain: float) -> np.ndarray:
    """What the architecture itself draws: of those that have no recurrent matrix for an initialisation to draw.

    Such an architecture has this one whatever is asked for, and any other has `orthogonal` in its place: one cell.
    """
    raise ValueError("init=own draws nothing")


INITS: dict[str, Callable[..., np.ndarray]] = {
    "random": random,
    "xavier": xavier,
    "he": he,
    "orthogonal": orthogonal,
    "identity": identity,
    "diagonal": diagonal,
    "sparse": sparse,
    "rotations": rotations,
    "critical": critical,
    "chrono": chrono,
    "own": own,
}


def _matrix(name: str, rng: np.random.Generator, n: int, gain: float) -> np.ndarray:
    return orthogonal(rng, n, gain) if name == "orthogonal" else random(rng, n, gain, fan_in=True)


def time_scale_biases(rng: np.random.Generator, n: int, t_max: int) -> np.ndarray:
    """log u [n] for time scales u ~ U(1, t_max - 1), of `chrono`; 0 for t_max up to 2."""
    return np.log(rng.uniform(1, max(t_max - 1, 1), n))


def glorot(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Input weights of one gate, or readout weights: uniform, variance 2 / (fan in + fan out)."""
    bound = math.sqrt(6 / (rows + columns))
    return rng.uniform(-bound, bound, (rows, columns))
