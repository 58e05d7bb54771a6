"""What goes with a second measure: the best score beside the share solved, the updates where nearly all solved."""

from __future__ import annotations

from sweeps.analysis.labels import axes_said, listed, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import FEW, Effects, effects
from sweeps.analysis.statistics.measures import MEASURES, Measure, crossings
from sweeps.analysis.statistics.outcomes import solved
from sweeps.analysis.text import number
from sweeps.report import effect_words as words

MOST = 2
"""Axes, and pairs of them, that are named."""


def second_measure(records: Records, found: Effects | None) -> str:
    """What goes with a measure that the one compared says nothing of: an axis may act among the runs of one outcome.

    Returns:
        A sentence on the axes and interactions that the measure compared does not show; empty if there are none.
    """
    measure = None if found is None else _second(records, found)
    if found is None or measure is None:
        return ""
    other = effects(records, measure)
    known = {each.axis for each in found.axes if each.named}
    axes = [each for each in other.axes if each.axis not in known and each.named]
    pairs = [each for each in other.interactions if {*each.axes} not in [{*own.axes} for own in found.interactions]]
    p_of = [f" (p = {number(each.p_holm, 2)})" if each.shown else "" for each in axes]
    with_p = zip(axes, p_of, strict=True)
    texts = [f"{words.share(each)} goes with the {said(each.axis)}{p}" for each, p in with_p][:MOST]
    texts += [f"{words.percent_of(each.share)} goes with the {axes_said(each.axes)} together" for each in pairs[:MOST]]
    name = words.measure_name(records, other)
    also = f"Of the variation in the {name}, {listed(texts)}." if texts else ""
    return " ".join(filter(None, (also, *_turned(records, found, other, name))))


def _turned(records: Records, found: Effects, other: Effects, name: str) -> list[str]:
    """A sentence on every axis that is named by both measures, with the levels of one end of the one at the other end
    of the other: GRU solves more often, and the LSTM has the better scores."""
    first = {each.axis: each for each in found.axes if each.named}
    turned = [
        each
        for each in other.axes
        if each.named
        and each.axis in first
        and {*each.best} & {*first[each.axis].worst}
        and {*each.worst} & {*first[each.axis].best}
    ]
    return [
        f"**By the {name} the {said(each.axis)} stands the other way round:** {words.ends(records, each, other)}"
        f"{f' (p = {number(each.p_holm, 2)})' if each.shown else ''}."
        for each in turned
    ]


def _second(records: Records, found: Effects) -> Measure | None:
    score, updates = MEASURES["best_score"], MEASURES["solved_step"]
    if found.measure.name == "solved" and not crossings(records, score) and records.cells["best_score"].notna().any():
        return score
    return updates if found.measure.name == "best_score" and solved(records.cells).mean() > 1 - FEW else None
