"""Parity of random bits, at every time step: of two bits some steps ago (delayed XOR), or of all bits so far.

    y_t = b_{t-d} XOR b_{t-2d} from t = 2d on      delay d of at least 1 (Engelken 2023)
    y_t = b_0 XOR b_1 XOR ... XOR b_t              delay 0, plain parity

Answers before step 2d count nothing. Each bit that is asked for is fair whatever else is known: chance is ln 2, and
half of the answers are right.
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks.base import Batch, at_least, register


class Parity:
    """One input, +1 for bit 1 and -1 for bit 0; two classes; score = accuracy over the answers that count.

    Args:
        delay: d, from 0 on.
    """

    inputs = 1
    outputs = 2
    loss = "cross_entropy"
    score = "accuracy"
    answers = "every"
    chance_loss, chance_score = math.log(2), 0.5

    def __init__(self, length: int, solved_at: float, delay: int = 10) -> None:
        self.delay = at_least(delay, 0, "0 is the parity of all bits so far", "delay")
        self.length = at_least(length, 2 * delay + 1, "one answer, at step 2 delay")
        self.solved_at = solved_at

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        bits, d = rng.integers(0, 2, (self.length, batch)), self.delay
        x = (2 * bits - 1)[..., None].astype(np.float32)
        if d == 0:
            return Batch(x, bits.cumsum(0) % 2)
        targets, weights = np.zeros_like(bits), np.zeros(bits.shape, dtype=np.float32)
        targets[2 * d :] = bits[d:-d] ^ bits[: -2 * d]
        weights[2 * d :] = 1
        return Batch(x, targets, weights)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("parity", Parity)
