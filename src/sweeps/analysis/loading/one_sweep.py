"""The records of one sweep, from its files to `Records`: a cell that cannot be trusted is listed, never averaged in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import AXES, as_level, extra_axes, typed
from sweeps.analysis.loading.cache import fetch
from sweeps.analysis.loading.cellfiles import NUMBERS, summary_row
from sweeps.analysis.loading.raw_records import RawRecords
from sweeps.analysis.loading.records import IN_GRID, UNREADABLE, Records, with_levels
from sweeps.analysis.loading.scan import scan
from sweeps.analysis.loading.time_steps import with_time_steps
from sweeps.config.identity import before
from sweeps.config.short_names import SHORT_NAMES
from sweeps.errors import SweepsError
from sweeps.records.columns import DIRECTION, LAYER
from sweeps.records.paths import CONFIG, SweepPaths
from sweeps.records.plan_file import read_overrides, read_plan


def read_sweep(
    root: Path, *, cache: bool = True
) -> tuple[RawRecords, dict[str, pd.DataFrame], dict[str, dict[str, Any]] | None]:
    """What the files of a sweep and its plan say, with a problem for every planned cell that has no folder.

    Returns:
        The raw records, their frames, and the settings of every planned cell by id (None without a plan).

    Raises:
        SweepsError: the folder has no cells.
    """
    scanned = scan(root)
    if not scanned.cells:
        raise SweepsError(f"{root} holds no records: no cell folder with a {CONFIG} in it")
    raw, frames = fetch(scanned, keep=cache)
    plan = _read_sweep_files(SweepPaths(root), raw)
    for cell, settings in (plan or {}).items():
        if cell not in raw.problems and cell not in scanned.cells:
            raw.problems[cell] = ("missing", "the last sweep asked for it; it has no folder")
        if not raw.settings.get(cell):
            raw.settings[cell] = settings
    return raw, frames, plan


def _read_sweep_files(sweep: SweepPaths, raw: RawRecords) -> dict[str, dict[str, Any]] | None:
    """The settings of every planned cell by id, None without a plan; files that cannot be read become problems."""
    plan = None
    try:
        plan = _planned(sweep.plan)
    except SweepsError as error:
        reason = f"it cannot be read ({error}), so that every record in the folder counts"
        raw.problems[sweep.plan.name] = (UNREADABLE, reason)
    try:
        read_overrides(sweep.multirun)
    except SweepsError as error:
        reason = f"it cannot be read ({error}), so that the report does not know what was typed"
        raw.problems[sweep.multirun.name] = (UNREADABLE, reason)
    return plan


def _planned(path: Path) -> dict[str, dict[str, Any]] | None:
    """The settings of every cell that the last sweep requested, by id; None without a plan.

    Settings have the names and types of `axes.flatten`; an empty field is a setting that the cell does not have, a
    column that the plan lacks one that was added later.

    Raises:
        SweepsError: the plan exists and cannot be read; the message is a clause.
    """
    rows = read_plan(path)
    if rows is None:
        return None
    return {cell: _levels(row) for cell, row in rows.items()}


def _levels(row: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a row of the plan, with those that came later."""
    later = before({name.removesuffix(".name"): value for name, value in row.items() if name.endswith(".name")})
    settings: dict[str, Any] = {**later, **{name: typed(value) for name, value in row.items() if value}}
    return {SHORT_NAMES.get(name, name): as_level(name, value) for name, value in settings.items()}


def assemble(root: Path, raw: RawRecords, frames: Mapping[str, pd.DataFrame], plan: tuple[str, ...] | None) -> Records:
    """The records with the frames `cells` and `problems`: settings as columns, axes as ordered categories."""
    done, problems = raw.done, raw.problems
    order = [*done, *sorted(problems)]
    table = pd.DataFrame([raw.settings.get(cell, {}) for cell in order], index=order)
    table = table.astype(object).where(table.notna(), np.nan).infer_objects()  # absent means null
    for name in (*AXES, "task", "seed", "hidden", "gain", "threshold", "lr"):
        if name not in table:
            table[name] = None
    table = with_time_steps(table, frames["gradient"])
    in_grid = [cell for cell in order if cell not in problems or problems[cell][0] in IN_GRID]
    extra = extra_axes(table.loc[in_grid].dropna(how="all"))
    rows = pd.DataFrame([summary_row(raw.summaries[cell]) for cell in done], index=done)
    cells = with_levels(pd.concat([table.loc[done], rows], axis=1), table.loc[in_grid], extra)
    cells[list(NUMBERS)] = cells[list(NUMBERS)].astype("float64")
    cells.insert(0, "cell", cells.index)
    bad = table.loc[sorted(problems)]
    bad.insert(0, "reason", [problems[cell][1] for cell in bad.index])
    bad.insert(0, "problem", [problems[cell][0] for cell in bad.index])
    bad.insert(0, "cell", bad.index)
    cells = cells.sort_values([*AXES, *extra, "seed", "cell"], ignore_index=True)
    bad = bad.reset_index(drop=True)
    metrics, gradient, parameters = (frames[name] for name in ("metrics", "gradient", "parameters"))
    highest, layers = by_layer(gradient)
    return Records(root, cells, metrics, highest, parameters, bad, extra, layers, plan=plan, digests=raw.digests)


def by_layer(gradient: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The rows of the highest layer of each cell, of the direction that reads forwards; and all rows, where there are
    several layers or directions. The former are without `layer` and `direction`, the latter have both."""
    if not {LAYER, DIRECTION} & {*gradient}:
        return gradient, None
    codes = gradient["cell"].cat.codes.to_numpy()
    # -1 where the file of a cell has no such column
    layer, direction = (
        np.maximum(gradient[name].to_numpy(), 0) if name in gradient else np.zeros(len(gradient), np.int32)
        for name in (LAYER, DIRECTION)
    )
    top = np.zeros(len(gradient["cell"].cat.categories), layer.dtype)
    np.maximum.at(top, codes, layer)
    shown = (layer == top[codes]) & (direction == 0)
    every = gradient.assign(**{LAYER: layer, DIRECTION: direction})
    return every[shown].drop(columns=[LAYER, DIRECTION]), every
