"""Binary sum over sequences of different lengths, padded to T: name the sum of a sequence's own bits modulo 10.

The length of each is uniform from `shortest` to T; what lies behind its end is 0, and the answer is read where it ends.
"""

from __future__ import annotations

import numpy as np

from sweeps.tasks.base import Batch, at_least, register
from sweeps.tasks.binary_sum import entropy


class BinarySumVariable:
    """x [T, B, 1], +1 for bit 1, -1 for bit 0; ten classes [B]. Chance: the entropy of the classes' exact distribution.

    It is the mean over the lengths n of what the sum of n fair bits is modulo 10, in nats.
    """

    inputs = 1
    outputs = 10
    loss = "cross_entropy"
    score = "accuracy"

    def __init__(self, length: int, solved_at: float, shortest: int) -> None:
        self.length = at_least(length, 1, "one bit")
        if not 1 <= shortest <= length:
            raise ValueError(f"task.shortest: given {shortest}, must be from 1 to task.length, here {length}")
        self.shortest, self.solved_at = shortest, solved_at
        self.chance_loss = entropy(range(shortest, length + 1))

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        lengths = rng.integers(self.shortest, self.length + 1, batch)
        bits = rng.integers(0, 2, (self.length, batch))
        there = np.arange(self.length)[:, None] < lengths
        x = np.where(there, 2 * bits - 1, 0)[..., None].astype(np.float32)
        return Batch(x, (bits * there).sum(0) % 10, lengths=lengths)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("binary_sum_variable", BinarySumVariable)
