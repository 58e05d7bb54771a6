"""The parts of a report as Markdown: the answer, what ran, the figures with their captions, provenance."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis import captions, curves
from sweeps.analysis.axes import AXES, ordered_levels, owner_of
from sweeps.analysis.load import Records
from sweeps.analysis.markdown import number
from sweeps.analysis.style import label

LISTED = 20
"""Problem cells named in the report; all of them are in tables/problems.csv."""

TITLES = {
    "gradient_by_lag_start": "Gradient through time, at initialisation",
    "gradient_by_lag_end": "Gradient through time, at the end of training",
    "gradient_norm_by_length": "Gradient norm against sequence length",
    "loss_curves": "Loss over training",
    "share_solved": "Share solved against sequence length",
    "clipping": "Gradient norm before and after clipping",
    "outcomes": "Outcomes over the whole grid",
}


@dataclass(frozen=True)
class Drawn:
    """A figure on disk: its name in the catalogue, its task (None if the sweep has one), its files."""

    name: str
    task: Any
    pdf: Path
    png: Path


def answer(records: Records, table: pd.DataFrame, clipped: pd.DataFrame) -> str:
    """The answer in a few sentences, before any table.

    Args:
        table: from `tables.comparison`.
        clipped: from `tables.clipping`.
    """
    length, clip = curves.longest(records), curves.reference_clip(records)
    here = table[(table["length"] == length) & (table["clip"] == clip) & (table["n"] > 0)]
    present = set(here["arch"])
    archs = [arch for arch in table["arch"].cat.categories if arch in present]
    points = [captions.alive_sentence(here, arch, length) for arch in archs]
    points += [captions.length_sentence(table), captions.outcome_sentence(table)]
    if clipped["clip"].nunique() > 1:
        points.append(f"What clipping changed: {captions.clipping_sentence(clipped)}")
    first = (
        f"At the longest length, T = {length:g}, {label(clip)}, at initialisation: what one step back in "
        "time leaves of the gradient, and in brackets what the whole sequence leaves of it."
    )
    if records.extra_axes:
        first += f" Medians over {', '.join(records.extra_axes)}."
    lines = "".join(f"- {point}\n" for point in points)
    return f"## The answer in numbers\n\n{first}\n\n{lines}"


def what_ran(records: Records) -> str:
    """Counts by outcome, the levels of every axis, and by name what cannot be counted."""
    counts = records.cells["outcome"].value_counts()
    known = [name for name in ("solved", "finished", "diverged") if name in counts]
    done = ", ".join(f"{counts[name]} {name}" for name in [*known, *(n for n in counts.index if n not in known)])
    kinds = records.problems["problem"].value_counts()
    lost = ", ".join(f"{count} {kind}" for kind, count in kinds.sort_index().items()) or "none"
    minutes = records.cells["seconds"].sum() / 60
    lines = [
        f"{len(records.cells)} runs with numbers: {done}. Not counted: {lost}. The runs took {minutes:.1f} "
        f"minutes of "
        "computing in all.",
        "",
        *(f"- {axis}: {_levels(axis, records.cells[axis])}" for axis in (*records.axes, "seed")),
    ]
    tied = _tied(records)
    if tied:
        lines += ["", f"Settings that go with a choice: {'; '.join(tied)}."]
    if len(records.problems):
        lines += ["", "Not in any table or figure ([all of them](tables/problems.csv)):", ""]
        shown = records.problems.sort_values(["problem", "cell"]).head(LISTED)
        for _, row in shown.iterrows():
            lines.append(f"- `{row['cell']}`{_settings(row)} {row['problem']}: {row['reason']}")
        if len(records.problems) > LISTED:
            lines.append(f"- and {len(records.problems) - LISTED} more")
    return "## What ran\n\n" + "\n".join(lines) + "\n"


def _settings(row: pd.Series) -> str:
    """The axis values and seed of a cell in brackets, or nothing where they are not known."""
    if row[[*AXES, "seed"]].isna().any():
        return ""
    names = [label(row[axis]) if axis != "length" else f"T = {row[axis]:g}" for axis in AXES]
    return f" ({', '.join(names)}, seed {row['seed']:g})"


def summary_caption(records: Records) -> str:
    """What the rows and columns of the summary table are."""
    clip = curves.reference_clip(records)
    return (
        f"{label(clip).capitalize()}, seeds aggregated. At each length T: the share of runs solved, in "
        f"brackets the "
        f"median best {records.score_name}, and the share diverged if there is one. On the right, what one "
        f"step back "
        "in time leaves of the gradient at the longest length. Numbers of runs and intervals are in the "
        "[whole comparison](tables/comparison.md)."
    )


def figures(drawn: Sequence[Drawn], told: dict[Any, dict[str, str]], folder: Path) -> str:
    """Every figure with its caption.

    Args:
        told: captions by task and name.
        folder: where the report is; links are relative to it.
    """
    parts = ["## Figures"]
    for place, figure in enumerate(drawn, start=1):
        png, pdf = (Path(os.path.relpath(path, folder)).as_posix() for path in (figure.png, figure.pdf))
        title = TITLES.get(figure.name, figure.name) + (f": {figure.task}" if figure.task is not None else "")
        caption = told[figure.task][figure.name]
        parts.append(f"### {title}\n\n![{title}]({png})\n\n**Figure {place}.** {caption} ([PDF]({pdf}))")
    return "\n\n".join(parts) + "\n"


def provenance(records: Records) -> str:
    """Which code, versions and machine the records come from."""
    cells = records.cells
    lines = [
        f"- cells: {len(cells)}",
        f"- numerics version: {_distinct(cells['numerics'])}",
        f"- commit: {_distinct(cells['commit'])}",
        f"- versions: {_distinct(cells['versions'])}",
        f"- device: {_distinct(cells['ran_on'])}",
    ]
    return "## Provenance\n\n" + "\n".join(lines) + "\n"


def _distinct(values: pd.Series) -> str:
    """The distinct values of a column with their counts if there is more than one; "not recorded" if none."""
    counts = values.replace("", np.nan).value_counts(dropna=False).sort_index(key=lambda index: index.astype(str))
    texts = ["not recorded" if pd.isna(v) else number(v) if isinstance(v, float) else str(v) for v in counts.index]
    if len(texts) == 1:
        return texts[0]
    return "; ".join(f"{text} ({count} cells)" for text, count in zip(texts, counts, strict=True))


def _levels(axis: str, values: pd.Series) -> str:
    levels = ordered_levels(axis, values)
    if axis == "seed" and len(levels) > 8:
        return f"{len(levels)} of them, {levels[0]:g} to {levels[-1]:g}"
    return ", ".join(label(level) if isinstance(level, str) else number(level, 6) for level in levels) or "none"


def _tied(records: Records) -> list[str]:
    """Settings that differ only along with a choice, such as the threshold of each clipping."""
    cells, tied = records.cells, []
    for name in ("hidden", "gain", "threshold", "lr", "steps"):
        owner = "arch" if name in ("hidden", "lr") else "length" if name == "steps" else owner_of(name)
        if name not in cells or name in records.axes or owner not in AXES or cells[name].nunique(dropna=False) < 2:
            continue
        groups = cells.groupby(owner, observed=True)[name].unique()
        if all(len(values) == 1 for values in groups):
            known = {level: values[0] for level, values in groups.items() if np.isfinite(values[0])}
            texts = [f"{label(level)} {number(value)}" for level, value in known.items()]
            tied.append(f"{name} ({', '.join(texts)})")
    return tied
