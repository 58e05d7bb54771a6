"""The adding problem (Hochreiter & Schmidhuber 1997), in the form of Arjovsky et al. 2016, one marker in each half:

    value   0.31 0.84 0.07 0.55 | 0.62 0.19 0.93 0.48       target 0.84 + 0.93
    marker   0    1    0    0   |  0    0    1    0

The best constant answer is 1; its mean squared error is Var(U1 + U2) = 1/6 exactly (0.1767, often printed, is a slip).
"""

from __future__ import annotations

import numpy as np

from sweeps.tasks.base import Batch, at_least, register


class Adding:
    """Two inputs, value ~ U[0, 1] and marker; one output; score = explained variance."""

    inputs = 2
    outputs = 1
    loss = "mse"
    score = "explained variance"
    chance_loss = 1 / 6

    def __init__(self, length: int, solved_at: float) -> None:
        self.length = at_least(length, 2, "one marker in each half")
        self.solved_at = solved_at

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        half, every = self.length // 2, np.arange(batch)
        x = np.zeros((self.length, batch, 2), dtype=np.float32)
        x[..., 0] = rng.random((self.length, batch), dtype=np.float32)
        first, second = rng.integers(0, half, batch), rng.integers(half, self.length, batch)
        x[first, every, 1] = 1
        x[second, every, 1] = 1
        return Batch(x, (x[first, every, 0] + x[second, every, 0])[:, None])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("adding", Adding)
