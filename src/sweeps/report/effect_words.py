"""An effect in words, as every sentence on it says it: its levels with their numbers, its difference, its test."""

from __future__ import annotations

import math
from typing import Any

from sweeps.analysis.labels import axes_said, level_said, listed, said
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects
from sweeps.analysis.statistics.intervals import medians
from sweeps.analysis.statistics.measures import per_run
from sweeps.analysis.statistics.one_axis import Effect
from sweeps.analysis.statistics.paired import ALPHA
from sweeps.analysis.text import digits_apart, number, number_of, with_interval

CLOSE = 0.01
"""Difference of two levels, as a share of the larger one, below which neither is called best."""
MUCH = 0.25
"""Share of the variation beyond chance from which on levels are called best and worst in very few runs, too."""
MOST_TIED = 4
"""Levels that are named where several are tied."""


def measure_name(records: Records, found: Effects) -> str:
    """`best explained variance`."""
    return found.measure.label.format(score=records.score_name)


def axis_name(effect: Effect) -> str:
    """`architecture`, or `architecture (or learning rate, which changes with it)`."""
    return said(effect.axis) + (f" (or {axes_said(effect.along)}, which changes with it)" if effect.along else "")


def alone(effect: Effect) -> str:
    """What follows "runs that differ in the architecture": `alone`, or `and the learning rate that changes with it`."""
    return f"and the {axes_said(effect.along)} that changes with it" if effect.along else "alone"


def percent_of(share: float) -> str:
    """A share of the variation: `31%`, `under 1%`."""
    return f"{share:.0%}" if share >= 0.005 or share < 1e-9 else "under 1%"


def share(effect: Effect) -> str:
    """The share of the variation that goes with an axis."""
    return percent_of(effect.variation.share)


def by_chance(effect: Effect) -> str:
    """`31%, where levels drawn at random have 7% on average`."""
    return f"{share(effect)}, where levels drawn at random have {percent_of(effect.variation.chance)} on average"


def seeds(effect: Effect, found: Effects) -> str:
    """`6 seeds`; `4 of the 6 seeds` where the others have no pair of these levels."""
    return (
        number_of(found.seeds, "seed") if effect.seeds == found.seeds else f"{effect.seeds} of the {found.seeds} seeds"
    )


def names(axis: str, levels: tuple[Any, ...]) -> str:
    """`orthogonal and identity`."""
    return listed(few([level_said(axis, level) for level in levels]))


def few(texts: list[str]) -> list[str]:
    """The texts; of more than `MOST_TIED` the first, and how many more there are."""
    return texts if len(texts) <= MOST_TIED else [*texts[: MOST_TIED - 1], f"{len(texts) - MOST_TIED + 1} more"]


def levels_said(records: Records, axis: str, levels: tuple[Any, ...], found: Effects, digits: int = 3) -> str:
    """`GRU (82 of 90)`, `0.01 (median 0.93, n = 12)`; several levels if they are tied."""
    values, texts = per_run(records, found.measure), []
    for level in levels[:MOST_TIED]:
        own = values[(records.cells[axis] == level).to_numpy()].dropna()
        if found.measure.share:
            text = f"{int(own.sum())} of {len(own)}"
        else:
            middle = float(medians(own.to_numpy(dtype=float)))
            text = f"median {found.measure.worst if math.isinf(middle) else number(middle, digits)}, n = {len(own)}"
        texts.append(f"{level_said(axis, level)} ({text})")
    texts += [""] * (len(levels) - len(texts))  # only counted
    return listed(few(texts)) + (", tied" if len(levels) > 1 else "")


def ends(records: Records, effect: Effect, found: Effects) -> str:
    """`best GRU (16 of 16), worst LSTM (0 of 16)`; empty where all levels stand the same.

    The best level wins most pairs. It is not called best where the numbers of its runs are no better than those of the
    worst, nor where they differ by less than `CLOSE`; nor are any levels of an axis that goes
    with no more of the variation than luck gives (`Effect.named`), unless its share is `MUCH` beyond chance.
    """
    if not effect.best:
        return ""
    ahead, behind = (middle(records, effect.axis, each[0], found) for each in (effect.best, effect.worst))
    digits = digits_apart(ahead, behind)
    best, worst = (levels_said(records, effect.axis, each, found, digits) for each in (effect.best, effect.worst))
    if not (effect.named or effect.variation.excess >= MUCH):
        return f"farthest apart: {best} against {worst}"
    if not (ahead - behind) * found.measure.better > 0:
        first = _end(effect, effect.best)
        return f"{best} wins most pairs and {worst} fewest, but the runs of {first} are no better taken together"
    if abs(ahead - behind) < CLOSE * (1.0 if found.measure.share else max(abs(ahead), abs(behind))):
        return f"its levels differ by less than {CLOSE:.0%}: {best} against {worst}"
    return f"best {best}, worst {worst}"


