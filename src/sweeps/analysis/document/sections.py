"""The sections of a report beside its answer: the plan, what ran, what diverged, figures, provenance, commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.document.blocks import Attached, Block, Picture, Prose, Section, Tabular
from sweeps.analysis.figures.charts import CHARTS
from sweeps.analysis.figures.draw import Drawn
from sweeps.analysis.figures.origin import origin
from sweeps.analysis.loading.axes import AXES, may_vary, ordered_levels, owner_of
from sweeps.analysis.loading.load import ASKED, Records
from sweeps.analysis.loading.names import HEADS, label
from sweeps.analysis.tables.markdown import axis_columns, number, render

LISTED = 20
"""Problem cells named in the report; all of them are in tables/problems.csv."""
ROWS = 40
"""A longer table is folded away."""
WHOLE = 500
"""A table longer than this is not on the page at all, only its files."""

CONSTANT = ("task", "optim", "lr", "hidden", "gain", "steps", "batch", "task.solved_at")
"""Settings named in the plan where they are the same in every cell."""
NAMES = {**HEADS, "optim": "optimiser", "steps": "updates", "task.solved_at": "solved at a score of"}

TITLES = {name: chart.title for name, chart in CHARTS.items()}

OUTCOMES = {
    "solved": "an evaluation reached the score at which the task counts as solved",
    "finished": "trained to the end of the budget without that",
    "diverged": "the loss or the gradient stopped being finite; an outcome, counted everywhere",
}


def plan(records: Records) -> Section:
    """The axes with their levels, the number of cells, and what was the same in all of them."""
    planned = records.planned()
    asked = records.problems[records.problems["problem"].isin(ASKED)]
    axes = (*records.axes, "seed")
    seeds = pd.concat([records.cells["seed"], asked["seed"]], ignore_index=True)
    levels = {axis: ordered_levels(axis, seeds if axis == "seed" else planned[axis].astype(object)) for axis in axes}
    rows = [
        {"axis": NAMES.get(axis, axis), "levels": _levels(levels[axis]), "number": len(levels[axis])} for axis in axes
    ]
    total, product = len(records.cells) + len(asked), int(np.prod([len(values) for values in levels.values()]))
    grid = " × ".join(str(len(values)) for values in levels.values())
    size = f"{grid} = {product} cells" if total == product else f"{total} cells (the whole grid would be {product})"
    tied, same = _tied(records), _same(records)
    along = _along(records, tied)
    told = [f"{size}."]
    told += [f"The same in every cell: {', '.join(same)}."] if same else []
    told += [f"Settings that go with a choice: {'; '.join(tied.values())}."] if tied else []
    told += [f"**Varied along with another axis, so that their effects cannot be told apart: {'; '.join(along)}.**"] * (
        len(along) > 0
    )
    told += ["Runs of the same seed see the same data, so that comparisons are paired."]
    return Section(
        "The plan", [Tabular(render(pd.DataFrame(rows), names=2), "What was varied."), Prose(" ".join(told))]
    )


def what_ran(records: Records) -> Section:
    """Counts by outcome, and by name what cannot be counted."""
    counts = records.cells["outcome"].value_counts()
    names = [*(name for name in OUTCOMES if name in counts), *(name for name in counts.index if name not in OUTCOMES)]
    total = len(records.cells)
    shown = pd.DataFrame(
        [
            {
                "outcome": name,
                "meaning": OUTCOMES.get(name, ""),
                "runs": counts[name],
                "share": f"{counts[name] / total:.0%}",
            }
            for name in names
        ]
    )
    kinds = records.problems["problem"].value_counts()
    lost = ", ".join(f"{count} {kind}" for kind, count in kinds.sort_index().items()) or "none"
    minutes = records.cells["seconds"].sum() / 60
    told = f"{total} runs have numbers; not counted: {lost}. The runs took {minutes:.1f} minutes of computing in all."
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
    caption = f"The {len(gone)} of {len(records.cells)} runs that diverged."
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
    """Which records, code, versions and machine the numbers come from."""
    lines = {**origin(records, "report").lines(), "Device": ", ".join(sorted(set(records.cells["ran_on"].dropna())))}
    text = "\n".join(f"- {name}: {value or 'not recorded'}" for name, value in lines.items() if name != "Command")
    return Section("Where the numbers come from", [Prose(text)])


def _settings(row: pd.Series) -> str:
    """The axis values and seed of a cell in brackets, or nothing where they are not known."""
    if row[[*AXES, "seed"]].isna().any():
        return ""
    names = [label(row[axis]) if axis != "length" else f"T = {row[axis]:g}" for axis in AXES]
    return f" ({', '.join(names)}, seed {row['seed']:g})"


def _levels(levels: Sequence[Any]) -> str:
    if len(levels) > 8 and not any(isinstance(level, str) for level in levels):
        return f"{len(levels)} of them, {levels[0]:g} to {levels[-1]:g}"
    return ", ".join(label(level) if isinstance(level, str) else number(level, 6) for level in levels) or "none"


def _same(records: Records) -> list[str]:
    """`learning rate 0.01` of every setting of a study that did not vary."""
    found = []
    for name in CONSTANT:
        if name in records.cells and name not in records.axes and records.cells[name].nunique(dropna=False) == 1:
            value = records.cells[name].iloc[0]
            if pd.notna(value):
                found.append(f"{NAMES.get(name, name)} {value if isinstance(value, str) else number(value, 6)}")
    return found


def _tied(records: Records) -> dict[str, str]:
    """Settings that differ only along with a choice, such as the threshold of each clipping."""
    cells, tied = records.cells, {}
    for name in ("hidden", "gain", "threshold", "lr", "steps"):
        owner = "arch" if name in ("hidden", "lr") else "length" if name == "steps" else owner_of(name)
        if name not in cells or name in records.axes or owner not in AXES or cells[name].nunique(dropna=False) < 2:
            continue
        groups = cells.groupby(owner, observed=True)[name].unique()
        if all(len(values) == 1 for values in groups):
            known = {level: values[0] for level, values in groups.items() if np.isfinite(values[0])}
            texts = [f"{label(level)} {number(value)}" for level, value in known.items()]
            tied[name] = f"{name} ({', '.join(texts)})"
    return tied


def _along(records: Records, tied: Iterable[str]) -> list[str]:
    """Settings that vary and yet are neither an axis nor tied to a choice: they follow some other axis or a seed."""
    names = [str(name) for name in records.problems if name not in ("cell", "problem", "reason")]
    names = [name for name in names if may_vary(name)]
    varied = [
        name
        for name in names
        if name in records.cells and name not in (*records.axes, *tied) and records.cells[name].nunique() > 1
    ]
    return [f"{NAMES.get(name, name)} {_levels(ordered_levels(name, records.cells[name]))}" for name in varied]
