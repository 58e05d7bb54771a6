"""The section 'What ran': how the runs ended, and which cells are not counted."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.labels import label
from sweeps.analysis.loading.axes import AXES
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import COUNTS
from sweeps.analysis.text import number_of, percent, render
from sweeps.report.document import Block, Prose, Section, Tabular

LISTED = 20
"""Problem cells named in the report; all of them are in tables/problems.csv."""
OUTCOMES = {
    "solved": "an evaluation reached the score at which the task counts as solved, whatever followed",
    "of these, at the end": "the last evaluation did, too, and the run did not diverge",
    "diverged": "the loss or the gradient stopped being finite; an outcome, counted everywhere",
    "of these, at update 0": "before the first update, so that nothing was trained",
    "of these, after solving": "counted among the solved as well",
    "neither": "trained to the end of the budget without solving the task",
}


def ended(records: Records) -> dict[str, int]:
    """How many runs there are of each of `OUTCOMES`."""
    kinds = {name: of(records.cells) for name, of in COUNTS.items()}
    counts = (
        *(kinds["solved"], kinds["solved_at_end"], kinds["diverged"], kinds["diverged_at_start"]),
        *(kinds["solved"] & kinds["diverged"], ~(kinds["solved"] | kinds["diverged"])),
    )
    return {name: int(runs.sum()) for name, runs in zip(OUTCOMES, counts, strict=True)}


def headline(records: Records) -> str:
    """How the runs ended, in a line; a run that was solved and then diverged is counted as both."""
    solved, kept, gone, at_start, after, neither = ended(records).values()
    first = f"{solved} solved" + (f" ({kept} at the end)" if solved else "")
    apart = [f"{count} {when}" for count, when in ((at_start, "at update 0"), (after, "after solving")) if count]
    second = f"{gone} diverged" + (f" ({', '.join(apart)})" if apart else "")
    return f"{number_of(len(records.cells), 'run')}: {first}, {second}, {neither} neither."


def what_ran(records: Records) -> Section:
    """Counts by outcome, and by name what cannot be counted."""
    total, always = len(records.cells), ("solved", "of these, at the end", "diverged", "neither")
    shown = pd.DataFrame(
        [
            {"outcome": name, "meaning": OUTCOMES[name], "runs": count, "share": percent(count, total)}
            for name, count in ended(records).items()
            if count or name in always
        ]
    )
    kinds = records.problems["problem"].value_counts()
    lost = ", ".join(f"{count} {kind}" for kind, count in kinds.sort_index().items()) or "none"
    minutes = records.cells["seconds"].sum() / 60
    told = f"{number_of(total, 'run')} with numbers; not counted: {lost}. "
    told += f"The runs took {minutes:.1f} minutes of computing in all."
    if records.others:
        told += (
            f" {records.others} further runs in this folder were not asked for by the last sweep and are in no number "
            "here; a sweep that asks for them takes them in without training them again."
        )
    blocks: list[Block] = [Prose(told), Tabular(render(shown, names=2), "How the runs ended.")]
    if len(records.problems):
        shown = records.problems.sort_values(["problem", "cell"])
        lines = [
            f"- `{row['cell']}`{_settings(row)} {row['problem']}: {str(row['reason']).strip().rpartition(chr(10))[2]}"
            for _, row in shown.head(LISTED).iterrows()
        ]
        if len(shown) > LISTED:
            lines.append(f"- and {len(shown) - LISTED} more")
        head = "Not in any table or figure ([all of them](tables/problems.csv)):"
        blocks.append(Prose(head + "\n\n" + "\n".join(lines)))
    return Section("What ran", blocks)


def _settings(row: pd.Series) -> str:
    """The axis values and seed of a cell in brackets, or nothing where they are not known."""
    if row[[*AXES, "seed"]].isna().any():
        return ""
    names = [label(row[axis]) if axis != "length" else f"T = {row[axis]:g}" for axis in AXES]
    return f" ({', '.join(names)}, seed {row['seed']:g})"
