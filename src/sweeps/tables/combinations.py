"""Comparison tables: records in, a frame out, one row per combination of the axes, seeds aggregated.

Every combination of the grid has a row; one without a finished run has n = 0 and no numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import grid
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.design import key_of
from sweeps.analysis.statistics.interquartile import iqm, iqm_interval
from sweeps.analysis.statistics.intervals import median_interval, medians
from sweeps.analysis.statistics.measures import MEASURES, per_run
from sweeps.analysis.statistics.outcomes import outcomes
from sweeps.analysis.statistics.summaries import numbers_of

MEDIANS = ("grad_norm", "decay_start", "decay_training", "change_start", "change_training", "clipped", "zeros")


def comparison(records: Records, *, seed: int = 0) -> pd.DataFrame:
    """A row of numbers per arch x init x clip x length (x further axes that the sweep has).

    A listing, not a test: a row sums up the runs that have numbers, `failed` and `unfinished` count the others. The
    tables that compare one row with another (`compare`, `rank` and the rest) refuse a grid with missing cells.

    Args:
        seed: of the draws for the interval of an interquartile mean.

    Returns:
        The axes; `n` (runs with numbers: solved, finished or diverged), `failed` and `unfinished` (runs
        without); `share_` of every one of `outcomes.COUNTS` with `_low, _high` (exact); `solved_step` (median
        updates, solved runs only); `best_score` (median over runs of the best evaluation each reached, -inf for
        a diverged run) with `_low, _high` (order statistics), `iqm_score` (interquartile mean of the same) with
        `_low, _high` (from 11 runs on) and `n_score`, the runs that have such a number; the medians over runs of the
        `MEDIANS` of `statistics.per_cell`.
    """
    axes = list(records.axes)
    cells = records.cells.join(numbers_of(records), on="cell")
    cells["ranked_score"] = per_run(records, MEASURES["best_score"])
    groups = {key_of(row): part for row, part in cells.groupby(axes, dropna=False, observed=True)}
    problems = problem_counts(records, axes)
    rows = []
    combinations = grid(records.planned(), records.axes)
    for values in combinations.itertuples(index=False):
        part = groups.get(key_of(values), cells.iloc[:0])
        kinds = problems.get(key_of(values), {})
        rows.append({**lost_counts(kinds), **_aggregate(part, seed)})
    table = pd.concat([combinations, pd.DataFrame(rows, columns=None if rows else ["n"])], axis=1)
    first = [*axes, "n", "failed", "unfinished"]
    return table[first + [name for name in table if name not in first]]


def lost_counts(kinds: dict[str, int]) -> dict[str, int]:
    """Runs of one combination without numbers: failed, and unfinished (also never begun, or damaged on disk)."""
    return {
        "failed": kinds.get("failed", 0),
        "unfinished": sum(kinds.get(kind, 0) for kind in ("unfinished", "missing", "damaged", "contradictory")),
    }


def _aggregate(part: pd.DataFrame, seed: int) -> dict[str, Any]:
    """The numbers of one row from its cells."""
    score = part["ranked_score"].to_numpy(dtype=float)
    score = score[~np.isnan(score)]
    low, high = median_interval(score)
    iqm_low, iqm_high = iqm_interval(score, seed=seed)
    return {
        **outcomes(part),
        "solved_step": part["solved_step"].median(),
        "best_score": float(medians(score)),
        "best_score_low": low,
        "best_score_high": high,
        "iqm_score": float(iqm(score)) if len(score) else np.nan,
        "iqm_score_low": iqm_low,
        "iqm_score_high": iqm_high,
        "n_score": len(score),
        **{name: part[name].median() for name in MEDIANS},
    }


def problem_counts(records: Records, axes: Sequence[str]) -> dict[tuple[Any, ...], dict[str, int]]:
    """For each combination of the axes the number of its cells by kind of problem."""
    counts: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in records.problems[[*axes, "problem"]].itertuples(index=False):
        kinds = counts.setdefault(key_of(row[:-1]), {})
        kinds[row[-1]] = kinds.get(row[-1], 0) + 1
    return counts
