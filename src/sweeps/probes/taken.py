"""The probes of a pack: what is measured of each cell at its evaluations, by the name of the file that it goes to."""

from __future__ import annotations

from typing import Any

from sweeps.config.schema import Settings
from sweeps.engine.setup import Training
from sweeps.probes.base import has, probe
from sweeps.probes.snapshot import snapshot
from sweeps.probes.weights import parameter_rows

PARAMETERS = "parameters"
"""The name of the measurement of weights and gradients, which every cell has."""


class Probes:
    """Callable with a training and a lane; see `engine.train.Probe`.

    Attributes:
        watches: the probes that see every update, by name.

    Args:
        settings: of the cells, which have the same probes.
    """

    def __init__(self, settings: Settings) -> None:
        asked = {name: probe(name) for name in settings.probes if has(name, settings)}
        self._rows = {name: each.rows for name, each in asked.items() if each.rows is not None}
        self.watches = {name: each.watch() for name, each in asked.items() if each.watch is not None}

    def __call__(self, training: Training, lane: int) -> dict[str, list[tuple[Any, ...]]]:
        found: dict[str, list[tuple[Any, ...]]] = {PARAMETERS: [tuple(row) for row in parameter_rows(training, lane)]}
        if self._rows:
            seen = snapshot(training, lane)
            found |= {name: [tuple(row) for row in rows(seen)] for name, rows in self._rows.items()}
        return found | {name: [tuple(row) for row in each.rows(training, lane)] for name, each in self.watches.items()}
