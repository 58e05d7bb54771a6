"""What exploded: runs that diverged, at the start or in training, and gradients that grew on their way back."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.labels import label
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import diverged, diverged_at_start, solved
from sweeps.analysis.text import percent, render, share_of
from sweeps.report.document import Block, Prose, Tabular

TENFOLD = 1.0
"""Decades from the last time step to the first from which on a gradient has exploded."""


def exploded(records: Records, start: pd.DataFrame) -> list[Block]:
    """The shares of runs that diverged before and in training, and of networks whose gradient grew through time.

    Args:
        start: from `gradients.at_initialisation`.
    """
    cells = records.cells
    cells = cells.assign(at_start=diverged_at_start(cells), later=diverged(cells) & ~diverged_at_start(cells))
    known = start[start["change"].notna()]
    known = known.assign(tenfold=known["total"] >= TENFOLD)
    points = [*_diverged(cells), *_grew(known, start, records.longest)]
    told = Prose("\n".join(f"- {text}" for text in points))
    archs = [arch for arch in cells["arch"].cat.categories if (cells["arch"] == arch).any()]
    if len(archs) == 1:
        return [told]
    shown = pd.DataFrame({"architecture": [label(arch) for arch in archs]})
    for head, frame, name in (
        ("diverged at update 0", cells, "at_start"),
        ("diverged in training", cells, "later"),
        ("grew tenfold at initialisation", known, "tenfold"),
    ):
        parts = [frame.loc[frame["arch"] == arch, name] for arch in archs]
        shown[head] = [share_of(part.sum(), len(part)) for part in parts]
    caption = "Runs that diverged, and networks whose gradient was at least ten times larger at the first step."
    return [told, Tabular(render(shown, names=1), caption)]


def _diverged(cells: pd.DataFrame) -> list[str]:
    """How many runs diverged in training, and how many had before it began."""
    n, gone, first = len(cells), cells[cells["later"]], cells[cells["at_start"]]
    text = f"**{percent(len(gone), n)} of runs diverged in training** ({len(gone)} of {n}){_where(gone)}."
    before = int(solved(gone).sum())
    text += f" {before} of the {len(gone)} had solved the task before." if before else ""
    if first.empty:
        return [f"{text} None of the {n} did at update 0, before any training." if len(gone) else text]
    return [
        text,
        f"**{percent(len(first), n)} diverged at update 0**, before any training ({len(first)} of {n}){_where(first)}.",
    ]


def _grew(known: pd.DataFrame, start: pd.DataFrame, longest: float) -> list[str]:
    """In how many networks the gradient exploded through time before training."""
    if known.empty:
        return []
    grew, there = int(known["tenfold"].sum()), known.loc[known["length"] == longest, "tenfold"]
    text = (
        f"**In {percent(grew, len(known))} of networks the gradient exploded through time at initialisation** ({grew} "
        f"of {len(known)}; at T = {longest:g}: {there.sum()} of {len(there)}): it was at least ten times larger at the "
        "first step than at the last. Runs that differ only in what acts later, such as clipping, start as one network."
    )
    lost = int(start["lost"].sum())
    return [text + (f" {lost} more had no finite gradient to measure." if lost else "")]


def _where(gone: pd.DataFrame) -> str:
    """`: the ReLU RNN with He 6, identity 5`, the runs by arch and init; nothing where there is none."""
    texts = []
    for arch, part in gone.groupby("arch", observed=True):
        inits = part["init"].value_counts(sort=False)
        named = ", ".join(f"{label(init)} {count}" for init, count in inits[inits > 0].items())
        texts.append(f"{label(arch)} with {named}")
    lengths = gone["length"].unique()
    at = f", all at T = {lengths[0]:g}" if len(lengths) == 1 else ""
    return f": the {'; the '.join(texts)}{at}" if texts else ""
