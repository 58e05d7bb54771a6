"""Noiseless memorization (Hochreiter & Schmidhuber 1997, Martens & Sutskever 2011, in the form of Pascanu et al. 2013).

Like `copy`, with a pattern of few bits and every answer counted: `symbols` S of `values` V, 5 of 2 being the 5-bit task
(32 patterns) and 10 of 4 the 20-bit task. With `length` D the T = D + 2 S time steps are

    input   d1 .. dS, D times blank, ask, S - 1 times blank        target   D + S times blank, d1 .. dS

so that the first answer is due as it is asked for. The loss is the mean over all T answers; without a memory the best
is S ln V / T. A sequence is right if all of its T answers are; success is fewer than 1% wrong. Guessing is right in a
share of V**-S.
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks.base import Batch, at_least, register
from sweeps.tasks.symbols import one_hot


class Memorization:
    """V + 2 inputs, the data, blank and ask; V + 1 outputs, the data and blank; score = sequence accuracy.

    Args:
        symbols: S, at least 1.
        values: V, at least 2.
    """

    loss = "cross_entropy"
    score = "sequence accuracy"
    answers = "every"

    def __init__(self, length: int, solved_at: float, symbols: int = 5, values: int = 2) -> None:
        self.symbols = at_least(symbols, 1, "something to remember", "symbols")
        self.values = at_least(values, 2, "one bit", "values")
        self.delay, self.solved_at = at_least(length, 1, "a step between the data and the answer"), solved_at
        self.length = self.delay + 2 * symbols
        self.inputs, self.outputs = values + 2, values + 1
        self.chance_loss, self.chance_score = symbols * math.log(values) / self.length, float(values) ** -symbols

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        data = rng.integers(0, self.values, (self.symbols, batch))
        shown, targets = np.full((2, self.length, batch), self.values)
        shown[: self.symbols], shown[-self.symbols], targets[-self.symbols :] = data, self.values + 1, data
        return Batch(one_hot(shown, self.inputs), targets)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("memorization", Memorization)
