"""What a probe measured over the cells of a sweep, as one frame."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from pyarrow import csv

from sweeps.analysis.loading.records import Records
from sweeps.errors import SweepsError, nearest
from sweeps.records.paths import CellPaths, SweepPaths


def probed(records: Records, name: str) -> pd.DataFrame:
    """The rows of `probe_NAME.csv` of every cell that has one, with `cell` in front of `step` and the probe's columns.

    >>> gates = records.with_axes(sweeps.probed(records, "gates"))
    >>> gates.groupby(["arch", "gate"], observed=True)["mean"].mean()

    Floats read back to the bits that were written. Cells without a recurrence have no such file.

    Raises:
        SweepsError: no cell has one, or a file cannot be read.
    """
    parts: list[pd.DataFrame] = []
    for cell, folders in _folders(records):
        if (path := next((folder.probe(name) for folder in folders if folder.probe(name).is_file()), None)) is None:
            continue
        try:
            parts.append(csv.read_csv(path).to_pandas().assign(cell=cell))
        except (ValueError, OSError) as error:
            raise SweepsError(f"{path} cannot be read: {error}") from None
    if not parts:
        there = probes_of(records)
        near = nearest(name, there)
        hint = f"; did you mean {near!r}?" if near else ""
        known = f" (there are: {', '.join(sorted(there))})" if there else ""
        raise SweepsError(
            f"no cell of {records.root} has a probe {name!r}{hint}{known}; `probe={name}` with the sweep's own command "
            "measures them, and trains cells that are done once more"
        )
    frame = pd.concat(parts, ignore_index=True)
    cells = pd.Series(pd.Categorical(frame.pop("cell"), categories=records.cells["cell"].astype(str)))
    frame.insert(0, "cell", cells)
    return frame


def probes_of(records: Records) -> set[str]:
    """The names of the probes of which some cell has a file."""
    return {
        path.stem.removeprefix("probe_")
        for _, folders in _folders(records)
        for folder in folders
        for path in folder.root.glob("probe_*.csv")
    }


def _folders(records: Records) -> Iterator[tuple[str, list[CellPaths]]]:
    """Every cell with the folders that may hold it: of several sweeps some hold the same cell."""
    roots = [sweep.root for sweep in records.sweeps.values()] or [records.root]
    for cell in records.cells["cell"].astype(str):
        yield cell, [SweepPaths(root).cell(cell) for root in roots]
