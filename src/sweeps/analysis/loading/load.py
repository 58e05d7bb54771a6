"""Reading the records of a sweep: a cell that cannot be trusted is listed, never averaged in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import AXES, COLUMN_OF_SETTING, extra_axes, plain
from sweeps.analysis.loading.cache import fetch
from sweeps.analysis.loading.cellfiles import NUMBERS, summary_row
from sweeps.analysis.loading.reading import Found
from sweeps.analysis.loading.records import ASKED, UNREADABLE, Records, with_levels
from sweeps.analysis.loading.scan import scan
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import read_overrides, read_plan


def load(root: str | Path, *, cache: bool = True) -> Records:
    """Read every cell of a sweep, `runs/<experiment>/`.

    Args:
        cache: what was read is kept in the sweep's folder for the next time, and made again when any file of a
            record changes; False reads the files themselves and writes nothing there.

    Raises:
        SweepsError: the folder has no cells, or none of them is done.
    """
    here = scan(Path(root))
    if not here.cells:
        raise SweepsError(f"{root} holds no records: no cell folder with a config.yaml in it")
    found, frames = fetch(here, keep=cache)
    plan = _read_own_files(SweepPaths(Path(root)), found)
    for cell, settings in (plan or {}).items():
        if cell not in found.problems and cell not in here.cells:
            found.problems[cell] = ("missing", "the last sweep asked for it; it has no folder")
        if not found.settings.get(cell):
            found.settings[cell] = settings
    if not found.done:
        kinds = pd.Series([kind for kind, _ in found.problems.values()]).value_counts()
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise SweepsError(f"{root} holds no finished cell ({told}); nothing to tabulate yet")
    return _assemble(Path(root), found, frames, None if plan is None else tuple(plan))


def _read_own_files(sweep: SweepPaths, found: Found) -> dict[str, dict[str, Any]] | None:
    """The plan, None where there is none to be read; files of the sweep that cannot be read become problems."""
    plan = None
    try:
        plan = _planned(sweep.plan)
    except SweepsError as error:
        reason = f"it cannot be read ({error}), so that every record in the folder counts"
        found.problems[sweep.plan.name] = (UNREADABLE, reason)
    try:
        read_overrides(sweep.multirun)
    except SweepsError as error:
        reason = f"it cannot be read ({error}), so that the report does not know what was typed"
        found.problems[sweep.multirun.name] = (UNREADABLE, reason)
    return plan


def _planned(path: Path) -> dict[str, dict[str, Any]] | None:
    """The settings of every cell that was asked for last, by id; None without a plan.

    Settings have the names and types of `axes.flatten`; an empty field is a setting that the cell has not.

    Raises:
        SweepsError: the plan is there and cannot be read; the message is a clause.
    """
    rows = read_plan(path)
    return rows and {
        cell: {COLUMN_OF_SETTING.get(name, name): _typed(value) for name, value in row.items() if value}
        for cell, row in rows.items()
    }


def _typed(text: str) -> Any:
    """A value as YAML would read it: text, a whole number or another number."""
    try:
        return int(text)
    except ValueError:
        return {"True": True, "False": False}.get(text, plain(text))


def _assemble(root: Path, found: Found, frames: Mapping[str, pd.DataFrame], plan: tuple[str, ...] | None) -> Records:
    done, problems = found.done, found.problems
    order = [*done, *sorted(problems)]
    table = pd.DataFrame([found.settings.get(cell, {}) for cell in order], index=order)
    table = table.astype(object).where(table.notna(), np.nan).infer_objects()  # absent and null are one
    for name in (*AXES, "task", "seed", "hidden", "gain", "threshold", "lr"):
        if name not in table:
            table[name] = None
    asked = [cell for cell in order if cell not in problems or problems[cell][0] in ASKED]
    extra = extra_axes(table.loc[asked].dropna(how="all"))
    rows = pd.DataFrame([summary_row(found.summaries[cell]) for cell in done], index=done)
    cells = with_levels(pd.concat([table.loc[done], rows], axis=1), table.loc[asked], extra)
    cells[list(NUMBERS)] = cells[list(NUMBERS)].astype("float64")
    cells.insert(0, "cell", cells.index)
    bad = table.loc[sorted(problems)]
    bad.insert(0, "reason", [problems[cell][1] for cell in bad.index])
    bad.insert(0, "problem", [problems[cell][0] for cell in bad.index])
    bad.insert(0, "cell", bad.index)
    cells = cells.sort_values([*AXES, *extra, "seed", "cell"], ignore_index=True)
    bad = bad.reset_index(drop=True)
    return Records(root, cells, problems=bad, extra_axes=extra, plan=plan, digests=found.digests, others=0, **frames)
