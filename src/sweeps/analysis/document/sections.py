"""The sections of a report beside its answer, plan and tables: what ran, what diverged, figures, provenance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.analysis.document.blocks import Attached, Block, Picture, Prose, Section, Tabular
from sweeps.analysis.document.machines import machines, mixed
from sweeps.analysis.figures.charts import CHARTS
from sweeps.analysis.figures.draw import Drawn
from sweeps.analysis.figures.origin import origin
from sweeps.analysis.loading.axes import AXES
from sweeps.analysis.loading.load import Records
from sweeps.analysis.loading.names import label
from sweeps.analysis.statistics.outcomes import COUNTS
from sweeps.analysis.tables.markdown import axis_columns, number, percent, render

LISTED = 20
"""Problem cells named in the report; all of them are in tables/problems.csv."""
ROWS = 40
"""A longer table is folded away."""
WHOLE = 500
"""A table longer than this is not on the page at all, only its files."""

TITLES = {name: chart.title for name, chart in CHARTS.items()}

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
    return f"{_runs(len(records.cells))}: {first}, {second}, {neither} neither."


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


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
    told = f"{_runs(total)} with numbers; not counted: {lost}. The runs took {minutes:.1f} minutes of computing in all."
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


def diverged(records: Records) -> pd.DataFrame:
    """Every run that diverged: `cell`, the axes, `seed`, `diverged_step` and `reason`."""
    gone = records.cells[records.cells["outcome"] == "diverged"]
    return gone[["cell", *records.axes, "seed", "diverged_step", "reason"]].reset_index(drop=True)


def what_diverged(records: Records, folder: Path) -> Section:
    """Every run that diverged by name, when and why.

    Args:
        folder: where diverged.csv is.
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
    return Section(
        "What diverged", [table_or_fold(render(shown, names=5), caption, len(gone), [folder / "diverged.csv"])]
    )


def table_or_fold(text: str, caption: str, rows: int, files: Sequence[Path]) -> Block:
    """A table of the page, folded away with its files where it is long, the files alone where it is very long."""
    if rows <= ROWS:
        return Tabular(text, caption)
    return Attached(f"{caption.rstrip('.')} ({rows} rows)", text if rows <= WHOLE else "", files)


def figures(drawn: Sequence[Drawn], told: dict[Any, dict[str, str]]) -> list[Section]:
    """Every figure with its caption, a part of the report each.

    Args:
        told: captions by task and name.
    """
    parts = [Section("Figures", [])]
    for figure in drawn:
        name = TITLES.get(figure.name, figure.name.replace("_", " ").capitalize())
        title = name + (f": {figure.task}" if figure.task is not None else "")
        caption = told[figure.task].get(figure.name, f"{name}.")
        parts.append(Section(title, [Picture(title, figure.png, figure.pdf, caption)], level=3))
    return parts


def provenance(records: Records) -> Section:
    """Which records, code, versions, kernels and machines the numbers come from."""
    lines = {**origin(records, "report").lines(), "Device": ", ".join(sorted(set(records.cells["ran_on"].dropna())))}
    lines["Computed by"] = machines(records)
    text = "\n".join(f"- {name}: {value or 'not recorded'}" for name, value in lines.items() if name != "Command")
    return Section("Where the numbers come from", [Prose("\n\n".join(filter(None, (text, mixed(records)))))])


def _settings(row: pd.Series) -> str:
    """The axis values and seed of a cell in brackets, or nothing where they are not known."""
    if row[[*AXES, "seed"]].isna().any():
        return ""
    names = [label(row[axis]) if axis != "length" else f"T = {row[axis]:g}" for axis in AXES]
    return f" ({', '.join(names)}, seed {row['seed']:g})"
