"""Whether the gradient of a run arrives at the first time step, beside what the run learned: a row per run."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from sweeps.analysis.loading.records import Records
from sweeps.analysis.logarithm import log10
from sweeps.analysis.recurrent import recurrent
from sweeps.analysis.statistics.effects import by_importance
from sweeps.analysis.statistics.intervals import Floats
from sweeps.analysis.statistics.measures import MEASURES, Measure, crossings, per_run
from sweeps.analysis.statistics.outcomes import diverged, solved
from sweeps.analysis.statistics.summaries import numbers_of

WHEN = {"start": "at the start", "training": "in training"}
"""Columns with the factor per step, and how they are called."""


def arrival(records: Records, *, ends: bool = False, longest: bool = True) -> pd.DataFrame:
    """The factor per step back in time of every run, at the longest length that has one.

    Args:
        records: of one task.
        ends: where no length is long enough for a factor, take the end-to-end change per step at the longest.

        longest: of that length alone; False for every length that has one.

    Returns:
        `cell`, the axes, `seed`, `start` and `training` (the factor itself: 1 is a gradient that arrives as it left, 0
        one that is exactly zero somewhere; NaN where it is not finite), `reached` (as `learned`), `best` (the best
        score, or loss, of the evaluations, diverged or not), `solved`, `diverged`, `whole` (whether the factor is end
        to end).
        No row if there is no factor, and none of an architecture that passes no state.
    """
    cells = records.cells[recurrent(records.cells["arch"])].join(numbers_of(records), on="cell")
    measure = learned(records)
    best = "best_score" if cells["best_score"].notna().any() else "best_loss"
    frame = cells[["cell", *records.axes, "seed"]].assign(
        reached=per_run(records, measure)[cells.index] * measure.better,
        best=cells[best],
        solved=solved(cells),
        diverged=diverged(cells),
    )
    for kind in ("decay", "change") if ends else ("decay",):
        known = cells["length"][cells[f"{kind}_start"].notna()]
        if len(known):
            factors = {when: 10.0 ** cells[f"{kind}_{when}"] for when in WHEN}
            frame = frame.assign(**factors, whole=kind == "change")
            lengths = {known.max()} if longest else set(known)
            return frame[cells["length"].isin(lengths)].reset_index(drop=True)
    return frame.iloc[:0].assign(start=[], training=[], whole=[])


def arrival_by_axis(records: Records) -> tuple[pd.DataFrame, str | None]:
    """`arrival`, or the end-to-end changes, and the axis by which a figure tells the runs apart.

    That is the axis that matters most. Where it is the length, the runs of all lengths are there.
    """
    order = by_importance(records)
    frame = arrival(records, ends=True, longest=order[:1] != ["length"])
    return frame, next((axis for axis in order if frame[axis].nunique() > 1), None)


def learned(records: Records) -> Measure:
    """How well a run learned, in steps: best score; updates until solved where runs end then or all did; best loss
    without a score."""
    if crossings(records, MEASURES["best_score"]) or bool(solved(records.cells).all()):
        return MEASURES["solved_step"]
    return MEASURES["best_score" if records.cells["best_score"].notna().any() else "best_loss"]


def group_of(records: Records, frame: pd.DataFrame) -> str | None:
    """The axis by whose levels runs are told apart: the architecture, or the first axis that varied; None if none did.

    Args:
        frame: from `arrival`, of the same records.
    """
    return next((axis for axis in records.axes if frame[axis].nunique() > 1), None)


def distance(factors: pd.Series) -> pd.Series:
    """How far a factor per step is from 1, in decades; infinite for 0."""
    return log10(factors).abs()


def by_seed(frame: pd.DataFrame, when: str) -> Floats:
    """Spearman's correlation of how near the factor is to 1 with `reached`, among the runs of each seed.

    A seed counts once; one in which either is the same for all of its runs, or with fewer than three, has none.

    Args:
        frame: from `arrival`.
        when: "start" or "training".
    """
    found = []
    for _, part in frame.dropna(subset=[when, "reached"]).groupby("seed"):
        ranks = [stats.rankdata(values) for values in (-distance(part[when]), part["reached"])]
        if len(part) > 2 and all(np.ptp(each) > 0 for each in ranks):
            found.append(float(np.corrcoef(*ranks)[0, 1]))
    return np.array(found, dtype=np.float64)
