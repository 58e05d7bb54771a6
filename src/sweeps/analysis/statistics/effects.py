"""Which of the axes that varied matters for a measure, and by how much: every axis, their order, two of them together.

The p of an axis is corrected for the axes, too (Holm).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics import variation
from sweeps.analysis.statistics.design import missing_cells
from sweeps.analysis.statistics.measures import MEASURES, Measure, crossings, per_run
from sweeps.analysis.statistics.one_axis import Effect, effect_of, within_reach
from sweeps.analysis.statistics.outcomes import solved
from sweeps.analysis.statistics.paired import ALPHA, holm, smallest_p, times

MOST_LEVELS = 30
"""An axis with more levels (a random search) is not compared level by level."""
TIED = 9
"""Decimals of a share up to which two axes are a tie, which keep the order of the records."""
FEW = 0.1
"""Share of runs that solved the task, or did not, below which the share solved says little of most runs."""


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

    Those whose share may be luck (`Variation.not_luck`) keep the order of the records, and an axis with more than
    `MOST_LEVELS` levels comes last.

    Args:
        records: of one task.
        measure: by default that of `measure_that_varies`.
    """
    shares = _shares(records, measure or measure_that_varies(records)[0])
    ordered = sorted(shares, key=lambda axis: -round(shares[axis].excess, TIED) if shares[axis].not_luck else 0.0)
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
    found = [effect_of(records, axis, values, measure, shares[axis]) for axis in axes]
    adjusted = holm(np.array([each.p for each in found], dtype=np.float64))
    found = [replace(each, p_holm=float(p)) for each, p in zip(found, adjusted, strict=True)]
    found = [within_reach(each, sum(other.pairs > 0 for other in found), measure, times(records)) for each in found]
    found.sort(key=lambda each: -round(each.variation.excess, TIED))
    seeds = int(records.cells.loc[values.notna(), "seed"].nunique())
    return Effects(
        measure,
        why,
        int(values.notna().sum()),
        seeds,
        float(values.dropna().iloc[0]) if values.nunique() == 1 else None,
        tuple(found),
        named_pairs(variation.of_pairs(records.cells[[*axes, "seed"]], axes, values), seeds, times(records)),
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


def named_pairs(pairs: list[variation.Variation], seeds: int, factor: int = 1) -> tuple[variation.Variation, ...]:
    """The interactions that are large (`Variation.large`), the largest first, their p corrected by Holm's method.

    Where seeds are enough to test them only those that the test finds; otherwise they describe these runs.
    """
    adjusted = holm(np.minimum(factor * np.array([each.p for each in pairs], dtype=np.float64), 1.0))
    testable = factor * smallest_p(seeds) * len(pairs) <= ALPHA
    found = [
        replace(each, p=float(p))
        for each, p in zip(pairs, adjusted, strict=True)
        if each.large and (p <= ALPHA or not testable)
    ]
    return tuple(sorted(found, key=lambda each: -each.excess))
