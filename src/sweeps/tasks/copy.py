"""The copy memory task (Hochreiter & Schmidhuber 1997, in the form of Arjovsky et al. 2016): repeat 10 symbols later.

Of 10 symbols, 1 to 8 are data, 0 is blank and 9 asks for the answer. With `length` D the T = D + 20 time steps are

    input   d1 .. d10, D - 1 times blank, 9, 10 times blank
    target  D + 10 times blank, d1 .. d10

The loss is the mean over all T answers. Without a memory the best is to answer blanks and then any of the 8 with equal
probability: 10 ln 8 / T.
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks.base import Batch, at_least, register

DATA, ASK = 10, 9


class Copy:
    """x [T, B, 10], an input for each symbol; 9 outputs, blank and the data, targets [T, B].

    Score = accuracy over the 10 last answers.
    """

    inputs = 10
    outputs = 9
    loss = "cross_entropy"
    score = "accuracy"
    answers = "every"

    def __init__(self, length: int, solved_at: float) -> None:
        self.delay, self.solved_at = at_least(length, 1, "the symbol that asks"), solved_at
        self.length = length + 2 * DATA
        self.chance_loss = DATA * math.log(8) / self.length

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        data = rng.integers(1, 9, (DATA, batch))
        shown, targets = np.zeros((2, self.length, batch), dtype=np.int64)
        shown[:DATA], shown[-DATA - 1], targets[-DATA:] = data, ASK, data
        scored = np.zeros((self.length, batch), dtype=np.float32)
        scored[-DATA:] = 1
        return Batch(np.eye(self.inputs, dtype=np.float32)[shown], targets, scored=scored)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("copy", Copy)
