"""Whether a cell has all that is asked for."""

from __future__ import annotations

from sweeps.plan.cells import Cell
from sweeps.probes.base import has
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import Summary, finished


def done(cell: Cell, sweep: SweepPaths) -> Summary | None:
    """The summary of a cell that need not be trained; None without a record, or if final weights or a probe are wanted
    and not there.

    Such a cell is trained again, to the same bytes, for they are of the end of a run, or of all of it.
    """
    paths = sweep.cell(cell.id)
    if any(has(name, cell.settings) and not paths.probe(name).is_file() for name in cell.settings.probes):
        return None
    if cell.settings.train.save == "final" and not paths.weights.is_file():
        return None
    return finished(paths)
