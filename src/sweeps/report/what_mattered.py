"""The part 'What mattered?' of the answer: which of the axes that this study varied matters, and by how much."""

from __future__ import annotations

import math

import pandas as pd

from sweeps.analysis.labels import axes_said, listed, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects
from sweeps.analysis.statistics.one_axis import Effect
from sweeps.analysis.statistics.paired import ALPHA
from sweeps.analysis.statistics.variation import Variation
from sweeps.analysis.text import EMPTY, number, number_of, render
from sweeps.report import effect_words as words
from sweeps.report import verdict_words
from sweeps.report.document import Block, Prose, Tabular
from sweeps.report.nothing_learnt import nothing_learnt
from sweeps.report.verdict import Kind, Verdict, verdict

SHAPES = {
    "rises": "the larger, the better, from level to level",
    "falls": "the smaller, the better, from level to level",
    "peaks": "best inside its range, at {best}",
    "end": "best at the end of its range, {best}, but not better from level to level",
}


def what_mattered(records: Records, found: Effects | None, note: str = "", also: str = "") -> list[Block]:
    """The verdict in sentences, then a table of all axes; nothing where no axis varied.

    Args:
        records: of one task.
        found: the effects of its axes; None where none varied.
        note: a sentence to add, on why another measure is not the one compared.
        also: one on what goes with a second measure, from `second_measure`.
    """
    if found is None:
        return []
    told = verdict(found)
    if told.kind is Kind.ALIKE:
        return [Prose(f"{verdict_words.alike(records, found)} {note}".strip())]
    texts = verdict_words.crowded(found)
    if nothing := nothing_learnt(records, found, told.lead):
        texts.append(nothing)
    else:
        texts += [_headline(records, found, told), *_shapes(found)]
        texts += [_together(records, each, found) for each in found.interactions]
    texts += [also, note, _holes(found)]
    blocks: list[Block] = [Prose(" ".join(filter(None, texts)))]
    return blocks + ([_table(records, found)] if found.axes else [])


def _headline(records: Records, found: Effects, told: Verdict) -> str:
    """The verdict, the numbers of its axis, and what is known of the others."""
    if told.lead is None:
        return "**No axis could be compared.**"
    lead, name = told.lead, words.measure_name(records, found)
    contrast = words.contrast(records, lead, found)
    also = verdict_words.others(told)
    if told.kind is Kind.DEPENDS and told.pair is not None:
        texts = [verdict_words.depends(told.pair, name), contrast, *also]
    elif told.kind is Kind.SHOWN:
        texts = [f"{verdict_words.first_shown(told, name)}.", contrast, verdict_words.larger(told), *also]
    elif told.kind is Kind.SEEN:
        texts = [
            f"{verdict_words.first_seen(told, name)}.",
            contrast,
            words.not_confirmed(lead, found),
            verdict_words.larger(told),
        ]
        texts += [*also, words.detectable(told.reach, found)]
    else:
        most = f"{verdict_words.closest(found, told)}."
        texts = [verdict_words.first_nothing(found, told, name), most, contrast, verdict_words.not_found(told, found)]
    return " ".join(filter(None, texts))


def _shapes(found: Effects) -> list[str]:
    """How the measure goes along each numeric axis that is named."""
    return [
        f"By {said(each.axis)} ({number_of(len(each.levels), 'level')}): "
        f"{SHAPES[each.shape].format(best=words.names(each.axis, each.best))}."
        for each in found.axes
        if each.shape and each.named
    ]


def _together(records: Records, each: Variation, found: Effects) -> str:
    """An interaction: its share of the variation, and the best level of one axis at each level of the other."""
    inner, outer = verdict_words.inner_and_outer(each, found)
    text = (
        f"**The {said(inner)} acts differently by {said(outer)}:** {words.percent_of(each.share)} of the variation "
        "goes with the two together, beyond what each adds alone"
    )
    test = f"p = {number(each.p, 2)}" if each.p <= ALPHA else "too few seeds to test it"
    return f"{text} (n = {found.runs}, {test}). {verdict_words.best_by(records, each, found)}"


def _holes(found: Effects) -> str:
    if not found.missing:
        return ""
    have = "has" if found.missing == 1 else "have"
    return f"{number_of(found.missing, 'cell')} of the grid {have} no run; the pairs are those there are."


def _table(records: Records, found: Effects) -> Tabular:
    """A row for each axis: its share of the variation, its best and worst level, and their difference."""
    rows = [_row(records, each, found) for each in found.axes]
    why = f"{found.why}; " if found.why else ""
    caption = (
        f"Every axis that varied, by its share of the variation in the {words.measure_name(records, found)} ({why}n = "
        f"{found.runs} runs, {number_of(found.seeds, 'seed')}): eta squared of the ranks given the other axes, in "
        "brackets what levels drawn at random would have. The level that wins most pairs and the one that loses most, "
        "whatever their medians; their difference, in pairs that differ in this axis"
    )
    along = [f"the {axes_said(each.along)} with the {said(each.axis)}" for each in found.axes if each.along]
    caption += f" alone (but {listed(along)})" if along else " alone"
    caption += ", difference of the shares" if found.measure.share else ", median over seeds"
    intervals = any(not math.isnan(each.low) for each in found.axes)
    caption += " with 95% interval over seeds" if intervals else "; the seeds are too few for an interval"
    corrected = "interval and p are corrected" if intervals else "p is corrected"
    caption += f"; {corrected} for the choice of the two levels, p for the number of axes, too (Holm)."
    if len(found.axes) > 2:
        caption += " What two axes do together is looked for; what takes three or more of them together is not."
    return Tabular(render(pd.DataFrame(rows), names=1), caption)


def _row(records: Records, each: Effect, found: Effects) -> dict[str, str]:
    best, worst = (
        words.levels_said(records, each.axis, levels, found) if levels else EMPTY for levels in (each.best, each.worst)
    )
    return {
        "axis": said(each.axis),
        "levels": str(len(each.levels)),
        "share of the variation": f"{words.share(each)} ({words.percent_of(each.variation.chance)})",
        "wins most pairs": best,
        "loses most pairs": worst,
        "difference": words.difference(each, found),
        "pairs": str(each.pairs),
        "p": number(each.p_holm, 2) if each.seeds > 1 else EMPTY,
    }
