"""How far units and gates are saturated: the slopes of their functions over batch, time steps and units.

`saturated` is the share whose slope is below a hundredth of its largest: |tanh| > 0.995, a sigmoid below 0.0025 or
above 0.9975, a relu whose argument is not positive. `slope` is the mean derivative: of tanh and relu 1 at most, of a
sigmoid 1/4. The argument is in float64, so that neither rounds to 0.

A row for each function that the time step of the architecture names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sweeps.probes.base import PLACE, Probe
from sweeps.probes.noted import calls, slope
from sweeps.probes.snapshot import Snapshot

LARGEST = {"tanh": 1.0, "sigmoid": 0.25, "relu": 1.0}
"""The largest slope of each function."""
SMALL = 0.01
"""Of the largest slope: what counts as saturated."""


def rows(snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    for one in snapshot.recurrences:
        for call, a in calls(one):
            slopes = slope(call.function, a)
            saturated = (slopes < SMALL * LARGEST[call.function]).double().mean()
            yield *one.place, call.name, call.function, float(saturated), float(slopes.mean())


PROBE = Probe(columns=(*PLACE, "unit", "function", "saturated", "slope"), rows=rows)
