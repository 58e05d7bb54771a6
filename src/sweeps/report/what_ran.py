"""The section 'What ran': how the runs ended, and which cells are not counted."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sweeps.amounts import duration
from sweeps.analysis.labels import level_text
from sweeps.analysis.loading.axes import AXES
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import COUNTS
from sweeps.analysis.text import number_of, percent, render
from sweeps.report.document import Block, Prose, Section, Tabular

LISTED = 20
"""How many cells with a problem the report names at most; tables/problems.csv has all."""
OUTCOMES = {
    "solved": "an evaluation reached the score at which the task counts as solved, whatever followed",
    "of these, at the end": "the last evaluation did, too, and the run did not diverge",
    "diverged": "the loss or the gradient stopped being finite; an outcome, counted everywhere",
    "of these, at update 0": "before the first update, so that nothing was trained",
    "of these, after solving": "counted among the solved as well",
    "neither": "trained to the end of the budget without solving the task",
}
"""Rows of the table of outcomes, in their order, with what each counts."""


def runs_by_outcome(records: Records) -> dict[str, int]:
    """The number of runs with each of `OUTCOMES`, by its name."""
    kinds = {name: of(records.cells) for name, of in COUNTS.items()}
    counts = (
        *(kinds["solved"], kinds["solved_at_end"], kinds["diverged"], kinds["diverged_at_start"]),
        *(kinds["solved"] & kinds["diverged"], ~(kinds["solved"] | kinds["diverged"])),
    )
    return {name: int(runs.sum()) for name, runs in zip(OUTCOMES, counts, strict=True)}


def headline(records: Records) -> str:
    """The number of runs with each outcome, in one line; a run that was solved and then diverged counts as both."""
    solved, kept, diverged, at_start, after, neither = runs_by_outcome(records).values()
    first = f"{solved} solved" + (f" ({kept} at the end)" if solved else "")
    apart = [f"{count} {when}" for count, when in ((at_start, "at update 0"), (after, "after solving")) if count]
    second = f"{diverged} diverged" + (f" ({', '.join(apart)})" if apart else "")
    return f"{number_of(len(records.cells), 'run')}: {first}, {second}, {neither} neither."


def what_ran(records: Records) -> Section:
    """The section: a table of runs by outcome, and a list of the cells that are not counted."""
    total, always = len(records.cells), ("solved", "of these, at the end", "diverged", "neither")
    shown = pd.DataFrame(
        [
            {"outcome": name, "meaning": OUTCOMES[name], "runs": count, "share": percent(count, total)}
            for name, count in runs_by_outcome(records).items()
            if count or name in always
        ]
    )
    kinds = records.problems["problem"].value_counts()
    lost = ", ".join(f"{count} {kind}" for kind, count in kinds.sort_index().items()) or "none"
    text = f"{number_of(total, 'run')} with numbers; not counted: {lost}. "
    seconds = float(records.cells["seconds"].sum())
    text += f"The runs took {duration(seconds) if seconds >= 1 else 'less than a second'} of computing in all."
    if records.shared:
        count = "1 run is" if records.shared == 1 else f"{records.shared} runs are"
        text += f" {count} in more than one of the sweeps with the same record and counted once."
    if records.others:
        were = "was" if records.others == 1 else "were"
        where = "these folders" if records.sweeps else "this folder"
        text += (
            f" {number_of(records.others, 'further run')} in {where} {were} not part of the last sweep and not "
            "counted in any number here; a sweep that includes such a run uses it without training it again."
        )
    blocks: list[Block] = [Prose(text), Tabular(render(shown, names=2), "How the runs ended.")]
    if len(records.problems):
        shown = records.problems.sort_values(["problem", "cell"])
        lines = [
            f"- `{row['cell']}`{_where(row)}{_settings(row, records)} {row['problem']}: {_last_line(row['reason'])}"
            for _, row in shown.head(LISTED).iterrows()
        ]
        if len(shown) > LISTED:
            lines.append(f"- and {len(shown) - LISTED} more")
        head = "Not in any table or figure ([all of them](tables/problems.csv)):"
        blocks.append(Prose(head + "\n\n" + "\n".join(lines)))
    return Section("What ran", blocks)


def _last_line(reason: Any) -> str:
    return str(reason).strip().rpartition("\n")[2]


def _where(row: pd.Series) -> str:
    """The sweep of a cell, where there are several."""
    return f" of {row['sweep']}" if "sweep" in row else ""


def _settings(row: pd.Series, records: Records) -> str:
    """The levels of a cell's axes and its seed in brackets; empty if they are not known."""
    if row[[*AXES, "seed"]].isna().any():
        return ""
    axes = [*AXES, *(axis for axis in records.extra_axes if pd.notna(row[axis]))]
    return f" ({', '.join(level_text(axis, row[axis]) for axis in axes)}, seed {row['seed']:g})"
