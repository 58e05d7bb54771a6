"""What one axis does to a measure, for any grid: its best against its worst level, in pairs of runs.

The best and the worst level are chosen by the same runs that compare them. So p and the confidence of the interval are
corrected for all pairs of levels that can be compared (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import may_vary, owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.loading.time_steps import SETTING
from sweeps.analysis.statistics import variation
from sweeps.analysis.statistics.design import lay_out
from sweeps.analysis.statistics.detectable import detectable_effect, detectable_share
from sweeps.analysis.statistics.intervals import (
    CONFIDENCE,
    NO_INTERVAL,
    Floats,
    mean_interval,
    median_coverage,
    median_interval,
    medians,
)
from sweeps.analysis.statistics.measures import Measure, per_run
from sweeps.analysis.statistics.paired import ALPHA, FLIPS, compare_pairs, differences, smallest_p, times

EQUAL = 1e-9
"""Difference in standing up to which two levels are tied."""


@dataclass(frozen=True)
class Effect:
    """What one axis does to the measure.

    Attributes:
        levels: those with a pair, in their order (no clipping is no threshold: no run differs from it in that alone);
            where there is no pair, those with a run.
        standing: of each the share of its pairs with another level that it wins minus the share that it loses, NaN
            where there is no pair.
        best, worst: the levels of the highest and the lowest standing, several if they are tied; none if all are.
        variation: the share of the variation.
        seeds, pairs: pairs of a run at the first of `best` and one at the first of `worst`, the same otherwise.
        difference, low, high: best minus worst in the unit of the measure: of shares their difference, else the median
            over seeds of the median of a seed's pairs; the interval is NaN where the seeds are too few for one.
        effect: matched-pairs rank-biserial correlation, above 0 where the best is better.
        p: corrected for the pairs of levels; `p_holm` for the axes, too.
        needed: the fewest seeds with which `p_holm` could reach `ALPHA`.
        detectable: the smallest difference of shares, or rank-biserial correlation, found in 80% of cases; NaN: none.
        shape: of a numeric axis with three levels or more: "rises" or "falls" from level to level, "peaks" inside its
            range, "end" if the best is at one end but not level by level; else None.
        along: settings that are no axis and differ in pairs of these two levels: what they do cannot be told apart.
    """

    axis: str
    levels: tuple[Any, ...]
    standing: tuple[float, ...]
    best: tuple[Any, ...]
    worst: tuple[Any, ...]
    variation: variation.Variation
    seeds: int = 0
    pairs: int = 0
    difference: float = math.nan
    low: float = math.nan
    high: float = math.nan
    effect: float = math.nan
    p: float = math.nan
    p_holm: float = math.nan
    needed: int | None = None
    detectable: float = math.nan
    shape: str | None = None
    along: tuple[str, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether the runs show an effect beyond themselves."""
        return self.p_holm <= ALPHA

    @property
    def testable(self) -> bool:
        """Whether there are seeds enough to show one, if it were large."""
        return self.needed is not None and self.seeds >= self.needed

    @property
    def named(self) -> bool:
        """Whether it is worth a word: shown, or large in these runs."""
        return self.shown or self.variation.large


def effect_of(records: Records, axis: str, values: pd.Series, measure: Measure, share: variation.Variation) -> Effect:
    """The effect of an axis; its p is not corrected for other axes, and what is within reach not yet known."""
    design = lay_out(records, (axis,), values, "allow")
    has_run = set(records.cells[axis].dropna())
    rows = [index for index, level in enumerate(design.combinations[axis]) if level in has_run]
    levels, array = [design.combinations[axis][index] for index in rows], design.values[rows]
    standing = standings(array, measure.better)
    paired = ~np.isnan(standing)
    if not paired.any():
        return Effect(axis, tuple(levels), tuple(standing.tolist()), (), (), share)
    levels = [level for level, own in zip(levels, paired, strict=True) if own]
    array, standing = array[paired], standing[paired]
    best, worst = _ends(levels, standing)
    effect = Effect(axis, tuple(levels), tuple(standing.tolist()), best, worst, share, shape=_shape(levels, standing))
    first, second = (levels.index(best[0]), levels.index(worst[0])) if best else (0, len(levels) - 1)
    choices = times(records) * len(levels) * (len(levels) - 1) // 2
    pair = compare_pairs(array[[first]], array[[second]], share=measure.share).iloc[0]
    low, high = _interval(differences(array[first], array[second]), measure, choices)
    return replace(
        effect,
        seeds=int(pair["seeds"]),
        pairs=int(pair["pairs"]),
        difference=float(pair["difference"]),
        low=low,
        high=high,
        effect=float(measure.better * pair["effect"]),
        p=min(1.0, choices * float(pair["p"])) if pair["pairs"] else math.nan,
        along=_along(records, axis, (levels[first], levels[second])),
    )


