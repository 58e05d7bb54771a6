"""Selective copying (Jing et al. 2019, in the form of Gu & Dao 2023): symbols stand anywhere among blanks; repeat them.

    input   . . 3 . . . 7 . 1 . . ? ? ?        answers asked for at each ?: 3 7 1

`tokens` M different places of the first `length` D steps, drawn for each sequence, hold data, equally likely of
`values` V; the others are blank. M steps follow, each asking for the next of the data: T = D + M. (`copy` has its data
at fixed places, so that counting steps is enough; here what is read decides what is kept.) Loss and score are of the
last M answers alone; chance is ln V, and a share of 1/V is right. The paper has D = 4096, M = 16, V = 14.
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks.base import Batch, at_least, register
from sweeps.tasks.symbols import last_steps, one_hot


class SelectiveCopy:
    """V + 2 inputs, the data, blank and ask; V outputs; score = accuracy over the last M answers.

    Args:
        tokens: M, at least 1 and at most `length`.
        values: V, at least 2.
    """

    loss = "cross_entropy"
    score = "accuracy"
    answers = "every"

    def __init__(self, length: int, solved_at: float, tokens: int = 16, values: int = 14) -> None:
        self.tokens = at_least(tokens, 1, "something to copy", "tokens")
        self.shown = at_least(length, tokens, "task.tokens, a place for each")
        self.values, self.solved_at = at_least(values, 2, "one bit", "values"), solved_at
        self.length = self.shown + tokens
        self.inputs, self.outputs = values + 2, values
        self.chance_loss, self.chance_score = math.log(values), 1 / values

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        data = rng.integers(0, self.values, (self.tokens, batch))
        places = np.sort(rng.random((self.shown, batch)).argsort(0)[: self.tokens], 0)
        shown, targets = np.full((self.length, batch), self.values), np.zeros((self.length, batch), dtype=np.int64)
        shown[places, np.arange(batch)], shown[-self.tokens :] = data, self.values + 1
        targets[-self.tokens :] = data
        return Batch(one_hot(shown, self.inputs), targets, last_steps(self.length, batch, self.tokens))

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("selective_copy", SelectiveCopy)
