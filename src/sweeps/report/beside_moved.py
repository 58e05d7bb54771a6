"""What moved between two sweeps of the same cells: files, numbers and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.beside.movement import MOVED, SAME
from sweeps.analysis.labels import head, listed
from sweeps.analysis.loading.raw_records import FRAMES
from sweeps.analysis.text import EMPTY, number, number_of, render, share_of
from sweeps.report.beside_table import first_rows, levels_of
from sweeps.report.document import Block, Prose, Tabular

NAMES = {
    "loss": "loss (relative)",
    "best_score": "best score (relative)",
    "gradient": "log10 ‖∂L/∂h_t‖ (decades)",
}
MOST = {
    "loss": "{} of a loss",
    "best_score": "{} of a best score",
    "gradient": "{} decades of a gradient",
}


def how_equal(cells: pd.DataFrame) -> str:
    """How many cells are equal, and by how much the numbers of the others differ at most."""
    n, equal = len(cells), int(cells["equal"].sum())
    if equal == n:
        return f"**All {number_of(n, 'cell')} are equal, byte for byte.**"
    numbers = int(cells["first_step"].notna().sum())
    first = f"{equal} of {n}" if equal else "None of the"
    text = f"**{first} cells {'is' if equal == 1 else 'are'} equal, byte for byte; in {numbers} a number differs.**"
    if not numbers:
        return text
    sizes = {MOST[name]: float(cells[name].max()) for name in MOVED}
    if not np.isfinite([*sizes.values()]).all():
        return f"{text} Some numbers are finite on one side only."
    most = [words.format(number(size, 2)) for words, size in sizes.items() if size > 0]
    return f"{text} The largest difference is {listed(most)}." if most else text


def moved(cells: pd.DataFrame) -> list[Block]:
    """Which files are equal, and by how much the numbers of the others differ."""
    n = len(cells)
    counts = {FRAMES[name][0]: int(cells[same].sum()) for name, same in zip(FRAMES, SAME, strict=True)}
    files = ", ".join(f"{file} in {share_of(count, n)}" for file, count in counts.items())
    text = f"Equal byte for byte: {files}." if any(counts.values()) else "No file is equal byte for byte."
    other = cells[cells["first_step"].notna()]
    bytes_alone = int((~cells["equal"]).sum()) - len(other)
    if bytes_alone:
        cells_of = number_of(bytes_alone, "cell")
        text += f" In {cells_of} the bytes differ and no number does: columns of one side, or other digits for it."
    if other.empty:
        return [Prose(text)]
    rows = []
    for name in MOVED:
        values = other[name].to_numpy(dtype=float)
        some = values[values > 0]
        most = str(other["cell_a"].iloc[int(np.nanargmax(values))]) if len(some) else EMPTY
        rows.append([NAMES[name], str(len(some)), _size(some, np.median), _size(some, np.max), most])
    table = pd.DataFrame(rows, columns=["difference", "cells", "median", "largest", "of cell (in a)"])
    caption = (
        "By how much numbers differ, over the cells in which they do; of a run that of its steps at which it is "
        "largest. Relative is |a - b| / max(|a|, |b|); inf: finite on one side only."
    )
    return [Prose(f"{text} {_first_steps(other['first_step'])}"), Tabular(render(table, names=1), caption)]


def _first_steps(steps: pd.Series) -> str:
    """At which logged step the numbers begin to differ."""
    first = steps.min()
    if (steps == first).all():
        return f"The numbers differ from step {first:g} on."
    return (
        f"The first logged step with another number: {first:g} in {share_of((steps == first).sum(), len(steps))}, "
        f"median {steps.median():g}, the latest {steps.max():g}."
    )


def _size(values: np.ndarray, of: Any) -> str:
    return number(float(of(values)), 2) if len(values) else EMPTY


def has_changed(cells: pd.DataFrame) -> pd.Series:
    """Whether the outcome of each cell changed, or whether it was ever solved."""
    return (cells["outcome_a"] != cells["outcome_b"]) | (
        cells["solved_step_a"].notna() != cells["solved_step_b"].notna()
    )


def outcomes(cells: pd.DataFrame, axes: Sequence[str]) -> list[Block]:
    """Which outcomes changed into which, and in which cells; how far the step of solving moved."""
    changed = cells[has_changed(cells)]
    shift = (cells["solved_step_b"] - cells["solved_step_a"]).dropna().to_numpy(dtype=float)
    solving = []
    if len(shift):
        other = int((shift != 0).sum())
        how_far = (
            f" (b minus a: median {np.median(shift[shift != 0]):+g}, from {shift.min():+g} to {shift.max():+g})"
            if other
            else ""
        )
        solving = [f"Of {number_of(len(shift), 'run')} solved in both, {other} were solved at another step{how_far}."]
    if changed.empty:
        return [Prose(" ".join(["No outcome changed.", *solving]))]
    kinds = changed.assign(a=_how(changed, "a"), b=_how(changed, "b"))
    counts = (kinds["a"] + " to " + kinds["b"]).value_counts().sort_index()
    kinds_of = "; ".join(f"{what}: {count}" for what, count in counts.items())
    rows = [[str(row["cell_a"]), *levels_of(row, axes), row["a"], row["b"]] for _, row in kinds.iterrows()]
    table = first_rows(rows, ["cell (in a)", *map(head, axes), "a", "b"], 3 + len(axes), "Cells whose outcome changed")
    return [Prose(" ".join([f"From a to b, {kinds_of}.", *solving])), table]


def _how(cells: pd.DataFrame, side: str) -> list[str]:
    """`solved`, `diverged`, `diverged (solved before)`."""
    outcome, at = cells[f"outcome_{side}"], cells[f"solved_step_{side}"]
    return [
        f"{how} (solved before)" if how != "solved" and not pd.isna(step) else str(how)
        for how, step in zip(outcome, at, strict=True)
    ]
