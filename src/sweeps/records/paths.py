"""Names and paths of all files of a sweep; other modules take them from here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CONFIG = "config.yaml"
METRICS = "metrics.csv"
GRADIENT_THROUGH_TIME = "gradient_through_time.csv"
PARAMETERS = "parameters.csv"
SUMMARY = "summary.json"
FAILURE = "failure.json"
CELL_FILES = (CONFIG, METRICS, GRADIENT_THROUGH_TIME, PARAMETERS, SUMMARY, FAILURE)
"""Names of the files of a cell's record: what tables, figures and reports are made from."""

WEIGHTS = "weights.npz"
CHECKPOINT = "checkpoint.npz"

PROVENANCE = "provenance.json"
DIGESTS = "records.sha256"

JOINT = "+"
"""Between the names of several sweeps in the name of a folder; no experiment has it in its name."""

_CELL = re.compile(r"[0-9a-f]{12}")


def is_cell(name: str) -> bool:
    """Whether the name of a folder is a cell id: twelve hex digits."""
    return _CELL.fullmatch(name) is not None


@dataclass(frozen=True)
class CellPaths:
    """The record of one cell, `runs/<experiment>/<cell id>/`."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved settings of the cell."""
        return self.root / CONFIG

    @property
    def metrics(self) -> Path:
        """A row per logged step."""
        return self.root / METRICS

    @property
    def gradient_through_time(self) -> Path:
        """A row per logged step and time step: log10 of ||dL/dh_t||."""
        return self.root / GRADIENT_THROUGH_TIME

    @property
    def parameters(self) -> Path:
        """A row per evaluated step and parameter: gradient norm, weight norm, spectrum."""
        return self.root / PARAMETERS

    def probe(self, name: str) -> Path:
        """What a probe measured, `probe_NAME.csv`: rows of each evaluated step."""
        return self.root / f"probe_{name}.csv"

    @property
    def summary(self) -> Path:
        """Written last: the cell is done exactly when this file is complete (`records.summary.finished`)."""
        return self.root / SUMMARY

    @property
    def failure(self) -> Path:
        """Why the cell failed, in place of a summary; removed when a later attempt succeeds."""
        return self.root / FAILURE

    @property
    def weights(self) -> Path:
        """The weights at the end, by the names of `parameters.csv`; only if they were asked for."""
        return self.root / WEIGHTS

    @property
    def checkpoint(self) -> Path:
        """What a cell that has not ended needs to go on; removed when it ends."""
        return self.root / CHECKPOINT

    @property
    def lock(self) -> Path:
        """Held while a single run trains the cell; removed when the cell is done."""
        return self.root / ".lock"


@dataclass(frozen=True)
class ReportPaths:
    """The report of a sweep, `runs/<experiment>/report/` or any other folder it is written to."""

    root: Path

    @property
    def html(self) -> Path:
        """The whole report as one page that needs no other file."""
        return self.root / "report.html"

    @property
    def markdown(self) -> Path:
        """The same as Markdown."""
        return self.root / "report.md"

    @property
    def tables(self) -> Path:
        """A folder: every table as CSV and Markdown, the paired ones as LaTeX."""
        return self.root / "tables"

    @property
    def problems(self) -> Path:
        """The cells that are in no table, and why."""
        return self.tables / "problems.csv"

    @property
    def diverged(self) -> Path:
        """The runs that diverged, when and why."""
        return self.tables / "diverged.csv"

    @property
    def figures(self) -> Path:
        """A folder: every figure as PDF, SVG and PNG."""
        return self.root / "figures"

    @property
    def runs(self) -> Path:
        """A folder: a page for every run, `<cell id>.html`, in a report that has them."""
        return self.root / "runs"

    @property
    def provenance(self) -> Path:
        """Which records and which code the report is made from."""
        return self.root / PROVENANCE

    @property
    def digests(self) -> Path:
        """The SHA-256 of every record file the report is made from."""
        return self.root / DIGESTS


@dataclass(frozen=True)
class SweepPaths:
    """The records of one experiment, `runs/<experiment>/`."""

    root: Path

    @classmethod
    def at(cls, runs_dir: str | Path, experiment: str) -> SweepPaths:
        """The sweep of an experiment; a relative `runs_dir` counts from the current directory."""
        return cls(Path(runs_dir).absolute() / experiment)

    @classmethod
    def of_several(cls, runs_dir: str | Path, names: Iterable[str]) -> SweepPaths:
        """Where what is made of several sweeps lies, `runs/<one>+<other>/`: a folder without cells."""
        return cls(Path(runs_dir).absolute() / JOINT.join(names))

    @classmethod
    def within(cls, runs_dir: str | Path) -> list[SweepPaths]:
        """Every sweep of a folder, in order of name; what is made of several sweeps is none."""
        folders = (cls(path) for path in sorted(Path(runs_dir).absolute().glob("*")) if path.is_dir())
        return [sweep for sweep in folders if JOINT not in sweep.root.name or sweep.cells()]

    def cell(self, cell_id: str) -> CellPaths:
        """The record of one of its cells."""
        return CellPaths(self.root / cell_id)

    def cells(self) -> list[CellPaths]:
        """Every cell folder there is, done or not, in order of id; known by its name alone."""
        names = os.listdir(self.root) if self.root.is_dir() else []
        return [self.cell(name) for name in sorted(names) if is_cell(name)]

    @property
    def lock(self) -> Path:
        """Held while a sweep writes here, so that two never write one cell."""
        return self.root / ".lock"

    @property
    def other_lengths(self) -> Path:
        """Loss and score of trained networks at lengths that they were not trained on; no part of the records."""
        return self.root / "other_lengths.csv"

    @property
    def multirun(self) -> Path:
        """Configuration and axes of the sweep, as last requested."""
        return self.root / "multirun.yaml"

    @property
    def plan(self) -> Path:
        """The cells that were last requested: a row per cell, its id and its settings by dotted name."""
        return self.root / "plan.csv"

    @property
    def status(self) -> Path:
        """What a running sweep trains at the moment (`records.status_file`); no part of the records."""
        return self.root / "status.json"

    @property
    def cache(self) -> Path:
        """The cache of `sweeps.load`; rebuilt from the records whenever it is missing."""
        return self.root / ".cache"

    @property
    def report(self) -> ReportPaths:
        """Tables, figures and the report, all made from the records."""
        return ReportPaths(self.root / "report")

    @property
    def mirror(self) -> Path:
        """The folder of the W&B mirror."""
        return self.root / "mirror"

    @property
    def mirror_lock(self) -> Path:
        """Held while a process writes the mirror or sends it."""
        return self.mirror / ".lock"

    @property
    def sync_log(self) -> Path:
        """A folder: what the W&B client logs while it sends runs; removed afterwards."""
        return self.mirror / "sync-log"

    @property
    def mirrored_runs(self) -> Path:
        """The W&B client's own folder, in the mirror: a folder per run, what `wandb sync` and `wandb leet` take."""
        return self.mirror / "wandb"
