"""The adding problem: at the end of a sequence, name the sum of its two marked values. Four variants share the name.

    value   0.31 0.84 0.07 0.55 | 0.62 0.19 0.93 0.48       target 0.84 + 0.93
    marker   0    1    0    0   |  0    0    1    0

| variant | values | markers | target | mean squared error of the best constant | score |
|---|---|---|---|---|---|
| half | U[0, 1] | one in each half | x1 + x2 | Var(x1 + x2) = 1/6 | explained variance |
| any | U[0, 1] | two anywhere | x1 + x2 | 1/6 | explained variance |
| pascanu | U[0, 1] | l/10 first, then to l/2 | (x1 + x2)/2 | 1/24 | error below 0.2; the constant: 64% right |
| hochreiter | U[-1, 1] | first ten, then to L/2 | 0.5 + (x1 + x2)/4 | (1 - p/2)/24 | below 0.04; 15.4% |

half: Arjovsky et al. 2016. any: Bai et al. 2018, Le et al. 2015. pascanu: Pascanu et al. 2013, as in their code, where
a run has succeeded with fewer than 1% errors. hochreiter: Hochreiter & Schmidhuber 1997; p, about 0.1 + 1.8 / L, is the
probability that the first step is among the marked, whose value then is 0. `marked` says where markers stand and how
sequences of different lengths are read.

1/6 is exact; a baseline of 0.1767, often printed, is a slip.
"""

from __future__ import annotations

import numpy as np

from sweeps.tasks import marked
from sweeps.tasks.base import Batch, one_of, register

VARIANTS = {"half": marked.HALF, "any": marked.ANY, "hochreiter": marked.HOCHREITER, "pascanu": marked.PASCANU}


class Adding:
    """Two inputs, value and marker; one output; score = explained variance, or the share of errors below a tolerance.

    Args:
        variant: half, any, hochreiter or pascanu.

    Attributes:
        tolerance, chance_score: of hochreiter and pascanu; the latter is the score of the constant 0.5.
    """

    inputs = 2
    outputs = 1
    loss = "mse"

    def __init__(self, length: int, solved_at: float, variant: str = "half") -> None:
        self.way = VARIANTS[one_of(variant, VARIANTS, "variant")]
        self.length, self.solved_at, self.variant = marked.checked(self.way, length), solved_at, variant
        self.score, self.chance_loss = "explained variance", 1 / 6
        if variant == "pascanu":  # (x1 + x2)/2 - 0.5 is triangular on [-1/2, 1/2]
            self.score, self.tolerance = "share within tolerance", 0.2
            self.chance_loss, self.chance_score = 1 / 24, 1 - 0.6**2
        if variant == "hochreiter":  # x1 + x2 is triangular on [-2, 2], or uniform on [-1, 1] where one of them is 0
            self.score, self.tolerance = "share within tolerance", 0.04
            p = marked.first_is_marked(length)
            self.chance_loss, self.chance_score = (1 - p / 2) / 24, (1 - p) * (1 - 0.92**2) + p * 0.16

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        low = -1.0 if self.variant == "hochreiter" else 0.0
        x, (first, second), marks = marked.sequences(rng, self.way, self.length, batch, low)
        if self.variant == "hochreiter":
            first, second = marked.with_ends(x, np.stack([first, second]), marks, instead=0)
            return Batch(x, (0.5 + (first + second) / 4)[:, None])
        return Batch(x, ((first + second) / (2 if self.variant == "pascanu" else 1))[:, None])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


register("adding", Adding)
