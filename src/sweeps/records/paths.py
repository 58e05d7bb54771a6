"""One place that names every file of a sweep; nothing else joins these strings."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_CELL = re.compile(r"[0-9a-f]{12}")


def is_cell(name: str) -> bool:
    """Whether a name is one of a cell's folder."""
    return _CELL.fullmatch(name) is not None


@dataclass(frozen=True)
class CellPaths:
    """The record of one cell, `runs/<experiment>/<cell id>/`."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved settings of the cell."""
        return self.root / "config.yaml"

    @property
    def metrics(self) -> Path:
        """A row per logged step."""
        return self.root / "metrics.csv"

    @property
    def gradient_through_time(self) -> Path:
        """A row per logged step and time step: log10 of ||dL/dh_t||."""
        return self.root / "gradient_through_time.csv"

    @property
    def parameters(self) -> Path:
        """A row per evaluated step and parameter: gradient norm, weight norm, spectrum."""
        return self.root / "parameters.csv"

    @property
    def summary(self) -> Path:
        """Written last: the cell is done exactly when this file is whole."""
        return self.root / "summary.json"

    @property
    def lock(self) -> Path:
        """Held while a single run trains the cell; removed when the cell is done."""
        return self.root / ".lock"

    @property
    def failure(self) -> Path:
        """Why the cell has no numbers; removed when a later attempt succeeds."""
        return self.root / "failure.json"


@dataclass(frozen=True)
class SweepPaths:
    """The records of one experiment, `runs/<experiment>/`."""

    root: Path

    def cell(self, cell_id: str) -> CellPaths:
        return CellPaths(self.root / cell_id)

    @property
    def lock(self) -> Path:
        """Held while a sweep writes here, so that two never write one cell."""
        return self.root / ".lock"

    @property
    def multirun(self) -> Path:
        """What was asked for last: the sweep's own configuration and axes."""
        return self.root / "multirun.yaml"

    @property
    def plan(self) -> Path:
        """The cells that were asked for last: a row per cell, its id and its settings by dotted name."""
        return self.root / "plan.csv"

    @property
    def cache(self) -> Path:
        """What `analysis.load` keeps to be fast; made again from the records whenever it is missing."""
        return self.root / ".cache"

    @property
    def report(self) -> Path:
        """Tables, figures and the report, all made from the records."""
        return self.root / "report"

    @property
    def wandb(self) -> Path:
        """The folder that holds the W&B client's own `wandb/` directory."""
        return self.root / "mirror"

    def cells(self) -> list[CellPaths]:
        """Every cell folder there is, done or not, in order of id; known by its name alone."""
        names = os.listdir(self.root) if self.root.is_dir() else []
        return [self.cell(name) for name in sorted(names) if is_cell(name)]
