"""The power law of relu networks that start at the identity: networks are run, and their Jacobians read off."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sweeps.theory import identity_relu

UNITS, T = 200_000, 100


def alive(increments: np.ndarray) -> np.ndarray:
    """h_t = relu(h_{t-1} + x_t) from 0: the time steps since each unit was last put back, at every t: [T, units]."""
    h, since = np.zeros(increments.shape[1]), np.zeros(increments.shape[1], dtype=int)
    kept = []
    for x in increments:
        h = np.maximum(h + x, 0)
        since = np.where(h > 0, since + 1, 0)
        kept.append(since)
    return np.array(kept)


@pytest.fixture(scope="module")
def lives() -> np.ndarray:
    return alive(np.random.default_rng(0).random((T, UNITS), dtype=np.float32) - np.float32(0.5))


def test_the_share_that_stays_positive_is_a_power_law(lives: np.ndarray) -> None:
    """Within 4 standard errors of C(2n, n) / 4^n, log-log slope -0.5 +- 0.05."""
    steps = np.array([1, 2, 5, 10, 20, 50, 100])
    share = np.array([(lives[n - 1] == n).mean() for n in steps])
    theory = identity_relu.survival(steps)
    assert theory == pytest.approx([math.comb(2 * n, n) / 4**n for n in map(int, steps)], rel=1e-12)
    assert (abs(share - theory) < 4 * np.sqrt(theory * (1 - theory) / UNITS)).all()
    assert np.polyfit(np.log(steps[3:]), np.log(share[3:]), 1)[0] == pytest.approx(-0.5, abs=0.05)


def test_the_gradient_within_a_sequence_is_the_arcsine_law(lives: np.ndarray) -> None:
    share = np.array([(lives[-1] >= k).mean() for k in range(T + 1)])
    theory = identity_relu.gradient_square(T)
    assert theory[0] == pytest.approx(1) and theory[T] == pytest.approx(identity_relu.survival(T))
    assert (abs(share - theory) <= 4 * np.sqrt(theory * (1 - theory) / UNITS) + 1e-12).all()
    long = identity_relu.gradient_square(20_000)
    assert long[10_000] == pytest.approx(1 - 2 / math.pi * math.asin(math.sqrt(0.5)), abs=1e-3)


def test_it_does_not_depend_on_the_distribution() -> None:
    """Steps with heavy tails, Cauchy's, which have no variance."""
    lives = alive(np.random.default_rng(1).standard_cauchy((20, 50_000)))
    share, theory = (lives[-1] == 20).mean(), identity_relu.survival(20)
    assert abs(share - theory) < 4 * math.sqrt(theory * (1 - theory) / 50_000)


@pytest.mark.slow
def test_the_power_law_of_a_long_sequence() -> None:
    rng, still, h = np.random.default_rng(2), np.ones(UNITS, dtype=bool), np.zeros(UNITS)
    shares = []
    for _ in range(400):
        h += rng.normal(size=UNITS)
        still &= h > 0
        shares.append(still.mean())
    theory = identity_relu.survival(np.arange(1, 401))
    assert (abs(shares - theory) < 4 * np.sqrt(theory * (1 - theory) / UNITS)).all()
    assert np.polyfit(np.log(np.arange(10, 401)), np.log(shares[9:]), 1)[0] == pytest.approx(-0.5, abs=0.05)


def test_a_sequence_of_less_than_no_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="steps: given -1, must be at least 0"):
        identity_relu.survival([3, -1])
