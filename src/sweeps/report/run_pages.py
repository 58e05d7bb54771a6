"""The pages of all runs of a report, `runs/<cell id>.html`, made from the frames that are loaded already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sweeps.analysis.loading.cellfiles import config_of
from sweeps.analysis.loading.one import OneRun
from sweeps.analysis.loading.records import Records
from sweeps.analysis.run_facts import reaches_by_cell
from sweeps.errors import SweepsError
from sweeps.records.paths import CELL_FILES, SweepPaths
from sweeps.records.safe_reading import SMALL, read_bytes, why
from sweeps.records.summary import finished
from sweeps.report.in_words import in_words
from sweeps.report.run_page import write_run_page

MOST = 2_000
"""Runs up to which a report has their pages unless it is told otherwise."""
TOGETHER = 50
"""Runs whose gradients are looked at together, which is faster than one by one; of more the copies would be large."""
FRAMES = ("metrics", "gradient", "parameters")


def write_run_pages(records: Records, folder: Path) -> list[Path]:
    """Write the page of every done cell as `<cell id>.html`, with a link back to the report in the folder above.

    Raises:
        SweepsError: the record of a cell has gone or changed since it was loaded.
        OSError: a page cannot be written.
    """
    from sweeps.analysis.typed import typed  # imports Hydra

    rows = {name: _rows_by_cell(getattr(records, name)) for name in FRAMES}
    sweeps = dict(zip(records.cells["cell"], records.cells["sweep"], strict=True)) if records.sweeps else {}
    words = in_words(records)
    every, written = [str(cell) for cell in records.cells["cell"]], []
    for start in range(0, len(every), TOGETHER):
        cells = every[start : start + TOGETHER]
        frames = {name: _of_cells(getattr(records, name), rows[name], cells) for name in FRAMES}
        reach = reaches_by_cell(pd.concat(frames["gradient"].values()))
        for cell in cells:
            run = _run(records, cell, sweeps.get(cell), {name: frames[name][cell] for name in FRAMES})
            path = folder / f"{cell}.html"
            write_run_page(
                run, typed(run.config, cell), path, reach=reach.get(cell, []), back="../report.html", words=words[cell]
            )
            written.append(path)
    return written


def _rows_by_cell(frame: pd.DataFrame) -> dict[str, slice]:
    """The rows of each cell. Those of one cell are together, as `load` leaves them."""
    codes = frame["cell"].cat.codes.to_numpy()
    starts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist()] if len(codes) else []
    cells = frame["cell"].cat.categories[codes[starts]]
    assert cells.is_unique
    return dict(zip(cells, map(slice, starts, [*starts[1:], len(codes)]), strict=False))


def _of_cells(frame: pd.DataFrame, rows: Mapping[str, slice], cells: Sequence[str]) -> dict[str, pd.DataFrame]:
    return {cell: frame.iloc[rows.get(cell, slice(0))] for cell in cells}


def _run(records: Records, cell: str, sweep: str | None, frames: Mapping[str, pd.DataFrame]) -> OneRun:
    """One run of the records. Its settings and its summary are read again: only the files have them whole.

    Args:
        sweep: of several sweeps the name of that which the cell is from.
    """
    paths = SweepPaths(records.root if sweep is None else records.sweeps[sweep].root).cell(cell)
    try:
        config, summary = config_of(read_bytes(paths.config, SMALL)), finished(paths)
    except OSError as error:
        raise SweepsError(f"{paths.config} has changed since it was loaded: {why(error)}") from error
    if config is None or summary is None:
        raise SweepsError(f"the record {paths.root} has changed since it was loaded; make the report again")
    front = "" if sweep is None else f"{sweep}/"
    names = (f"{cell}/{name}" for name in CELL_FILES)
    digests = {name: records.digests[front + name] for name in names if front + name in records.digests}
    own = replace(records, digests=digests, **frames)  # type: ignore[arg-type]
    return OneRun(paths, config, None, own, summary)
