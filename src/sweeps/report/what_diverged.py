"""The section 'What diverged': every run that did, when and why."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import axis_columns, number, render
from sweeps.report.document import Prose, Section, table_or_fold


def diverged(records: Records) -> pd.DataFrame:
    """Every run that diverged: `cell`, the axes, `seed`, `diverged_step` and `reason`."""
    gone = records.cells[records.cells["outcome"] == "diverged"]
    return gone[["cell", *records.axes, "seed", "diverged_step", "reason"]].reset_index(drop=True)


def what_diverged(records: Records, path: Path) -> Section:
    """Every run that diverged by name, when and why.

    Args:
        path: of the same as a CSV file.
    """
    gone = diverged(records)
    if gone.empty:
        return Section("What diverged", [Prose(f"None of the {len(records.cells)} runs.")])
    names = pd.DataFrame(
        {"cell": [f"`{cell}`" for cell in gone["cell"]], "because": gone["reason"].fillna("not recorded")}
    )
    shown = pd.concat([names, axis_columns(gone, list(records.axes))], axis=1)
    shown["seed"] = [number(seed, 6) for seed in gone["seed"]]
    shown["at update"] = [number(step, 9) for step in gone["diverged_step"]]
    at_start = int((gone["diverged_step"] == 0).sum())
    caption = f"The {len(gone)} of {len(records.cells)} runs that diverged"
    caption += f", {at_start} of them at update 0, before any training." if at_start else ", all of them in training."
    return Section("What diverged", [table_or_fold(render(shown, names=5), caption, len(gone), [path])])
