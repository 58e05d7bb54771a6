"""Jacobians of time steps, ds_t/ds_{t-1} of the whole state s = (h, ...), by autograd of the definition in float64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.exact_slopes import ExactSlopes
from sweeps.probes.graded import Floats
from sweeps.probes.snapshot import Recurrent

SEQUENCES = 4
"""Sequences of the batch, the first ones, of which Jacobians are taken: a matrix of S x S for each of their steps."""
NUMBERS = 4_000_000
"""Numbers of all Jacobians that are computed at once: time steps are taken in pieces."""


def jacobians(one: Recurrent, steps: Sequence[int] | None = None) -> Iterator[tuple[int, Floats]]:
    """t and ds_t/ds_{t-1} `[B, S, S]`: row i is of part i of the new state, column j of part j of the old.

    S is H times the number of tensors in the state, h first.

    Args:
        steps: the time steps in the order in which they are wanted; None: 0 .. T-1.
    """
    length, batch = one.x.shape[0], min(SEQUENCES, one.x.shape[1])
    width = sum(part.shape[-1] for part in one.before)
    steps = range(length) if steps is None else steps
    piece = max(1, NUMBERS // (batch * width * width))
    for first in range(0, len(steps), piece):
        chosen = list(steps[first : first + piece])
        found = _jacobians(one, chosen, batch)
        yield from zip(chosen, found, strict=True)


def _jacobians(one: Recurrent, steps: list[int], batch: int) -> Floats:
    """`[len(steps), B, S, S]`: each sequence is there S times, and each copy gives the gradient of one number."""
    parts = [part[steps, :batch].flatten(0, 1) for part in one.before]
    width, size = sum(part.shape[-1] for part in parts), parts[0].shape[-1]

    def copies(rows: Tensor) -> Tensor:
        return rows.repeat_interleave(width, 0).unsqueeze(0)

    before = copies(torch.cat(parts, -1)).requires_grad_()
    with torch.enable_grad(), ExactSlopes():
        after = one.step(one.prepared, copies(one.x[steps, :batch].flatten(0, 1)), before.split(size, -1))
        out = torch.cat(after, -1)
    each = torch.eye(width, dtype=torch.float64).repeat(len(parts[0]), 1).unsqueeze(0)
    [found] = torch.autograd.grad(out, [before], each)
    numbers: Floats = found.view(len(steps), batch, width, width).numpy()
    return np.ascontiguousarray(numbers)
