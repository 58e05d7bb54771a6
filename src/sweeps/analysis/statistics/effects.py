"""Which of the axes that varied matters for a measure, and by how much, for any grid: its best against its worst level.

The best and the worst level are chosen by the same runs that compare them. So p and the confidence of the interval are
corrected for all pairs of levels of the axis (Bonferroni), and p for the axes, too (Holm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import may_vary, owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics import variation
from sweeps.analysis.statistics.design import lay_out, missing_cells
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
from sweeps.analysis.statistics.measures import MEASURES, Measure, crossings, per_run
from sweeps.analysis.statistics.outcomes import solved
from sweeps.analysis.statistics.paired import ALPHA, FLIPS, compare_pairs, differences, holm, smallest_p

MOST_LEVELS = 30
"""An axis with more levels (a random search) is not compared level by level."""
FEW = 0.1
"""Share of runs that solved the task, or did not, below which the share solved says little of most runs."""
EQUAL = 1e-9
"""Difference in standing up to which two levels are tied."""


@dataclass(frozen=True)
class Effect:
    """What one axis does to the measure.

    Attributes:
        levels: those with a run, in their order; `standing` of each: the share of its pairs with another level that
            it wins minus the share that it loses, NaN for a level without a pair.
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


@dataclass(frozen=True)
class Effects:
    """The effects of all axes that varied, the largest share of the variation (beyond chance) first.

    Attributes:
        why: why this measure was taken, a clause; empty if the caller chose it.
        runs, seeds: with a number.
        same: the number that all runs have; None where they differ or have none.
        interactions: of two axes, those that are named; their p is corrected by Holm's method.
        crowded: axes with more than `MOST_LEVELS` levels, with their number.
        missing: cells of the grid without a run.
    """

    measure: Measure
    why: str
    runs: int
    seeds: int
    same: float | None
    axes: tuple[Effect, ...]
    interactions: tuple[variation.Variation, ...]
    crowded: dict[str, int]
    missing: int

    @property
    def varies(self) -> bool:
        """Whether not all of the numbers are equal."""
        return self.runs > 0 and self.same is None


_SHARES: WeakKeyDictionary[Records, dict[str, dict[str, variation.Variation]]] = WeakKeyDictionary()
"""The shares of the axes by measure, for as long as the records are in use: every figure and caption asks for them."""


def measure_that_varies(records: Records) -> tuple[Measure, str]:
    """Share solved where some runs solved the task and others did not; else what still tells them apart, and why.

    Where fewer than `FEW` of them did the one or the other, their numbers tell more of the rest; where all did, how
    soon they did.
    """
    reached, runs = int(solved(records.cells).sum()), len(records.cells)
    if FEW * runs <= reached <= (1 - FEW) * runs:
        return MEASURES["solved"], "some runs solved the task and others did not"
    count = "every run" if reached == runs else f"{reached} of {runs} runs" if reached else "no run"
    why = f"{count} solved the task"
    if crossings(records, MEASURES["best_score"]):
        return MEASURES["solved_step"], f"{why} and ended there"
    if reached == runs and per_run(records, MEASURES["solved_step"]).nunique() > 1:
        return MEASURES["solved_step"], why
    if per_run(records, MEASURES["best_score"]).nunique() > 1:
        return MEASURES["best_score"], why
    scored = records.cells["best_score"].notna().any()
    return MEASURES["best_loss"], f"{why}, and the best score is the same" if scored else "the task has no score"


def by_importance(records: Records, measure: Measure | None = None) -> list[str]:
    """The axes that varied, that with the largest share of the variation (beyond chance) first.

    Those whose share is not large (`Variation.large`) keep the order of the records, and an axis with more than
    `MOST_LEVELS` levels comes last.

    Args:
        records: of one task.
        measure: by default that of `measure_that_varies`.
    """
    shares = _shares(records, measure or measure_that_varies(records)[0])
    ordered = sorted(shares, key=lambda axis: -shares[axis].excess if shares[axis].large else 0.0)
    return [*ordered, *(axis for axis in records.varied if axis not in shares)]


def effects(records: Records, measure: Measure | None = None) -> Effects:
    """The effect of every axis that varied.

    Args:
        records: of one task.
        measure: one where more or less is better; by default that of `measure_that_varies`.
    """
    why = ""
    if measure is None:
        measure, why = measure_that_varies(records)
    values = per_run(records, measure)
    shares = _shares(records, measure)
    axes = list(shares)
    crowded = {axis: int(records.cells[axis].nunique()) for axis in records.varied if axis not in shares}
    found = [_effect(records, axis, values, measure, shares[axis]) for axis in axes]
    adjusted = holm(np.array([each.p for each in found], dtype=np.float64))
    found = [replace(each, p_holm=float(p)) for each, p in zip(found, adjusted, strict=True)]
    found = [_within_reach(each, sum(other.pairs > 0 for other in found), measure) for each in found]
    found.sort(key=lambda each: -each.variation.excess)
    seeds = int(records.cells.loc[values.notna(), "seed"].nunique())
    return Effects(
        measure,
        why,
        int(values.notna().sum()),
        seeds,
        float(values.dropna().iloc[0]) if values.nunique() == 1 else None,
        tuple(found),
        named_pairs(variation.of_pairs(records.cells[[*axes, "seed"]], axes, values), seeds),
        crowded,
        len(missing_cells(records)),
    )