def best_levels(records: Records, axis: str, measure: Measure) -> tuple[Any, ...]:
    """The levels of an axis with the highest standing; none if all are tied or nothing can be paired."""
    design = lay_out(records, (axis,), per_run(records, measure), "allow")
    return _ends(list(design.combinations[axis]), standings(design.values, measure.better))[0]


def standings(values: Floats, better: int) -> Floats:
    """`[C]` from `[C, S, B]`: the share of a level's pairs with another one that it wins minus the share it loses."""
    found = np.full(len(values), np.nan)
    for index, own in enumerate(values):
        against = np.delete(differences(own[None], values), index, axis=0)
        known = ~np.isnan(against)
        if known.any():
            found[index] = better * np.sign(against[known]).mean()
    return found


def _along(records: Records, axis: str, ends: tuple[Any, Any]) -> tuple[str, ...]:
    """The settings beside the axes that differ in pairs of runs at two levels; those that belong to the axis do not
    count."""
    cells = records.cells[records.cells[axis].isin(ends)]
    same = [*(each for each in records.axes if each != axis and owner_of(each) != axis), "seed"]
    known = {*records.axes, *records.tuned, SETTING}
    rest = [name for name in records.settings if name in cells and may_vary(name) and name not in known]
    rest = [name for name in rest if owner_of(name) not in records.tuned]
    own = [name for name in rest if owner_of(name) != axis or name == "hidden"]
    differ = [name for name in own if cells[name].nunique() > 1]
    pairs = cells.groupby(same, dropna=False, observed=True)
    return tuple(name for name in differ if (pairs[name].nunique() > 1).any())


def _interval(d: Floats, measure: Measure, choices: int) -> tuple[float, float]:
    """Interval of the difference from `[S, B]` pairs, at a confidence that holds for all `choices` at once."""
    confidence = 1.0 - (1.0 - CONFIDENCE) / choices
    if measure.share:
        by_seed = [row[~np.isnan(row)].mean() for row in d if not np.isnan(row).all()]
        return mean_interval(by_seed, -1.0, 1.0, confidence=confidence)
    middle = medians(d)
    n = int((~np.isnan(middle)).sum())
    if n < 2 or median_coverage(n, confidence=confidence) < confidence:
        return NO_INTERVAL
    return median_interval(middle, confidence=confidence)


def _ends(levels: Sequence[Any], standing: Floats) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The levels of the highest and of the lowest standing; none of either where all stand the same."""
    known = standing[~np.isnan(standing)]
    if not len(known) or known.max() - known.min() <= EQUAL:
        return (), ()
    both = list(zip(levels, standing, strict=True))
    best, worst = (tuple(x for x, own in both if abs(own - end) <= EQUAL) for end in (known.max(), known.min()))
    return best, worst


def _shape(levels: Sequence[Any], standing: Floats) -> str | None:
    """How the standing goes along a numeric axis; see `Effect`."""
    if any(isinstance(level, str | bool) for level in levels) or len(levels) < 3 or np.ptp(standing) <= EQUAL:
        return None
    steps = np.diff(standing)
    if (steps >= -EQUAL).all() or (steps <= EQUAL).all():
        return "rises" if standing[-1] > standing[0] else "falls"
    return "peaks" if max(standing[0], standing[-1]) < standing.max() - EQUAL else "end"


def within_reach(effect: Effect, axes: int, measure: Measure, factor: int = 1) -> Effect:
    """The effect with the fewest seeds that could show it, and the difference that these seeds would have shown.

    Args:
        axes: number of axes that are tested, for which p is corrected.
        factor: by how much p is multiplied besides (`paired.times`).
    """
    choices = factor * len(effect.levels) * (len(effect.levels) - 1) // 2
    alpha = ALPHA / (choices * max(axes, 1))
    most = round(math.log2(FLIPS + 1)) + 1
    needed = next((n for n in range(2, most + 1) if smallest_p(n) <= alpha), None)
    find = detectable_share if measure.share else detectable_effect
    return replace(effect, needed=needed, detectable=find(effect.seeds, alpha) if effect.seeds else math.nan)
