"""The part 'Does the gradient stay alive?' of the answer where a study has one init: which factor its networks have."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sweeps.analysis.labels import label, level_said, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.recurrent import without_state
from sweeps.analysis.text import EMPTY, decades, factor, render
from sweeps.report.before_training import FACTOR, at_longest, further, power, span, too_short
from sweeps.report.document import Block, Prose, Tabular
from sweeps.report.how_many import how_many

MOST_SENTENCES = 8
"""Architectures of which each has a sentence; more of them are a table."""


def kept(records: Records, start: pd.DataFrame) -> list[Block]:
    """For each architecture the factor per step of its networks, and a table by a further axis if one varied.

    Args:
        start: from `before_training.at_initialisation`.
    """
    length, here = records.longest, at_longest(records, start)
    if here.empty and (why := without_state(records)):
        return [Prose(why)]
    if here.empty:
        return [Prose(f"No run of T = {length:g} recorded a gradient through time at initialisation.")]
    init = label(here["init"].iloc[0])
    if why := too_short(length):
        first = (
            f"At T = {length:g}, the longest here, there is no factor per step: it {why}. With {init} init, the only "
            "one, the gradient changes end to end, of which such transients are a large part:"
        )
    else:
        first = f"With {init} init, the only one, at T = {length:g} and before training, {FACTOR}:"
    parts = [(label(arch), part) for arch, part in here.groupby("arch", observed=True)]
    behind = [Prose(why)] if (why := without_state(records)) else []
    axes = [axis for axis in further(records) if axis != "task" and here[axis].nunique() > 1]
    tables = [_table(here, axis, [each for each in axes if each != axis]) for axis in axes]
    if len(parts) > MOST_SENTENCES:
        return [Prose(first), _listing(parts, length), *behind, *tables]
    points = [f"- {_sentence(arch, part)}" for arch, part in parts]
    return [Prose(first + "\n\n" + "\n".join(points)), *behind, *tables]


def _listing(parts: Sequence[tuple[str, pd.DataFrame]], length: float) -> Tabular:
    """What `_sentence` says, a row for each architecture."""
    rows = []
    for arch, part in parts:
        zero, lost = int((part["change"] == float("-inf")).sum()), int(part["lost"].sum())
        rate = part["rate"]
        networks = [str(len(part)), *[f"{zero} zero"] * bool(zero), *[f"{lost} not finite"] * bool(lost)]
        rows.append({
            "architecture": arch,
            "factor per step": factor(rate.median()) if rate.notna().any() else EMPTY,
            "of all networks": span(rate, factor),
            "decades per step, end to end": span(part["change"], decades),
            "in all": span(part["total"], power),
            "networks": ", ".join(networks),
        })  # fmt: skip
    caption = (
        f"The gradient through time at initialisation, T = {length:g}: the median factor per step over the networks of "
        "an architecture, the smallest and the largest; the change from end to end, per step and in all."
    )
    return Tabular(render(pd.DataFrame(rows), names=1), caption)


def _sentence(arch: str, part: pd.DataFrame) -> str:
    """The factor of the networks of one architecture, and what is left of the gradient from end to end."""
    n, rate = len(part), part["rate"]
    text = f"**{arch}**"
    if rate.notna().any():
        text += f": {factor(rate.median())} per step (n = {n}{span(rate, factor, ': ')})"
    else:
        text += f": n = {n}"
    text += f"; end to end the gradient changes by {span(part['change'], decades)} decades per step, in all by a "
    text += f"factor of {span(part['total'], power)}."
    zero, lost = int((part["change"] == float("-inf")).sum()), int(part["lost"].sum())
    text += f" In {zero} of {n} it is exactly zero somewhere." if zero else ""
    return text + (f" In {lost} of {n} it is not finite." if lost else "")


def _table(here: pd.DataFrame, axis: str, pooled: Sequence[str]) -> Tabular:
    """Median factor per step (end-to-end change where there is none) by level of an axis and architecture."""
    column, as_text = ("rate", factor) if here["rate"].notna().any() else ("change", decades)
    none = [None] if here[axis].isna().any() else []  # of architectures that have no such setting
    levels = [*here[axis].cat.categories, *none]
    shown = pd.DataFrame({said(axis): [level_said(axis, level) for level in levels]})
    for arch in here["arch"].cat.categories[here["arch"].cat.categories.isin(here["arch"])]:
        own = here[here["arch"] == arch]
        parts = [own[own[axis].isna() if level is None else own[axis] == level] for level in levels]
        texts = [f"{as_text(part[column].median())} (n = {len(part)})" if len(part) else EMPTY for part in parts]
        shown[label(arch)] = texts
    what = "factor per step back, both ends left out" if column == "rate" else "change in decades per step, end to end"
    caption = (
        f"The gradient through time at initialisation by {said(axis)}, T = {here['length'].iloc[0]:g}: {what}, medians "
        f"over {how_many(here, ['arch', axis], pooled, 'network')}."
    )
    return Tabular(render(shown, names=1), caption)
