"""The record of one cell alone, and where in a folder of sweeps it lies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sweeps.analysis.loading.axes import typed
from sweeps.analysis.loading.cache import fetch
from sweeps.analysis.loading.cellfiles import config_of
from sweeps.analysis.loading.one_sweep import assemble
from sweeps.analysis.loading.records import Records
from sweeps.analysis.loading.scan import scan
from sweeps.errors import SweepsError, nearest
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.plan_file import nested, read_plan
from sweeps.records.safe_reading import SMALL, read_bytes
from sweeps.records.summary import Summary, read_summary

LISTED = 6
"""Cells that a message lists."""


@dataclass(frozen=True)
class OneRun:
    """The record of one cell.

    Attributes:
        paths: its files.
        config: its nested settings as config.yaml holds them, or else the plan of its sweep, which has only those that
            decide numbers and the experiment; empty where neither can be read.
        problem: kind and reason why the record does not count, as in `Records.problems`; None for a sound one.
        records: the frames of this cell alone; None with a problem.
        summary: None with a problem.
    """

    paths: CellPaths
    config: Mapping[str, Any]
    problem: tuple[str, str] | None
    records: Records | None = None
    summary: Summary | None = None

    @property
    def id(self) -> str:
        return self.paths.root.name

    @property
    def experiment(self) -> str:
        return self.paths.root.parent.name


def read_run(paths: CellPaths) -> OneRun:
    """Read one cell from its files, as `load` would, without the cache and without the cells beside it."""
    sweep, cell = SweepPaths(paths.root.parent), paths.root.name
    config: dict[str, Any] | None = None
    with suppress(OSError):
        config = config_of(read_bytes(paths.config, SMALL))
    scanned = scan(sweep.root)
    if cell not in scanned.cells:
        closed = f"the folder cannot be read: {scanned.closed.get(cell)}"
        empty = "its folder holds no record" if paths.root.is_dir() else "the last sweep asked for it; it has no folder"
        problem = ("damaged", closed) if cell in scanned.closed else ("missing", empty)
        return OneRun(paths, _planned(sweep, cell), problem)
    raw, frames = fetch(replace(scanned, cells={cell: scanned.cells[cell]}, nested=[], closed={}), keep=False)
    if cell in raw.problems:
        known = config if config and raw.settings[cell] else _planned(sweep, cell)
        return OneRun(paths, known, raw.problems[cell])
    return OneRun(paths, config or {}, None, assemble(sweep.root, raw, frames, None), read_summary(paths))


def _planned(sweep: SweepPaths, cell: str) -> dict[str, Any]:
    """The settings of a cell as the plan of its sweep has them; empty if it has not."""
    row: dict[str, str] = {}
    with suppress(SweepsError):
        row = (read_plan(sweep.plan) or {}).get(cell, {})
    known = nested({name: typed(value) for name, value in row.items() if value})
    return known and {**known, "experiment": sweep.root.name}


def find_cell(prefix: str, sweeps: list[SweepPaths]) -> CellPaths:
    """The only cell of these sweeps whose id starts with `prefix`, done or not.

    Raises:
        SweepsError: there is none or more than one, or `prefix` is no start of an id.
    """
    if not re.fullmatch(r"[0-9a-f]{1,12}", prefix):
        raise SweepsError(f"cell: given {prefix!r}, must be an id of twelve hex digits, or the first of them")
    known = [cell for sweep in sweeps for cell in _cells_of(sweep)]
    found = [cell for cell in known if cell.root.name.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    if found:
        names = [f"{cell.root.parent.name}/{cell.root.name}" for cell in found]
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        one_id = len({cell.root.name for cell in found}) == 1
        what = "say which sweep, experiment=NAME" if one_id else "give more of its digits"
        raise SweepsError(f"cell: {prefix!r} is {len(found)} cells ({', '.join(names[:LISTED])}{more}); {what}")
    where = sweeps[0].root if len(sweeps) == 1 else f"{len(sweeps)} sweeps of {sweeps[0].root.parent}"
    near = nearest(prefix, (cell.root.name for cell in known))
    hint = f"; did you mean {near!r}?" if near else ""
    raise SweepsError(f"cell: {prefix!r} is none of the {len(known)} cells in {where}{hint}")


def _cells_of(sweep: SweepPaths) -> list[CellPaths]:
    """The cells of a sweep that have a folder, and those that its plan asks for."""
    cells = sweep.cells()
    with suppress(SweepsError):
        folders = {cell.root.name for cell in cells}
        cells += [sweep.cell(each) for each in read_plan(sweep.plan) or () if each not in folders]
    return cells
