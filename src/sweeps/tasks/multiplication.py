"""The multiplication problem: at the end of a sequence, name the product of its two marked values, U[0, 1].

    value   0.31 0.84 0.07 0.55 0.62 0.19 0.93 0.48       target 0.84 * 0.55
    marker   0    1    0    1    0    0    0    0

| variant | markers | mean squared error of the best constant | right is an error below |
|---|---|---|---|
| pascanu | l/10 first, then to l/2 | Var(x1 x2) = 1/9 - 1/16 = 7/144 | 0.2; the constant 1/4: 61% |
| hochreiter | first ten, then to L/2 | about 0.058, see `moments` | 0.04; 11% |

pascanu: Pascanu et al. 2013, as in their code; success is fewer than 1% errors. hochreiter: Hochreiter & Schmidhuber
1997; where the first step is among the marked, its value is 1. `marked` says where markers stand and how sequences of
different lengths are read.
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.tasks import marked
from sweeps.tasks.base import Batch, one_of, register

VARIANTS = {"pascanu": (marked.PASCANU, 0.2), "hochreiter": (marked.HOCHREITER, 0.04)}


def moments(p: float) -> tuple[float, float]:
    """Mean and variance of the target, which is x1 x2, or with probability p one of them alone."""
    mean = (1 - p) / 4 + p / 2
    return mean, (1 - p) / 9 + p / 3 - mean**2


def below(x: float, p: float) -> float:
    """The probability that the target is at most x, of 0 < x < 1: x - x ln x of the product, x of one value."""
    return (1 - p) * (x - x * math.log(x)) + p * x


class Multiplication:
    """Two inputs, value and marker; one output; score = share of errors below a tolerance.

    Args:
        variant: pascanu or hochreiter.

    Attributes:
        chance_score: of the best constant.
    """

    inputs = 2
    outputs = 1
    loss = "mse"
    score = "share within tolerance"

    def __init__(self, length: int, solved_at: float, variant: str = "pascanu") -> None:
        self.way, self.tolerance = VARIANTS[one_of(variant, VARIANTS, "variant")]
        self.length, self.solved_at, self.variant = marked.checked(self.way, length), solved_at, variant
        p = marked.first_is_marked(length) if variant == "hochreiter" else 0.0
        mean, self.chance_loss = moments(p)
        self.chance_score = below(mean + self.tolerance, p) - below(mean - self.tolerance, p)

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        x, values, marks = marked.sequences(rng, self.way, self.length, batch)
        if self.variant == "hochreiter":
            values = marked.with_ends(x, values, marks, instead=1)
        return Batch(x, values.prod(0)[:, None])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("multiplication", Multiplication)
