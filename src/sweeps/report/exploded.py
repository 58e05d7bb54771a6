"""The part 'What exploded?' of the answer: runs that diverged, and gradients that grew through time."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import diverged, diverged_at_start, solved
from sweeps.analysis.text import axis_columns, percent, render
from sweeps.report.by_axis import where
from sweeps.report.document import Block, Prose, Tabular

TENFOLD = 1.0
"""Growth in decades from the last time step to the first, from which a gradient counts as exploded."""

LONGEST = 12
"""Levels of the table at most."""


def exploded(records: Records, start: pd.DataFrame) -> list[Block]:
    """The shares of runs that diverged before and in training, and of networks whose gradient exploded through time.

    Args:
        start: from `before_training.at_initialisation`.
    """
    cells = records.cells
    cells = cells.assign(at_start=diverged_at_start(cells), later=diverged(cells) & ~diverged_at_start(cells))
    known = start[start["change"].notna()]
    known = known.assign(tenfold=known["total"] >= TENFOLD)
    points = [*_diverged(records, cells), *_grew(known, start, records)]
    prose = Prose("\n".join(f"- {text}" for text in points))
    columns = {
        "diverged at update 0": (cells, "at_start"),
        "diverged in training": (cells, "later"),
        "grew tenfold at initialisation": (known, "tenfold"),
    }
    several = [axis for axis in records.varied if axis in known]
    axis = "arch" if "arch" in several else next((each for each in several if cells[each].nunique() <= LONGEST), None)
    if axis is None or not any(frame[name].any() for frame, name in columns.values()):
        return [prose]
    levels = [level for level in cells[axis].cat.categories if (cells[axis] == level).any()]
    shown = axis_columns(pd.DataFrame({axis: levels}), [axis])
    for title, (frame, name) in columns.items():
        parts = [frame.loc[frame[axis] == level, name] for level in levels]
        shown[title] = [f"{part.sum()}/{len(part)}" for part in parts]
    caption = "Runs that diverged, and networks whose gradient was at least ten times larger at the first step."
    return [prose, Tabular(render(shown, names=1), caption)]


def _diverged(records: Records, cells: pd.DataFrame) -> list[str]:
    """How many runs diverged in training, and how many at update 0."""
    n, later, at_start = len(cells), cells[cells["later"]], cells[cells["at_start"]]
    if later.empty and at_start.empty:
        return [f"**No run diverged** (0 of {n})."]
    text = f"**{percent(len(later), n)} of runs diverged in training** ({len(later)} of {n}){where(records, later)}."
    before = int(solved(later).sum())
    text += f" {before} of the {len(later)} had solved the task before." if before else ""
    if at_start.empty:
        return [f"{text} None of the {n} did at update 0, before any training." if len(later) else text]
    return [
        text,
        f"**{percent(len(at_start), n)} diverged at update 0**, before any training ({len(at_start)} of {n})"
        f"{where(records, at_start)}.",
    ]


def _grew(known: pd.DataFrame, start: pd.DataFrame, records: Records) -> list[str]:
    """In how many networks the gradient exploded through time at initialisation."""
    if known.empty:
        return []
    grew, longest = int(known["tenfold"].sum()), records.longest
    at_longest = known.loc[known["length"] == longest, "tenfold"]
    there = f"; at T = {longest:g}: {at_longest.sum()} of {len(at_longest)}" if "length" in records.varied else ""
    share = f"{percent(grew, len(known))} of networks" if grew else "no network"
    text = (
        f"**In {share} the gradient exploded through time at initialisation** ({grew} "
        f"of {len(known)}{there}): {'it was' if grew else 'in none it was'} at least ten times larger at the "
        "first step than at the last. Runs that differ only in what acts later, such as clipping, count as one network."
    )
    lost = int(start["lost"].sum())
    return [text + (f" {lost} more had no finite gradient to measure." if lost else "")]
