"""What clipping did between two evaluations: to how many updates, and by which angle it turned the gradient.

`updates` since the evaluation before, without those left out because they were not finite; `clipped`, the share of them
whose gradient clipping changed; of these `scale`, the mean of ||g'|| / ||g||, and `angle` and `angle_largest`, mean and
maximum of the angle between g and g' in degrees, empty where none was clipped. Clipping by the norm of all parameters
turns nothing: the angle is 0 but for float32 rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sweeps.engine.setup import Training
from sweeps.probes.base import Probe


@dataclass
class _Counted:
    updates: int = 0
    clipped: int = 0
    scale: float = 0.0
    angle: float = 0.0
    largest: float = 0.0


class Watch:
    """Counts for every cell of a pack, by its position among the settings."""

    def __init__(self) -> None:
        self.counted: dict[int, _Counted] = {}
        self._raw: Tensor | None = None

    def before(self, training: Training) -> None:
        self._raw = training.network.grads.flat.detach().clone()

    def after(self, training: Training) -> None:
        assert self._raw is not None
        raw, used = (each.double() for each in (self._raw, training.network.grads.flat))
        lengths = [torch.linalg.vector_norm(each, dim=1) for each in (raw, used)]
        apart = torch.linalg.vector_norm(raw / lengths[0][:, None] - used / lengths[1][:, None], dim=1)
        angles = torch.rad2deg(2 * torch.asin((apart / 2).clamp(max=1.0))).tolist()
        scales, changed = (lengths[1] / lengths[0]).tolist(), (raw != used).any(1).tolist()
        for k in training.running:
            counted = self.counted.setdefault(training.positions[k], _Counted())
            if not math.isfinite(float(lengths[0][k])):
                continue
            counted.updates += 1
            if changed[k]:
                counted.clipped += 1
                counted.scale += scales[k]
                counted.angle += angles[k]
                counted.largest = max(counted.largest, angles[k])

    def rows(self, training: Training, lane: int) -> Iterator[tuple[Any, ...]]:
        """One row, and the counts begin anew; none before the first update."""
        counted = self.counted.pop(training.positions[lane], _Counted())
        n = counted.clipped
        if not counted.updates:
            return
        means = (counted.scale / n, counted.angle / n, counted.largest) if n else (None, None, None)
        yield counted.updates, n / counted.updates, *means


PROBE = Probe(columns=("updates", "clipped", "scale", "angle", "angle_largest"), watch=Watch)
