"""Every combination of some axes summarised over seeds, and every two combinations compared run by run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import sets_problem
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.design import Design, Incomplete, lay_out, named_axes, named_levels
from sweeps.analysis.statistics.interquartile import iqm, iqm_interval
from sweeps.analysis.statistics.intervals import (
    CONFIDENCE,
    NO_INTERVAL,
    Floats,
    median_interval,
    medians,
    share_interval,
)
from sweeps.analysis.statistics.measures import Measure, crossings, measure_named, per_run
from sweeps.analysis.statistics.paired import all_pairs, compare_pairs, holm, times
from sweeps.errors import SweepsError, unknown

Statistic = Literal["median", "iqm"]


def problems_in(axes: Sequence[str]) -> list[str]:
    """The axes that set the problem: the best combination is marked for each of their levels, not across them."""
    first = [axis for axis in ("task", "length") if axis in axes]
    return first + [axis for axis in axes if sets_problem(axis) and axis not in first]


@dataclass(frozen=True)
class Contrast:
    """The numbers of a comparison.

    Attributes:
        frame: a row per combination: the axes, `n` (seeds with a number), `runs`, `diverged`, `missing`, `value`,
            `low`, `high`, `best`; against the best of the same problem `difference` (this minus best),
            `effect`, `p`, `p_holm` and `worse` (significantly). This difference has no interval, because the best was
            chosen by the same runs; that of two combinations chosen beforehand is in `pairs`.
        pairs: a row per two combinations of one problem: row numbers `first, second` of `frame`, the columns of
            `paired.compare_pairs` (first minus second) and `p_holm`.
        within: the axes for each of whose levels there is a best.
        selected: the levels chosen by the caller.
        crossings: number of runs whose value is only that at which they crossed the threshold
            (`measures.crossings`); if there are any, nothing is best and nothing is tested.
    """

    measure: Measure
    statistic: Statistic
    design: Design
    frame: pd.DataFrame
    pairs: pd.DataFrame
    axes: tuple[str, ...]
    within: tuple[str, ...]
    selected: Mapping[str, Any]
    seed: int
    alpha: float
    score: str
    crossings: int = 0
    factor: int = 1


def contrast(
    records: Records,
    axes: Sequence[str],
    metric: str,
    *,
    within: Sequence[str] | None,
    select: Mapping[str, Any] | None,
    statistic: Statistic,
    seed: int,
    alpha: float,
    incomplete: Incomplete,
) -> Contrast:
    """Summarise and compare the combinations of axes; the arguments are those of `tables.compare.compare`.

    Raises:
        SweepsError: see `design.lay_out`; an unknown metric, statistic or `within`; no run is left.
    """
    measure = measure_named(metric)
    if statistic not in ("median", "iqm"):
        raise SweepsError(unknown("statistic", str(statistic), ("median", "iqm")))
    if not 0 < alpha < 1:
        raise SweepsError(f"alpha: {alpha!r} is not between 0 and 1")
    axes = named_axes(records, axes)
    within = problems_in(axes) if within is None else named_axes(records, within)
    for axis in within:
        if axis not in axes:
            raise SweepsError(unknown("within", str(axis), axes))
    selected = named_levels(records, select)
    if selected:
        records = records.select(**selected)
    if not len(records.cells):
        raise SweepsError("no finished run is left after the selection")
    design = lay_out(records, axes, per_run(records, measure), incomplete)
    frame = pd.concat(
        [
            design.combinations,
            _summary(design.values, measure, statistic, seed, 1 - (1 - CONFIDENCE) / times(records)),
            design.runs,
        ],
        axis=1,
    )
    frame = frame[[*axes, "n", "runs", "diverged", "missing", "value", "low", "high"]]
    groups = [tuple(row) for row in frame[list(within)].astype(object).itertuples(index=False)]
    first, second = all_pairs(groups)
    pairs = compare_pairs(
        design.values[first], design.values[second], share=measure.share, seed=seed, factor=times(records)
    )
    pairs.insert(0, "first", first)
    pairs.insert(1, "second", second)
    crossed = crossings(records, measure)
    if crossed:
        pairs[["effect", "p", "smallest_p"]] = np.nan
    pairs["p_holm"] = holm(pairs["p"].to_numpy(), alpha=alpha)
    better = 0 if crossed else measure.better
    frame = pd.concat([frame, _against_best(frame, pairs, groups, better, alpha)], axis=1)
    return Contrast(
        measure,
        statistic,
        design,
        frame,
        pairs,
        tuple(axes),
        tuple(within),
        selected,
        seed,
        alpha,
        records.score_name,
        crossed,
        times(records),
    )


def _summary(values: Floats, measure: Measure, statistic: Statistic, seed: int, confidence: float) -> pd.DataFrame:
    """n, value and interval of each combination of `[C, S, B]`: first one number per seed, then one over seeds."""
    rows: list[tuple[float, ...]] = []
    if measure.share:
        for row in values:
            by_seed = [part[~np.isnan(part)].mean() for part in row if not np.isnan(part).all()]
            rows.append(
                (len(by_seed), np.nanmean(row) if by_seed else np.nan, *share_interval(by_seed, confidence=confidence))
            )
    else:
        for numbers in medians(values) if statistic == "median" else _per_seed_iqm(values):
            kept = numbers[~np.isnan(numbers)]
            if not len(kept):
                rows.append((0, np.nan, *NO_INTERVAL))
            elif statistic == "median":
                rows.append((len(kept), float(medians(kept)), *median_interval(kept, confidence=confidence)))
            else:
                rows.append((len(kept), float(iqm(kept)), *iqm_interval(kept, seed=seed, confidence=confidence)))
    return pd.DataFrame(rows, columns=["n", "value", "low", "high"]).astype({"n": int})


def _per_seed_iqm(values: Floats) -> Floats:
    """Interquartile mean over the blocks of each seed: `[C, S]`."""
    means = [[iqm(row[~np.isnan(row)]) if not np.isnan(row).all() else np.nan for row in part] for part in values]
    return np.array(means, dtype=np.float64)


def _against_best(
    frame: pd.DataFrame, pairs: pd.DataFrame, groups: list[tuple[Any, ...]], better: int, alpha: float
) -> pd.DataFrame:
    """The columns `best`, `worse`, and the comparison of every other combination with the best of its problem."""
    names = ["difference", "effect", "p", "p_holm"]
    against = pd.DataFrame(np.nan, index=frame.index, columns=names)
    against.insert(0, "best", False)
    against["worse"] = False
    if not better:
        return against
    ordered = frame["value"] * better
    row_of = {(i, j): row for row, (i, j) in enumerate(zip(pairs["first"], pairs["second"], strict=True))}
    for group in dict.fromkeys(groups):
        members = [index for index, own in enumerate(groups) if own == group and frame["value"].notna()[index]]
        top = max((ordered[index] for index in members), default=-np.inf)
        if top == -np.inf:  # no member has a number, or all of them diverged
            continue
        leaders = [index for index in members if ordered[index] == top]
        against.loc[leaders, "best"] = len(leaders) < len(members) or len(members) == 1  # where all are equal, none is
        best = leaders[0]
        for index in members:
            if index == best:
                continue
            row = pairs.iloc[row_of[min(index, best), max(index, best)]]
            sign = -1.0 if index > best else 1.0
            against.loc[index, names] = [sign * row["difference"], sign * row["effect"], row["p"], row["p_holm"]]
            against.loc[index, "worse"] = bool(row["p_holm"] < alpha and sign * row["effect"] * better < 0)
    return against
