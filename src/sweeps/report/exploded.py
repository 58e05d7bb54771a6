"""The part 'What exploded?' of the answer: runs that diverged, and gradients that grew through time."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.labels import label
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import diverged, diverged_at_start, solved
from sweeps.analysis.text import percent, render, share_of
from sweeps.report.document import Block, Prose, Tabular

TENFOLD = 1.0
"""Growth in decades from the last time step to the first, from which a gradient counts as exploded."""


def exploded(records: Records, start: pd.DataFrame) -> list[Block]:
    """The shares of runs that diverged before and in training, and of networks whose gradient exploded through time.

    Args:
        start: from `gradients_alive.at_initialisation`.
    """
    cells = records.cells
    cells = cells.assign(at_start=diverged_at_start(cells), later=diverged(cells) & ~diverged_at_start(cells))
    known = start[start["change"].notna()]
    known = known.assign(tenfold=known["total"] >= TENFOLD)
    points = [*_diverged(cells), *_grew(known, start, records.longest)]
    prose = Prose("\n".join(f"- {text}" for text in points))
    archs = [arch for arch in cells["arch"].cat.categories if (cells["arch"] == arch).any()]
    if len(archs) == 1:
        return [prose]
    shown = pd.DataFrame({"architecture": [label(arch) for arch in archs]})
    for head, frame, name in (
        ("diverged at update 0", cells, "at_start"),
        ("diverged in training", cells, "later"),
        ("grew tenfold at initialisation", known, "tenfold"),
    ):
        parts = [frame.loc[frame["arch"] == arch, name] for arch in archs]
        shown[head] = [share_of(part.sum(), len(part)) for part in parts]
    caption = "Runs that diverged, and networks whose gradient was at least ten times larger at the first step."
    return [prose, Tabular(render(shown, names=1), caption)]


def _diverged(cells: pd.DataFrame) -> list[str]:
    """How many runs diverged in training, and how many at update 0."""
    n, later, at_start = len(cells), cells[cells["later"]], cells[cells["at_start"]]
    text = f"**{percent(len(later), n)} of runs diverged in training** ({len(later)} of {n}){_where(later)}."
    before = int(solved(later).sum())
    text += f" {before} of the {len(later)} had solved the task before." if before else ""
    if at_start.empty:
        return [f"{text} None of the {n} did at update 0, before any training." if len(later) else text]
    return [
        text,
        f"**{percent(len(at_start), n)} diverged at update 0**, before any training ({len(at_start)} of {n})"
        f"{_where(at_start)}.",
    ]


def _grew(known: pd.DataFrame, start: pd.DataFrame, longest: float) -> list[str]:
    """In how many networks the gradient exploded through time at initialisation."""
    if known.empty:
        return []
    grew, at_longest = int(known["tenfold"].sum()), known.loc[known["length"] == longest, "tenfold"]
    there = f"{at_longest.sum()} of {len(at_longest)}"
    text = (
        f"**In {percent(grew, len(known))} of networks the gradient exploded through time at initialisation** ({grew} "
        f"of {len(known)}; at T = {longest:g}: {there}): it was at least ten times larger at the "
        "first step than at the last. Runs that differ only in what acts later, such as clipping, count as one network."
    )
    lost = int(start["lost"].sum())
    return [text + (f" {lost} more had no finite gradient to measure." if lost else "")]


def _where(runs: pd.DataFrame) -> str:
    """`: the ReLU RNN with He 6, identity 5`, the number of runs by arch and init; empty without runs."""
    texts = []
    for arch, part in runs.groupby("arch", observed=True):
        inits = part["init"].value_counts(sort=False)
        named = ", ".join(f"{label(init)} {count}" for init, count in inits[inits > 0].items())
        texts.append(f"{label(arch)} with {named}")
    lengths = runs["length"].unique()
    at = f", all at T = {lengths[0]:g}" if len(lengths) == 1 else ""
    return f": the {'; the '.join(texts)}{at}" if texts else ""
