"""One to many: read T bits at once, as the vector that h_0 is made from, and say them one after the other.

    vector  +1 -1 -1 +1        inputs  0 0 0 0        targets  1 0 0 1

The start state is v W, with W learned (Vinyals et al. 2015 start a captioning network from an image like that); bit t
is asked for after t more steps, which the state must have kept it for.
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks.base import Batch, at_least, register


class Unpack:
    """A vector [B, T], +1 for bit 1, -1 for 0; inputs [T, B, 1] of zeros; two classes a step, [T, B]; chance ln 2."""

    inputs = 1
    outputs = 2
    loss = "cross_entropy"
    score = "accuracy"
    answers = "every"
    chance_loss = math.log(2)

    def __init__(self, length: int, solved_at: float) -> None:
        self.length = self.vector = at_least(length, 1, "one bit")
        self.solved_at = solved_at

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        bits = rng.integers(0, 2, (self.length, batch))
        x = np.zeros((self.length, batch, 1), dtype=np.float32)
        return Batch(x, bits, vector=(2 * bits.T - 1).astype(np.float32))

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("unpack", Unpack)
