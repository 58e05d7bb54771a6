"""Tuned against tuned: the best level of a hyperparameter chosen on some seeds and reported on others (cross-fitting).

A comparison at one learning rate is one of learning rates; the best of several, chosen and reported on the same runs,
favours whoever had more tries. Here, for each combination of the other axes, two halves of the seeds choose for each
other: every seed is reported once, and none chose for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import stats

from sweeps.analysis.labels import axes_said, level_said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.intervals import Floats
from sweeps.analysis.statistics.measures import Measure, measure_named, per_run
from sweeps.config.short_names import column_of
from sweeps.errors import SweepsError

NEVER = ("arch", "task", "length")
"""Axes that are what is compared, never what is tuned."""
CHOSEN = "tuned {}"
"""The level of an init or a clipping that was tuned."""
CHOOSES = {"test_score": "best_score", "test_loss": "best_loss"}
"""By which is chosen what is reported of a test part, which itself chooses nothing."""


@dataclass(frozen=True)
class Tuned:
    """Records with one run for each combination and seed, and what was chosen.

    Attributes:
        records: the runs that count; the tuned axes are no longer axes of theirs.
        measure: by which was chosen.
        axes: those that were tuned.
        others: the axes that tell the combinations apart.
        chosen: a row per combination and level of the tuned axes that was chosen: these axes, `seeds`, for how many,
            `of`, how many there are, and `tries`, the number of levels that this combination could choose from.
        curve: from `best_of`, of every combination.
    """

    records: Records
    measure: Measure
    axes: tuple[str, ...]
    others: tuple[str, ...]
    chosen: pd.DataFrame
    curve: pd.DataFrame


def tune(records: Records, axes: Sequence[str], metric: str = "best_score") -> Tuned:
    """Choose the best level of some axes for each combination of the others, each half of the seeds on the other half.

    Best is the level with the best mean rank of its runs among all runs of the combination; of equals the first.

    Args:
        axes: hyperparameters under any of their names (`optim.lr`, `lr`): settings beyond architecture and length.
        metric: any measure of which more or less is better.

    Raises:
        SweepsError: an unknown name; an axis that did not vary or that cannot be tuned; one seed alone, which cannot
            both choose and be reported.
    """
    measure = measure_named(metric)
    if not measure.better:
        raise SweepsError(f"metric: given {metric!r}, must be one of which more or less is better to choose by it")
    names = tuple(dict.fromkeys(column_of(name, records.axes) for name in axes))
    for name in names:
        if name in NEVER:
            raise SweepsError(f"tuned: given {name!r}, must be a hyperparameter; {axes_said(NEVER)} are compared")
    idle = [name for name in names if name not in records.varied]
    if idle or not names:
        given = ", ".join(idle) or "no axis"
        raise SweepsError(f"tuned: given {given}, must be axes that varied: {', '.join(records.varied) or 'none did'}")
    if records.cells["seed"].nunique() < 2:
        raise SweepsError("tuned: one seed cannot both choose and be reported; at least two are needed")
    others = [axis for axis in records.axes if axis not in names]
    cells = records.cells.assign(value=per_run(records, measure).to_numpy() * measure.better)
    kept, chosen, curves = [], [], []
    apart = list(dict.fromkeys([*others, "task"]))
    for levels, part in cells.groupby(apart, observed=True, dropna=False, sort=False):
        key: dict[str, Any] = dict(zip(apart, cast("tuple[Any, ...]", levels), strict=True))
        row = part.groupby(list(names), observed=True, dropna=False).ngroup().to_numpy()
        column = np.unique(part["seed"], return_inverse=True)[1]
        shape = (row.max() + 1, column.max() + 1)
        values, ids = np.full(shape, np.nan), np.full(shape, None, dtype=object)
        values[row, column], ids[row, column] = part["value"], part["cell"].astype(str)
        places = choose(values)
        kept += [ids[place, seed] for seed, place in enumerate(places) if place >= 0]
        of_row = part.assign(row=row).drop_duplicates("row").set_index("row")[list(names)]
        for place in sorted({*places} - {-1}):
            level = {name: of_row.loc[place, name] for name in names}
            chosen.append({**key, **level, "seeds": places.count(place), "of": len(places), "tries": len(values)})
        curves.append(best_of(values).assign(value=lambda each: each["value"] * measure.better, **key))
    picture = pd.concat(curves, ignore_index=True)
    for axis in others:
        picture[axis] = pd.Categorical(picture[axis], categories=records.cells[axis].cat.categories, ordered=True)
    varied = tuple(axis for axis in others if axis in records.varied)
    return Tuned(_reduced(records, kept, names), measure, names, varied, pd.DataFrame(chosen), picture)


def with_tuned(records: Records, axes: Sequence[str], metric: str) -> Records:
    """The records with some axes tuned by the part of the data that may choose: what is measured on a test part is
    chosen on the validation part. Unchanged for no axes."""
    if not axes:
        return records
    return tune(records, axes, CHOOSES.get(metric, metric)).records


def choose(values: Floats) -> list[int]:
    """For each seed the row that is best on the other half of the seeds, of the rows with this seed; -1 where none is.

    The halves are every second seed. (Leaving out one seed at a time would use more, but two seeds would then choose
    for each other in almost all they share: of studies in which nothing matters a test finds something in 14%.)

    Args:
        values: `[levels, seeds]`, more is better, -inf the worst rank, NaN for no run.
    """
    ranks = _ranks(values)
    return [
        _best(_scores(ranks, seed) + np.where(np.isnan(values[:, seed]), -np.inf, 0.0))
        for seed in range(values.shape[1])
    ]


def _ranks(values: Floats) -> Floats:
    return np.asarray(stats.rankdata(values, axis=None, nan_policy="omit")).reshape(values.shape)


def _scores(ranks: Floats, seed: int) -> Floats:
    """The mean rank of each level on the half of the seeds that this one is not of; -inf for none."""
    rest = ranks[:, (seed + 1) % 2 :: 2]
    known = ~np.isnan(rest)
    means = np.where(known, rest, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), means, -np.inf)


def _best(scores: Floats) -> int:
    return int(np.argmax(scores)) if np.isfinite(scores).any() else -1


def best_of(values: Floats) -> pd.DataFrame:
    """`k, value`: what is expected of the best of k levels, drawn at random and chosen on the other half of the seeds.

    The expected validation performance of Dodge et al. (2019), without replacement and cross-fitted: of k of the N
    levels the one with the i-th best mean rank on the other half is the best with probability C(N-i, k-1)/C(N, k); the
    value is that of the seed, the mean over seeds. -inf where a run of the worst rank may be chosen.

    Args:
        values: as of `choose`; levels without a run of every seed are left out.
    """
    whole = values[~np.isnan(values).any(axis=1)]
    count, seeds = whole.shape
    if not count or seeds < 2:
        return pd.DataFrame({"k": pd.Series(dtype=int), "value": pd.Series(dtype=float)})
    ranks, total = _ranks(whole), np.zeros(count)
    for seed in range(seeds):
        held = whole[np.argsort(-_scores(ranks, seed), kind="stable"), seed]
        for k in range(1, count + 1):
            share = np.array([comb(count - i, k - 1) / comb(count, k) for i in range(1, count + 1)])
            total[k - 1] += float(np.sum(held[share > 0] * share[share > 0])) / seeds
    return pd.DataFrame({"k": np.arange(1, count + 1), "value": total})


def what_was_chosen(tuned: Tuned) -> str:
    """How the axes were tuned, as a sentence."""
    tries = tuned.chosen["tries"]
    how_many = f"{tries.min():g}" if tries.nunique() == 1 else f"{tries.min():g} to {tries.max():g}"
    return (
        f"Tuned: the {axes_said(list(tuned.axes))}. For each combination each half of the seeds chose the best of "
        f"{how_many} levels for the other half: no number was chosen and reported on the same runs."
    )


def level_of(tuned: Tuned, row: pd.Series) -> str:
    """`0.01 (3 of 5 seeds)`, of a row of `chosen`."""
    levels = ", ".join(level_said(axis, row[axis]) for axis in tuned.axes)
    return f"{levels} ({row['seeds']} of {row['of']} seeds)"


def _reduced(records: Records, kept: Sequence[str], names: Sequence[str]) -> Records:
    """The records of these cells alone, without the tuned axes."""
    cells, problems = records.cells[records.cells["cell"].isin(kept)].copy(), records.problems.copy()
    for axis in (name for name in names if name not in records.extra_axes):
        cells[axis] = pd.Categorical([CHOSEN.format(axis)] * len(cells), categories=[CHOSEN.format(axis)], ordered=True)
        problems[axis] = problems[axis].where(problems[axis].isna(), CHOSEN.format(axis))
    extra = tuple(axis for axis in records.extra_axes if axis not in names)
    reduced = records.only(cells, problems)
    return replace(reduced, extra_axes=extra, tuned=tuple(names))