def effects_of(records: Records, measure: Measure | None = None) -> Effects | None:
    """The effects of the axes that varied, as `effects` has them; None where no axis varied."""
    return effects(records, measure) if records.varied else None


def _shares(records: Records, measure: Measure) -> dict[str, variation.Variation]:
    """The share of the variation of each axis that has at most `MOST_LEVELS` levels."""
    known = _SHARES.setdefault(records, {})
    if measure.name not in known:
        axes = [axis for axis in records.varied if records.cells[axis].nunique() <= MOST_LEVELS]
        known[measure.name] = variation.of_axes(records.cells[[*axes, "seed"]], axes, per_run(records, measure))
    return known[measure.name]


def standings(values: Floats, better: int) -> Floats:
    """`[C]` from `[C, S, B]`: the share of a level's pairs with another one that it wins minus the share it loses."""
    found = np.full(len(values), np.nan)
    for index, own in enumerate(values):
        against = np.delete(differences(own[None], values), index, axis=0)
        known = ~np.isnan(against)
        if known.any():
            found[index] = better * np.sign(against[known]).mean()
    return found


def best_levels(records: Records, axis: str, measure: Measure) -> tuple[Any, ...]:
    """The levels of an axis with the highest standing; none if all are tied or nothing can be paired."""
    design = lay_out(records, (axis,), per_run(records, measure), "allow")
    return _ends(list(design.combinations[axis]), standings(design.values, measure.better))[0]


def _effect(records: Records, axis: str, values: pd.Series, measure: Measure, share: variation.Variation) -> Effect:
    design = lay_out(records, (axis,), values, "allow")
    has_run = set(records.cells[axis].dropna())
    rows = [index for index, level in enumerate(design.combinations[axis]) if level in has_run]
    levels, array = [design.combinations[axis][index] for index in rows], design.values[rows]
    standing = standings(array, measure.better)
    best, worst = _ends(levels, standing)
    effect = Effect(axis, tuple(levels), tuple(standing.tolist()), best, worst, share, shape=_shape(levels, standing))
    if np.isnan(standing).all():
        return effect
    known = np.flatnonzero(~np.isnan(standing))
    first, second = (levels.index(best[0]), levels.index(worst[0])) if best else (known[0], known[-1])
    choices = len(levels) * (len(levels) - 1) // 2
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


def _along(records: Records, axis: str, ends: tuple[Any, Any]) -> tuple[str, ...]:
    """The settings beside the axes that differ in pairs of runs at two levels; those that belong to the axis do not
    count."""
    cells = records.cells[records.cells[axis].isin(ends)]
    same = [*(each for each in records.axes if each != axis and owner_of(each) != axis), "seed"]
    rest = [name for name in records.settings if name in cells and may_vary(name) and name not in records.axes]
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
    kept = standing[~np.isnan(standing)]
    if any(isinstance(level, str | bool) for level in levels) or len(kept) < 3 or np.ptp(kept) <= EQUAL:
        return None
    steps = np.diff(kept)
    if (steps >= -EQUAL).all() or (steps <= EQUAL).all():
        return "rises" if kept[-1] > kept[0] else "falls"
    return "peaks" if max(kept[0], kept[-1]) < kept.max() - EQUAL else "end"


def _within_reach(effect: Effect, axes: int, measure: Measure) -> Effect:
    """The effect with the fewest seeds that could show it, and the difference that these seeds would have shown."""
    choices = len(effect.levels) * (len(effect.levels) - 1) // 2
    alpha = ALPHA / (choices * max(axes, 1))
    most = round(math.log2(FLIPS + 1)) + 1
    needed = next((n for n in range(2, most + 1) if smallest_p(n) <= alpha), None)
    find = detectable_share if measure.share else detectable_effect
    return replace(effect, needed=needed, detectable=find(effect.seeds, alpha) if effect.seeds else math.nan)


def named_pairs(pairs: list[variation.Variation], seeds: int) -> tuple[variation.Variation, ...]:
    """The interactions that are large (`Variation.large`), the largest first, their p corrected by Holm's method.

    Where seeds are enough to test them only those that the test finds; otherwise they describe these runs.
    """
    adjusted = holm(np.array([each.p for each in pairs], dtype=np.float64))
    testable = smallest_p(seeds) * len(pairs) <= ALPHA
    found = [
        replace(each, p=float(p))
        for each, p in zip(pairs, adjusted, strict=True)
        if each.large and (p <= ALPHA or not testable)
    ]
    return tuple(sorted(found, key=lambda each: -each.excess))
