"""The part 'What mattered?' of the answer: which of the axes that this study varied matters, and by how much."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sweeps.analysis.labels import axes_said, level_said, listed, said
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effect, Effects, best_levels, effects
from sweeps.analysis.statistics.intervals import medians
from sweeps.analysis.statistics.measures import MEASURES, crossings, per_run
from sweeps.analysis.statistics.paired import ALPHA
from sweeps.analysis.statistics.variation import Variation
from sweeps.analysis.text import EMPTY, number, number_of, render, with_interval
from sweeps.report.document import Block, Prose, Tabular

MOST_NAMED = 6
"""Levels for each of which an interaction names the best level of the other axis."""
MOST_IN_SHORT = 2
"""Axes named on the first screen beside the first."""
SHAPES = {
    "rises": "the larger, the better, from level to level",
    "falls": "the smaller, the better, from level to level",
    "peaks": "best inside its range, at {best}",
    "end": "best at the end of its range, {best}, but not better from level to level",
}


def what_mattered(records: Records, found: Effects | None, note: str = "") -> list[Block]:
    """The axis with the largest effect in a sentence, then a table of all axes; nothing where no axis varied.

    Args:
        records: of one task.
        found: the effects of its axes; None where none varied.
        note: a sentence to add, on why another measure is not the one compared.
    """
    if found is None:
        return []
    if not found.varies:
        return [Prose(f"{_nothing(records, found)} {note}".strip())]
    name = _name(records, found)
    texts = [_headline(records, found, name), *_shapes(found)]
    texts += [_together(records, each, found) for each in found.interactions]
    texts += [also_in_scores(records, found), note, *_left_out(found)]
    blocks: list[Block] = [Prose(" ".join(filter(None, texts)))]
    return blocks + ([_table(records, found, name)] if found.axes else [])


def in_short(records: Records, found: Effects) -> str:
    """The axis that mattered most and its best and worst level; that there is none, with what would have been seen."""
    if not found.varies or not found.axes:
        return _nothing(records, found)
    first, name = found.axes[0], _name(records, found)
    axis, share = said(first.axis), _share(first.variation)
    ends = ""
    if first.best:
        best, worst = (_levels(records, first.axis, levels, found) for levels in (first.best, first.worst))
        ends = f": best {best}, worst {worst}"
    others = [each for each in found.axes[1:] if each.shown or each.variation.large]
    more = [f"{said(each.axis)} ({_share(each.variation)})" for each in others[:MOST_IN_SHORT]]
    also = f" Then {listed(more)}." if more else ""
    if found.interactions:
        one, other = (said(each) for each in found.interactions[0].axes)
        also += f" The {one} acts differently by {other}."
    if first.shown:
        return f"**What mattered most for the {name} is the {axis}**, {share} of the variation{ends}.{also}"
    why = "" if first.testable else f" {number_of(found.seeds, 'seed')} are too few for a test of it."
    if _depends(found):
        return _depending(found, name)
    if first.variation.large:
        why = why or " The test does not show it."
        part = f"**In these runs the {axis} goes with the largest part of the variation in the {name}** ({share})"
        return f"{part}{ends}.{also}{why}"
    crowded = "".join(f"{text} " for text in _crowded(found))
    else_ = "else " if crowded else ""
    seen = "" if not first.testable else f" {_detectable(first, found)}"
    chance = _percent(first.variation.chance)
    return (
        f"{crowded}**Nothing {else_}that varied has an effect on the {name} that these runs could show**: "
        f"most goes with the {axis}, {share} of the variation, where chance gives {chance}.{also}{seen}{why}"
    )


def also_in_scores(records: Records, found: Effects) -> str:
    """What goes with the best score where the share solved is compared: an axis may act among the runs of one outcome.

    Returns:
        A sentence on the axes and interactions that the share solved does not show; empty if there are none.
    """
    score = MEASURES["best_score"]
    if found.measure.name != "solved" or crossings(records, score) or records.cells["best_score"].isna().all():
        return ""
    other = effects(records, score)
    known = {each.axis for each in found.axes if each.shown or each.variation.large}
    axes = [each for each in other.axes if each.axis not in known and (each.shown or each.variation.large)]
    pairs = [each for each in other.interactions if {*each.axes} not in [{*own.axes} for own in found.interactions]]
    texts = [f"the {said(each.axis)} with {_share(each.variation)} of the variation" for each in axes[:MOST_IN_SHORT]]
    texts += [f"the {axes_said(each.axes)} together with {_share(each)}" for each in pairs[:MOST_IN_SHORT]]
    return f"In the {score.label.format(score=records.score_name)} also {listed(texts)}." if texts else ""


def _depends(found: Effects) -> bool:
    """Whether two axes together have an effect where none has one of its own."""
    return bool(found.interactions) and not any(each.shown or each.variation.large for each in found.axes)


def _depending(found: Effects, name: str) -> str:
    pair = found.interactions[0]
    one, other = (said(each) for each in pair.axes)
    return (
        f"**What the {one} does to the {name} depends on the {other}**: {_share(pair)} of the variation goes with the "
        "two together, and no axis alone goes with much of it."
    )


def _crowded(found: Effects) -> list[str]:
    return [
        f"The {said(axis)} has {count} levels, too many to compare one with another."
        for axis, count in found.crowded.items()
    ]


def _nothing(records: Records, found: Effects) -> str:
    if found.varies:
        return "**No axis could be compared:** each has too many levels."
    known = "have no number to compare" if not found.runs else f"have the same {_name(records, found)}"
    return f"**Nothing to compare:** all {number_of(len(records.cells), 'run')} {known} ({found.why})."


def _name(records: Records, found: Effects) -> str:
    return found.measure.label.format(score=records.score_name)


def _headline(records: Records, found: Effects, name: str) -> str:
    """The axis with the largest share of the variation and what is known of it; for nothing, what would be found."""
    if not found.axes:
        return ""
    first, seeds = found.axes[0], number_of(found.seeds, "seed")
    axis, share = said(first.axis), _share(first.variation)
    others = [said(each.axis) for each in found.axes[1:] if each.shown]
    if first.shown:
        also = f" There is an effect of {listed(others)} as well." if others else ""
        return (
            f"**What mattered most for the {name} is the {axis}:** {share} of the variation goes with it. "
            f"{_contrast(records, first, found)}{also}"
        )
    if _depends(found):
        return f"{_depending(found, name)} {_contrast(records, first, found)}"
    if others or first.variation.large or not any(each.testable for each in found.axes):
        text = f"**In these runs the {axis} goes with the largest part of the variation in the {name}** ({share})."
        if not first.variation.large:
            text = (
                f"**In these runs nothing that varied goes with much more of the variation in the {name} than "
                f"chance**: the {axis} with {share}, levels drawn at random with {_percent(first.variation.chance)}."
            )
        text = f"{text} {_contrast(records, first, found)} {_why_not_shown(first, found)}"
        return text + (f" There is an effect of {listed(others)}." if others else "")
    return (
        f"**No axis has an effect on the {name} that {number_of(found.runs, 'run')} with {seeds} could show.** The "
        f"largest share of the variation goes with the {axis}: {share}, where levels drawn at random would have "
        f"{_percent(first.variation.chance)}. {_contrast(records, first, found)} {_detectable(first, found)}"
    )


def _contrast(records: Records, effect: Effect, found: Effects) -> str:
    """The best and the worst level with their numbers, and the difference in pairs."""
    if not effect.pairs:
        return "No two of its runs differ in nothing else, so that no difference can be given."
    axis = said(effect.axis)
    if not effect.best:
        pairs = f"{number_of(effect.pairs, 'pair')} of {number_of(effect.seeds, 'seed')}"
        return f"All of its levels stand the same (in {pairs})."
    ends = [_levels(records, effect.axis, levels, found) for levels in (effect.best, effect.worst)]
    p = f", p = {number(effect.p_holm, 2)}" if effect.testable else ""
    own = [said(name) for name in records.varied if owner_of(name) == effect.axis]
    medians_of = f"; of runs that differ in the {listed(own)} their median" if own else ""
    return (
        f"Best is {ends[0]}, worst {ends[1]}; in {number_of(effect.pairs, 'pair')} of runs that differ in the {axis} "
        f"alone ({number_of(effect.seeds, 'seed')}{medians_of}) the difference is {_difference(effect, found)}, the "
        f"rank-biserial correlation {effect.effect:.2f}{p}."
    )


def _why_not_shown(effect: Effect, found: Effects) -> str:
    """Why the runs describe themselves alone: too few seeds, or a p that is too large."""
    if not effect.pairs:
        return ""
    if effect.testable:
        return f"The test does not show it (p above {ALPHA:g}). {_detectable(effect, found)}"
    axes, levels = number_of(len(found.axes), "axis", "axes"), number_of(len(effect.levels), "level")
    enough = f"{effect.needed} seeds would be the fewest" if effect.needed else "no number of seeds would be enough"
    return (
        f"This describes these runs and proves nothing about others: with {number_of(effect.seeds, 'seed')} no effect "
        f"can be shown, however large; for {levels} and {axes} {enough}."
    )


def _detectable(effect: Effect, found: Effects) -> str:
    """The smallest difference that the test finds in 80% of cases with these seeds."""
    if math.isnan(effect.detectable):
        return ""
    share = found.measure.share
    what = "a difference of" if share else "a rank-biserial correlation of"
    how = (
        "closed form, where the better level is never the worse one in a pair"
        if share
        else "simulated with normal differences"
    )
    return (
        f"With {number_of(effect.seeds, 'seed')} the test finds {what} {effect.detectable:.2f} or more in 80% of cases "
        f"({how}; a seed counts as one pair), a smaller one less often."
    )


def _shapes(found: Effects) -> list[str]:
    """How the measure goes along each numeric axis that has an effect, or the largest share."""
    chosen = [each for each in found.axes if each.shape and (each.shown or each is found.axes[0])]
    return [
        f"By {said(each.axis)} ({number_of(len(each.levels), 'level')}): "
        f"{SHAPES[str(each.shape)].format(best=_names(each.best))}."
        for each in chosen
    ]


def _together(records: Records, each: Variation, found: Effects) -> str:
    """An interaction: its share of the variation, and the best level of one axis at each level of the other."""
    by_axis = {effect.axis: effect for effect in found.axes}
    outer, inner = sorted(each.axes, key=lambda axis: (len(by_axis[axis].levels), each.axes.index(axis)))
    text = (
        f"**The {said(inner)} acts differently by {said(outer)}:** {_share(each)} of the variation goes with the two "
        "together, beyond what each adds alone"
    )
    test = f"p = {number(each.p, 2)}" if each.p <= ALPHA else "too few seeds to test it"
    parts = []
    for level in by_axis[outer].levels[:MOST_NAMED]:
        best = best_levels(records.select(**{outer: level}), inner, found.measure)
        parts.append(f"at {level_said(level)}: {_names(best) if best else 'none'}")
    more = "; ..." if len(by_axis[outer].levels) > MOST_NAMED else ""
    return f"{text} (n = {found.runs}, {test}). Best {said(inner)} by {said(outer)}, {'; '.join(parts)}{more}."


def _left_out(found: Effects) -> list[str]:
    """Sentences on the axes that were not compared, and on holes in the grid."""
    texts = _crowded(found)
    if found.missing:
        have = "has" if found.missing == 1 else "have"
        texts.append(f"{number_of(found.missing, 'cell')} of the grid {have} no run; the pairs are those there are.")
    return texts


def _table(records: Records, found: Effects, name: str) -> Tabular:
    """A row for each axis: its share of the variation, its best and worst level, and their difference."""
    rows = []
    for each in found.axes:
        rows.append(
            {
                "axis": said(each.axis),
                "levels": str(len(each.levels)),
                "share of the variation": f"{_share(each.variation)} ({_percent(each.variation.chance)})",
                "best level": _levels(records, each.axis, each.best, found) if each.best else EMPTY,
                "worst level": _levels(records, each.axis, each.worst, found) if each.worst else EMPTY,
                "difference": _difference(each, found),
                "pairs": str(each.pairs),
                "p": number(each.p_holm, 2) if each.seeds > 1 else EMPTY,
            }
        )
    share = found.measure.share
    caption = (
        f"Every axis that varied, by its share of the variation in the {name} ({found.why}; n = {found.runs} runs, "
        f"{number_of(found.seeds, 'seed')}): eta squared of the ranks given the other axes, in brackets what levels "
        "drawn at random would have. Best minus worst level in pairs that differ in this axis alone"
    )
    caption += ", difference of the shares" if share else ", median over seeds"
    intervals = any(not math.isnan(each.low) for each in found.axes)
    caption += " with 95% interval over seeds" if intervals else "; the seeds are too few for an interval"
    caption += "; interval and p are corrected for the choice of the two levels, p for the number of axes (Holm)."
    return Tabular(render(pd.DataFrame(rows), names=1), caption)


def _levels(records: Records, axis: str, levels: tuple[Any, ...], found: Effects) -> str:
    """`GRU (82 of 90)`, `0.01 (median 0.93, n = 12)`; several levels if they are tied."""
    values, texts = per_run(records, found.measure), []
    for level in levels:
        own = values[(records.cells[axis] == level).to_numpy()].dropna()
        if found.measure.share:
            text = f"{int(own.sum())} of {len(own)}"
        else:
            middle = float(medians(own.to_numpy(dtype=float)))
            text = f"median {found.measure.worst if math.isinf(middle) else number(middle)}, n = {len(own)}"
        texts.append(f"{level_said(level)} ({text})")
    return listed(texts) + (", tied" if len(texts) > 1 else "")


def _names(levels: tuple[Any, ...]) -> str:
    return listed([level_said(level) for level in levels])


def _share(variation: Variation) -> str:
    return _percent(variation.share)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 or share < 1e-9 else "under 1%"


def _difference(effect: Effect, found: Effects) -> str:
    """Best minus worst with its interval; of an infinite one which rank it is from."""
    if not found.measure.share or math.isnan(effect.difference):
        infinite = f"that from {found.measure.worst}"
        return with_interval(effect.difference, effect.low, effect.high, infinite=infinite)
    bounds = "" if math.isnan(effect.low) else f" [{effect.low:z.2f}, {effect.high:z.2f}]"
    return f"{effect.difference:z.2f}{bounds}"