def middle(records: Records, axis: str, level: Any, found: Effects) -> float:
    """The median over the runs of a level; of a share the share."""
    own = per_run(records, found.measure)[(records.cells[axis] == level).to_numpy()].dropna().to_numpy(dtype=float)
    return float(own.mean() if found.measure.share else medians(own))


def difference(effect: Effect, found: Effects) -> str:
    """Best minus worst with its interval; of an infinite one which rank it is from."""
    if not found.measure.share or math.isnan(effect.difference):
        infinite = f"that from {found.measure.worst}"
        return with_interval(effect.difference, effect.low, effect.high, infinite=infinite)
    bounds = "" if math.isnan(effect.low) else f" [{effect.low:z.2f}, {effect.high:z.2f}]"
    return f"{effect.difference:z.2f}{bounds}"


def contrast(records: Records, effect: Effect, found: Effects) -> str:
    """The best and the worst level with their numbers, and the difference in pairs."""
    axis = said(effect.axis)
    if not effect.pairs:
        return f"No two runs differ in the {axis} and in nothing else, so that no difference can be given."
    pairs = number_of(effect.pairs, "pair")
    if not effect.best:
        return f"No level of the {axis} wins more pairs than another ({pairs}, {seeds(effect, found)})."
    own = [said(name) for name in records.varied if owner_of(name) == effect.axis]
    medians_of = f"; of runs that differ in the {listed(own)} their median" if own else ""
    p = f", p = {number(effect.p_holm, 2)}" if effect.testable else ""
    levels = ends(records, effect, found)
    levels = f"Best is{levels.removeprefix('best')}" if levels.startswith("best ") else capitalised(levels)
    tied = len(effect.best) + len(effect.worst) > 2
    between = f" between {_end(effect, effect.best)} and {_end(effect, effect.worst)}" if tied else ""
    return (
        f"{levels}; in {pairs} of runs that differ in the {axis} {alone(effect)} ({seeds(effect, found)}"
        f"{medians_of}) the difference{between} is {difference(effect, found)}, the rank-biserial correlation "
        f"{effect.effect:.2f}{p}."
    )


def _end(effect: Effect, levels: tuple[Any, ...]) -> str:
    return level_said(effect.axis, levels[0])


def capitalised(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def not_confirmed(effect: Effect, found: Effects) -> str:
    """Why an effect is no more than these runs: the p of its test, or that there can be none."""
    if effect.testable:
        return f"The test over seeds does not confirm it: p = {number(effect.p_holm, 2)}, above {ALPHA:g}."
    return f"This describes these runs alone: {too_few(effect, found)}." if effect.pairs else ""


def too_few(effect: Effect, found: Effects) -> str:
    """`no test over 4 seeds can show an effect of the gain, however large: corrected for 3 levels and 1 axis ...`."""
    have = f"the {seeds(effect, found)} that have both levels" if effect.seeds < found.seeds else seeds(effect, found)
    of = f"{number_of(len(effect.levels), 'level')} and {number_of(len(found.axes), 'axis', 'axes')}"
    enough = f"it would take at least {effect.needed} seeds" if effect.needed else "for so many no seeds are enough"
    return (
        f"no test over {have} can show an effect of the {said(effect.axis)}, however large: corrected for {of}, no p "
        f"can reach {ALPHA:g}; {enough}"
    )


def detectable(effect: Effect | None, found: Effects) -> str:
    """The smallest difference that the test finds in 80% of cases with these seeds; empty where there is none."""
    if effect is None:
        return ""
    of_shares = found.measure.share
    what = "a difference of" if of_shares else "a rank-biserial correlation of"
    how = (
        "closed form, where the better level is never the worse one in a pair"
        if of_shares
        else "1 where the better level wins every pair, 0 where neither does; simulated with normal differences"
    )
    of = f" of the {said(effect.axis)}" if len(found.axes) > 1 else ""
    return (
        f"With {number_of(effect.seeds, 'seed')} the test{of} finds {what} {effect.detectable:.2f} or more in 80% of "
        f"cases ({how}; a seed counts as one pair), a smaller one less often."
    )
