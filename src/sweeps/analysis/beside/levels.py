"""How the runs of two sweeps did over all, whatever the axes: how many solved, how many diverged, the median score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.intervals import Floats, medians
from sweeps.analysis.statistics.measures import MEASURES, Measure, crossings, per_run
from sweeps.analysis.statistics.paired import ALPHA, compare_pairs
from sweeps.analysis.text import number

COUNTED = {"solved": "runs solved", "diverged": "runs diverged"}
"""Measures that are told as numbers of runs."""


@dataclass(frozen=True)
class Level:
    """A number over all runs of either side: what it is called, as texts of a and b, and the p of their difference."""

    about: str
    a: str
    b: str
    p: float

    @property
    def shown(self) -> bool:
        """Whether the runs show a difference beyond themselves."""
        return self.p <= ALPHA


def levels(a: Records, b: Records) -> Iterator[Level]:
    """The numbers of runs solved and diverged, and the median best score, or loss where the task has no score.

    p is of the runs paired, with the signs of whole seeds exchanged (`statistics.paired`).

    Args:
        a, b: the paired cells of one task, in the same order.
    """
    for name, about in COUNTED.items():
        ours, theirs = (per_run(each, MEASURES[name]).to_numpy(dtype=float) for each in (a, b))
        a_says, b_says = (f"{int(values.sum())} of {len(values)}" for values in (ours, theirs))
        yield Level(about, a_says, b_says, _p(ours, theirs, a.cells["seed"], MEASURES[name]))
    measure = MEASURES["best_score" if a.cells["best_score"].notna().any() else "best_loss"]
    if crossings(a, measure) or crossings(b, measure):  # how far above the threshold a run was when it ended: chance
        return
    ours, theirs = (per_run(each, measure).to_numpy(dtype=float) for each in (a, b))
    label = measure.label.format(score=a.score_name)
    yield Level(
        f"median {label}", _median(ours, measure), _median(theirs, measure), _p(ours, theirs, a.cells["seed"], measure)
    )


def _median(values: Floats, measure: Measure) -> str:
    middle = float(medians(values))
    return measure.worst if np.isinf(middle) else number(middle, 2)


def _p(ours: Floats, theirs: Floats, seeds: pd.Series, measure: Measure) -> float:
    """p of b against a; NaN without a pair."""
    codes, _ = pd.factorize(seeds)
    place = seeds.groupby(codes).cumcount().to_numpy()
    both = np.full((2, 1, codes.max() + 1, place.max() + 1), np.nan)
    both[0, 0, codes, place], both[1, 0, codes, place] = theirs, ours
    return float(compare_pairs(*both, share=measure.share)["p"].iloc[0])
