"""The copy task with a gap that is not known beforehand (Henaff et al. 2016, Tallec & Ollivier 2018).

As `copy`, but the symbol that asks stands g ~ U{1..D} steps after the last of the data, g drawn for each sequence. Each
is answered in its last 10 steps; one with g < D begins with D - g more blanks, so that all have T = D + 20 steps:

    input   D - g times blank, d1 .. d10, g - 1 times blank, 9, 10 times blank
    target  D + 10 times blank, d1 .. d10

The loss is the mean over all T answers. Without a memory of the data the best is 10 ln 8 / T, as in `copy`.
"""

from __future__ import annotations

import numpy as np

from sweeps.tasks.base import Batch, register
from sweeps.tasks.copy import ASK, DATA, Copy


class CopyVariable(Copy):
    """10 inputs, one for each symbol; 9 outputs, blank and the data; score = accuracy over the 10 last answers."""

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        fixed = super().sample(rng, batch)
        gap = rng.integers(1, self.delay, batch, endpoint=True)
        place = self.delay - gap + np.arange(DATA)[:, None]
        x = fixed.inputs.copy()
        x[:-DATA] = np.eye(self.inputs, dtype=np.float32)[0]
        x[-DATA - 1] = np.eye(self.inputs, dtype=np.float32)[ASK]
        x[place, np.arange(batch)] = fixed.inputs[:DATA]
        return fixed._replace(inputs=x)


register("copy_variable", CopyVariable)
