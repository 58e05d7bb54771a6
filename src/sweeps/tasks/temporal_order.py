"""Temporal order: among fillers stand 2 (or 3) of two symbols A and B; at the end, name them in their order.

    c A d e c f B d c e d        A then B: class 0 + 2 * 1 = 2 of 4

The class is v1 + 2 v2 (+ 4 v3), v = 0 for A and 1 for B, all equally likely: chance is ln 4 (ln 8), and ln 2 is what
knowing all but one of the symbols gives. Places are fractions of the length, rounded down:

    pascanu      v1 in [.1, .2), v2 in [.5, .6); of three [.1, .2), [.3, .4), [.6, .7); 4 fillers, all T steps
    hochreiter   v1 in [.1, .2], v2 in [.5, .6]; of three [.1, .2], [.33, .43], [.66, .76]; 4 fillers; begins with a
                 symbol of its own and ends with another; length l ~ U{L..T}, T = L + L/10, after T - l blank steps

pascanu: Pascanu et al. 2013, the places of their code (its docstring says [0, .1] for v1); success is fewer than 1%
errors. hochreiter: Hochreiter & Schmidhuber 1997, tasks 6a and 6b (L = 100), where an answer was right if every output
was less than 0.3 off; here it is if its class is the likeliest.
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks.base import Batch, at_least, one_of, register
from sweeps.tasks.marked import shortest
from sweeps.tasks.symbols import one_hot

PERCENT = {
    ("pascanu", 2): (10, 50),
    ("pascanu", 3): (10, 30, 60),
    ("hochreiter", 2): (10, 50),
    ("hochreiter", 3): (10, 33, 66),
}
"""Where the stretch of each symbol begins, in percent of the length."""
FILLERS = 4


class TemporalOrder:
    """6 inputs (hochreiter 8), one for each symbol; 2**bits classes.

    Args:
        bits: how many symbols to name, 2 or 3.
        variant: pascanu or hochreiter.
    """

    loss = "cross_entropy"
    score = "accuracy"

    def __init__(self, length: int, solved_at: float, bits: int = 2, variant: str = "pascanu") -> None:
        one_of(variant, dict.fromkeys(name for name, _ in PERCENT), "variant")
        self.starts = PERCENT[variant, one_of(bits, (2, 3), "bits")]
        self.length = at_least(length, 10 if variant == "pascanu" else 11, "a place in each stretch of a tenth")
        self.solved_at, self.framed = solved_at, variant == "hochreiter"
        self.inputs, self.outputs = 2 + FILLERS + 2 * self.framed, 2**bits
        self.chance_loss, self.chance_score = bits * math.log(2), 2.0**-bits

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        base = shortest(self.length) if self.framed else self.length
        begin = self.length - rng.integers(base, self.length, batch, endpoint=True)
        symbols = rng.integers(2, 2 + FILLERS, (self.length, batch))
        classes, every = np.zeros(batch, np.int64), np.arange(batch)
        for n, start in enumerate(self.starts):
            value = rng.integers(0, 2, batch)
            place = base * start // 100 + rng.integers(0, base // 10, batch, endpoint=self.framed)
            symbols[begin + place, every] = value
            classes += value << n
        if self.framed:
            symbols[begin, every], symbols[-1] = self.inputs - 2, self.inputs - 1
            symbols[np.arange(self.length)[:, None] < begin] = -1
        return Batch(one_hot(symbols, self.inputs), classes)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("temporal_order", TemporalOrder)
