"""What a study may say of the axes that it varied: decided once, worded on the first screen and in 'What mattered?'."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from sweeps.analysis.statistics.effects import Effects
from sweeps.analysis.statistics.one_axis import Effect
from sweeps.analysis.statistics.paired import ALPHA
from sweeps.analysis.statistics.variation import Variation

EQUAL = 1e-9
"""Difference of two shares up to which they are a tie."""


class Kind(Enum):
    """What comes first in the answer."""

    ALIKE = "all runs have the same number, or none has one"
    CROWDED = "every axis has too many levels to compare them"
    DEPENDS = "two axes together, beyond what any axis does alone"
    SHOWN = "an axis whose effect the test over seeds shows"
    SEEN = "an axis with more of the variation in these runs than by luck, which no test over seeds shows"
    NOTHING = "none of these"


@dataclass(frozen=True)
class Verdict:
    """The decision.

    Attributes:
        lead: the axis that the first sentence is about; None where none can be compared.
        pair: the two axes of DEPENDS.
        tied: the axes with the same share as `lead`, of the same kind.
        shown, seen: the other axes of either kind, the largest share first.
        larger: the axis with a larger share than `lead`, which the runs do not tell from luck; None if there is none.
        reach: the axis of which a difference would have been found, `lead` if it is one; None if it can be of none.
    """

    kind: Kind
    lead: Effect | None = None
    pair: Variation | None = None
    tied: tuple[Effect, ...] = ()
    shown: tuple[Effect, ...] = ()
    seen: tuple[Effect, ...] = ()
    larger: Effect | None = None
    reach: Effect | None = None


def verdict(found: Effects) -> Verdict:
    """The first of the kinds that holds, in the order of `Kind`.

    Two axes together come first if more goes with them than with any axis that is named, and they are tested where an
    axis is shown.
    """
    if not found.varies:
        return Verdict(Kind.ALIKE)
    if not found.axes:
        return Verdict(Kind.CROWDED)
    first = found.axes[0]
    shown = [each for each in found.axes if each.shown]
    seen = [each for each in found.axes if each.variation.large and not each.shown]
    pair = next(iter(found.interactions), None)
    if pair is not None and _above(pair, shown, seen):
        return Verdict(Kind.DEPENDS, first, pair, tuple(shown), tuple(seen))
    kind = Kind.SHOWN if shown else Kind.SEEN if seen else Kind.NOTHING
    lead = (*shown, *seen, first)[0]
    reach = next((each for each in (lead, *found.axes) if each.testable and not math.isnan(each.detectable)), None)
    larger = first if first is not lead and not first.shown else None
    own = shown or seen
    tied = tuple(each for each in own if each is not lead and abs(each.variation.share - lead.variation.share) < EQUAL)
    return Verdict(
        kind,
        lead,
        tied=tied,
        shown=tuple(each for each in shown if each not in (lead, *tied)),
        seen=tuple(each for each in seen if each not in (lead, larger, *tied)),
        larger=larger,
        reach=reach,
    )


def _above(pair: Variation, shown: list[Effect], seen: list[Effect]) -> bool:
    most = max((each.variation.excess for each in (*shown, *seen)), default=-math.inf)
    return pair.excess > most and (not shown or pair.p <= ALPHA)
