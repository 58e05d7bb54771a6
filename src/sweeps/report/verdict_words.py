"""The sentences of a verdict that both the first screen and 'What mattered?' say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from sweeps.analysis.labels import level_said, listed, said
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects
from sweeps.analysis.statistics.measures import per_run
from sweeps.analysis.statistics.one_axis import Effect, best_levels
from sweeps.analysis.statistics.variation import Variation
from sweeps.analysis.text import number, number_of
from sweeps.report.effect_words import (
    alone,
    axis_name,
    by_chance,
    detectable,
    measure_name,
    names,
    percent_of,
    share,
    too_few,
)
from sweeps.report.verdict import Verdict

MOST = 2
"""Axes that are named beside the first."""
MOST_LEVELS = 6
"""Levels for each of which an interaction names the best level of the other axis."""
AT_RANDOM = "chance (numbers dealt out at random to the runs of each seed)"
"""What `Variation.luck` compares with."""


def first_shown(told: Verdict, name: str) -> str:
    """The first sentence where the test shows an effect, without its end."""
    assert told.lead is not None
    lead = told.lead
    if told.larger is not None:
        text = f"**The {axis_name(lead)} has an effect on the {name}** (p = {number(lead.p_holm, 2)})"
    elif told.tied:
        text = f"**What mattered most for the {name}, a tie, are {_tied(told)}**"
        return f"{text}: {share(lead)} of the variation goes with each"
    else:
        text = f"**What mattered most for the {name} is the {axis_name(lead)}**"
    return f"{text}: {share(lead)} of the variation goes with it"


def first_seen(told: Verdict, name: str) -> str:
    """The first sentence where an axis stands out in these runs and no test shows it, without its end."""
    assert told.lead is not None
    if told.tied:
        each = f"each with {share(told.lead)} of the variation in the {name}"
        return f"**In these runs {_tied(told)} go {each}, a tie**"
    goes = "goes with the largest part of the variation" if told.larger is None else f"stands out beyond {AT_RANDOM}"
    return f"**In these runs the {axis_name(told.lead)} {goes} in the {name}** ({share(told.lead)})"


def _tied(told: Verdict) -> str:
    assert told.lead is not None
    return listed([f"the {axis_name(each)}" for each in (told.lead, *told.tied)])


def first_nothing(found: Effects, told: Verdict, name: str) -> str:
    """The first sentence where nothing stands out: an effect that a test could have shown, or nothing beyond luck."""
    runs = number_of(found.runs, "run")
    if told.reach is None:
        of = " of anything else" if found.crowded else ""
        return f"**These {runs} cannot tell an effect{of} on the {name} from luck.**"
    nothing = "Nothing else" if found.crowded else "Nothing"
    how = ", alone or together with one other axis" if len(found.axes) > 2 else ""
    return f"**{nothing} that varied has an effect on the {name} that these {runs} could show{how}.**"


def closest(found: Effects, told: Verdict) -> str:
    """The axis with the largest share where nothing stands out, without its end."""
    assert told.lead is not None
    name, chance = axis_name(told.lead), by_chance(told.lead)
    if told.lead.variation.excess > 0:
        return f"Closest to an effect comes the {name}: {chance}"
    if len(found.axes) == 1:
        return f"The {name} has no more of the variation than by chance: {chance}"
    return f"No axis has more of the variation than by chance; the most has the {name}: {chance}"


def larger(told: Verdict) -> str:
    """The axis with a larger share than the one that is named first, and why it is not; empty for none."""
    if told.larger is None:
        return ""
    axis = told.larger
    why = (
        f"which the test does not confirm (p = {number(axis.p_holm, 2)})"
        if axis.testable
        else "which cannot be tested with these seeds"
        if axis.variation.large
        else "which may be luck"
    )
    chance = percent_of(axis.variation.chance)
    return f"Further above chance is the share of the {axis_name(axis)} ({share(axis)}, by chance {chance}), {why}."


def depends(pair: Variation, name: str) -> str:
    """The sentence of two axes that act together more than any acts alone."""
    one, other = (said(each) for each in pair.axes)
    return (
        f"**What the {one} does to the {name} depends on the {other}**: {percent_of(pair.share)} of the variation goes "
        "with the two together, beyond what each adds alone."
    )


def not_found(told: Verdict, found: Effects) -> str:
    """What would have been found where nothing was, and of which axis nothing could be."""
    assert told.lead is not None
    lead, texts = told.lead, [detectable(told.reach, found)]
    if not lead.pairs:
        texts.append(f"No two runs differ in the {said(lead.axis)} and in nothing else, so that it cannot be tested.")
    elif not lead.testable:
        text = too_few(lead, found)
        texts.append(f"{text[0].upper()}{text[1:]}.")
    return " ".join(filter(None, texts))


def others(told: Verdict) -> list[str]:
    """A sentence on the other axes that the test shows, and one on those that stand out in these runs alone."""
    return [
        _also("The test also shows an effect of", told.shown),
        _also(f"Also beyond {AT_RANDOM}, if not by a test over seeds:", told.seen),
    ]


def _also(front: str, effects: Sequence[Effect]) -> str:
    texts = [f"the {axis_name(each)} ({_numbers(each)})" for each in effects[:MOST]]
    more = f" and {len(effects) - MOST} more" if len(effects) > MOST else ""
    return f"{front} {listed(texts)}{more}." if texts else ""


def _numbers(effect: Effect) -> str:
    p = f", p = {number(effect.p_holm, 2)}" if effect.shown else ""
    return f"{share(effect)}{p}"


def inner_and_outer(pair: Variation, found: Effects) -> tuple[str, str]:
    """The axis that acts differently, and that by whose levels: the one with fewer of them."""
    levels = {each.axis: len(each.levels) for each in found.axes}
    outer, inner = sorted(pair.axes, key=lambda axis: (levels[axis], pair.axes.index(axis)))
    return inner, outer


def best_by(records: Records, pair: Variation, found: Effects, most: int = MOST_LEVELS) -> str:
    """`Best init by architecture, at LSTM: identity; at GRU: orthogonal.`, of the first `most` levels; one that is best
    at all of them once."""
    inner, outer = inner_and_outer(pair, found)
    [levels] = [each.levels for each in found.axes if each.axis == outer]
    bests = [best_levels(records.select(**{outer: level}), inner, found.measure) for level in levels]
    told = [names(inner, best) if best else "all alike" for best in bests]
    if bests[0] and len(set(told)) == 1:
        return f"Best at every level of the {said(outer)} is {told[0]}; by how much is what differs."
    texts = [f"at {level_said(outer, level)}: {best}" for level, best in zip(levels[:most], told, strict=False)]
    texts += [f"and {len(levels) - most} more"] if len(levels) > most else []
    return f"Best {said(inner)} by {said(outer)}, {'; '.join(texts)}."


def no_difference(records: Records, found: Effects, told: Verdict) -> str:
    """The sentences on axes that nothing else is said of: they made no difference, and which would have been seen."""
    spoken = {each.axis for each in (told.lead, told.larger, *told.tied, *told.shown, *told.seen) if each is not None}
    spoken |= {axis for each in (told.pair, *found.interactions) if each is not None for axis in each.axes}
    rest = [each for each in found.axes if each.axis not in spoken]
    values = per_run(records, found.measure)
    same = [each for each in rest if alike_without(records, each.axis, values)]
    none = [f"Runs that differ in the {said(each.axis)} {alone(each)} have the same number." for each in same]
    rest = [each for each in rest if each not in same]
    little = [each for each in rest if each.variation.not_luck]
    luck = [each for each in rest if each not in little]
    texts = [f"Little, if more than by luck, goes with {_with_chance(little)}"] if little else []
    texts += [f"{'no' if little else 'No'} difference beyond luck goes with {_with_chance(luck)}"] if luck else []
    seen = [f"{'; '.join(texts)}{seen_if(rest, told, found)}."] if rest else []
    return " ".join([*none, *seen])


def _with_chance(effects: Sequence[Effect]) -> str:
    """`the gain (4% of the variation, by chance 11%) and the init (1%, by chance 2%)`, the first `MOST` of them."""
    of = [" of the variation", *[""] * (len(effects) - 1)]
    numbers = [
        f"{share(each)}{own}, by chance {percent_of(each.variation.chance)}"
        for each, own in zip(effects, of, strict=True)
    ]
    texts = [f"the {axis_name(each)} ({text})" for each, text in zip(effects, numbers, strict=True)]
    return listed(texts) if len(texts) <= MOST else f"{', '.join(texts[:MOST])} and {len(texts) - MOST} more"


def alike_without(records: Records, axis: str, values: pd.Series) -> bool:
    """Whether runs that have the same levels of all other axes and the same seed have the same number."""
    same = [each for each in records.axes if each != axis and owner_of(each) != axis and owner_of(axis) != each]
    counts = values.groupby([records.cells[each] for each in (*same, "seed")], observed=True, dropna=False).nunique()
    return bool((counts == 1).all())


def seen_if(effects: Sequence[Effect], told: Verdict, found: Effects) -> str:
    """What differences would have been found: from which size on, or none, because the seeds are too few; empty where
    that is said of the lead already."""
    known = [each.detectable for each in effects if each.testable and not math.isnan(each.detectable)]
    if not known:
        said_already = told.lead is not None and not told.lead.testable
        return "" if said_already else f"; no test over {number_of(found.seeds, 'seed')} could show one"
    what = "a difference" if found.measure.share else "a rank-biserial correlation (1: every pair has one winner)"
    return f"; {what} of {max(known):.2f} or more would have been found in 80% of cases"


def crowded(found: Effects) -> list[str]:
    """A sentence on each axis that has too many levels."""
    return [
        f"The {said(axis)} has {count} levels, too many to compare one with another."
        for axis, count in found.crowded.items()
    ]


def alike(records: Records, found: Effects) -> str:
    """The sentence where all runs have the same number, or none has one."""
    runs, name = f"all {number_of(len(records.cells), 'run')}", measure_name(records, found)
    why = f" ({found.why})" if found.why else ""
    if found.same is None:
        return f"**Nothing to compare:** no run has a {name}{why}."
    if math.isinf(found.same):
        are = "" if found.measure.worst == "diverged" else "are "
        return f"**Nothing to compare:** {runs} {are}{found.measure.worst}."
    return f"**Nothing to compare:** the {name} is the same in {runs}, {number(found.same)}{why}."
