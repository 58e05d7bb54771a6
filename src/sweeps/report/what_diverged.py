"""The section 'What diverged': every run that diverged, when and why."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import axis_columns, number, number_of, render
from sweeps.report.document import Prose, Section, table_or_fold
from sweeps.report.runs import linked, told_apart_by


def diverged(records: Records) -> pd.DataFrame:
    """Every run that diverged: `cell`, the axes, `seed`, `diverged_step` and `reason`."""
    runs = records.cells[records.cells["outcome"] == "diverged"]
    return runs[["cell", *records.axes, "seed", "diverged_step", "reason"]].reset_index(drop=True)


def what_diverged(records: Records, path: Path, pages: Collection[Path], folder: Path) -> Section:
    """The section: a table of every run that diverged, with its update and its reason.

    Args:
        path: CSV file with the frame of `diverged`, linked if the table is long.
        pages, folder: as for `runs`.
    """
    rows, total = diverged(records), len(records.cells)
    if rows.empty:
        return Section("What diverged", [Prose(f"No run (0 of {total}).")])
    varied = told_apart_by(records)
    shown = pd.concat([linked(rows["cell"], pages, folder), axis_columns(rows, varied)], axis=1)
    shown.insert(1, "because", rows["reason"].fillna("not recorded"))
    shown["seed"] = [number(seed, 6) for seed in rows["seed"]]
    shown["at update"] = [number(step, 9) for step in rows["diverged_step"]]
    at_start = int((rows["diverged_step"] == 0).sum())
    caption = f"The {len(rows)} of {number_of(total, 'run')} that diverged"
    caption += f", {at_start} of them at update 0, before any training." if at_start else ", all of them in training."
    return Section("What diverged", [table_or_fold(render(shown, names=2 + len(varied)), caption, len(rows), [path])])
