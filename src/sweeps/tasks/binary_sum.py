"""Binary sum: read T bits, then name the sum of them modulo 10. Every bit counts, the first as much as the last.

bits 1 0 1 1 0 1 1 1 1 1 1 1 1  ->  11 mod 10 = class 1
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks.base import Batch, at_least, register


class BinarySum:
    """One input x [T, B, 1], +1 for bit 1 and -1 for bit 0 (constant power); ten classes, targets [B].

    The sum of T fair bits is not uniform modulo 10: `chance_loss` is the entropy of its exact distribution, in nats,
    which tends to ln 10 as T grows.
    """

    inputs = 1
    outputs = 10
    loss = "cross_entropy"
    score = "accuracy"

    def __init__(self, length: int, solved_at: float) -> None:
        self.length = at_least(length, 1, "one bit")
        self.solved_at = solved_at
        self.chance_loss = entropy(range(length, length + 1))

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        bits = rng.integers(0, 2, (self.length, batch))
        return Batch((2 * bits - 1)[..., None].astype(np.float32), bits.sum(0) % 10)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


def entropy(lengths: range) -> float:
    """Entropy, in nats, of the sum of n fair bits modulo 10, n equally likely each of `lengths` (consecutive)."""
    of_n, classes = np.eye(10)[0], np.zeros(10)  # of no bits the sum is 0
    for n in range(lengths.stop):
        classes += of_n * (n in lengths)
        of_n = (of_n + np.roll(of_n, 1)) / 2
    return float(-sum(p * math.log(p) for p in classes / len(lengths) if p > 0))


register("binary_sum", BinarySum)
