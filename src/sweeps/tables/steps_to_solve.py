"""The steps-to-solve table: updates until solved, where unsolved and diverged runs are censored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import axes_said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.contrast import contrast, problems_in
from sweeps.analysis.statistics.design import Incomplete, check_axes, key_of, named_axes, named_levels
from sweeps.analysis.statistics.intervals import CONFIDENCE, NO_INTERVAL, mean_interval
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.analysis.statistics.paired import ALPHA, times
from sweeps.analysis.statistics.survival import budget, durations
from sweeps.analysis.text import axis_columns, number
from sweeps.analysis.tuning import with_tuned
from sweeps.tables import notes
from sweeps.tables.compare import bracketed, joined, named_pairs, present
from sweeps.tables.coverage import mean_words, median_words
from sweeps.tables.table import Entry, Table

MEAN_SEEDS = 5
"""Fewest seeds with an interval of the restricted mean; with fewer it would span over 60% of the budget."""


def steps_to_solve(
    records: Records,
    axes: Sequence[str] = ("arch", "init"),
    *,
    select: Mapping[str, Any] | None = None,
    seed: int = 0,
    alpha: float = ALPHA,
    incomplete: Incomplete = "refuse",
    tuned: Sequence[str] = (),
) -> Table:
    """Updates until solved: share solved within the budget, median, and restricted mean.

    The budget of a problem (task x length, where these are axes of the table) is the smallest of its runs; a run
    that was solved later counts as unsolved.

    Args:
        axes, select, seed, alpha, incomplete, tuned: as in `compare`.

    Returns:
        A frame with the columns of `contrast.Contrast.frame` (`value` is `median`) and `solved` (runs), `budget`,
        `restricted_mean` with `_low, _high` (from MEAN_SEEDS seeds on).

    Raises:
        SweepsError: as `compare` does.
    """
    records = with_tuned(records, tuned, "solved_step")
    selected = named_levels(records, select)
    if selected:
        records = records.select(**selected)
    axes = named_axes(records, axes)
    check_axes(records, axes)
    within = problems_in(axes)
    own = budget(records)
    horizon = own.groupby([records.cells[axis] for axis in within], observed=True).transform("min") if within else own
    horizon = horizon if within else pd.Series(own.min(), index=own.index)
    late = records.cells["solved_step"] > horizon
    records = replace(records, cells=records.cells.assign(solved_step=records.cells["solved_step"].mask(late)))
    result = contrast(
        records,
        axes,
        "solved_step",
        within=within,
        select=None,
        statistic="median",
        seed=seed,
        alpha=alpha,
        incomplete=incomplete,
    )
    timed = durations(records).assign(horizon=horizon, seed=records.cells["seed"])
    groups = records.cells.groupby(list(axes), observed=True, dropna=False)
    parts = {key_of(levels): timed.loc[part.index] for levels, part in groups}
    more = [
        _restricted(parts.get(key_of(row)), times(records)) for row in result.frame[list(axes)].itertuples(index=False)
    ]
    frame = pd.concat([result.frame.rename(columns={"value": "median"}), pd.DataFrame(more)], axis=1)
    names = axis_columns(frame, list(axes))
    measure = MEASURES["solved_step"]
    rows = tuple(
        (
            *map(Entry, texts),
            Entry(f"{row['solved']}/{row['runs']}"),
            Entry(str(row["diverged"])),
            Entry(
                bracketed(row["median"], row["low"], row["high"], measure),
                best=bool(row["best"]),
                mark="*" if row["worse"] else "",
            ),
            Entry(bracketed(row["restricted_mean"], row["restricted_mean_low"], row["restricted_mean_high"], measure)),
        )
        for texts, (_, row) in zip(names.itertuples(index=False), frame.iterrows(), strict=True)
    )
    budgets = sorted(frame["budget"].dropna().unique())
    scope = f"for each {axes_said(within)}" if within else "of the table"
    caption = [
        f"Updates until solved by {axes_said(axes)}, within a budget of "
        f"{' to '.join(dict.fromkeys(number(each, 6) for each in (budgets[0], budgets[-1])))} updates.",
        notes.what_is_fixed(result.design, selected),
    ]
    sentences = [
        f"Median over n = {notes.seeds(frame['n'])}, {median_words(frame['n'])}; restricted mean: "
        "mean over seeds of the updates spent, of an unsolved run the whole budget (the area under the Kaplan-Meier "
        f"curve), {mean_words(frame['n'], MEAN_SEEDS)}.",
        notes.what_is_pooled(result.design),
        notes.what_was_tuned(records),
        notes.how_diverged(result),
        "Unsolved and diverged runs are censored at the budget: “unsolved” stands for a number beyond it. A run counts "
        "as solved at the evaluation that saw it, up to `train.eval_every` updates late.",
        f"Bold: the lowest median {scope}. *: slower than that, p < {alpha:g}.",
        notes.what_was_tested(result),
        *notes.warnings(result),
    ]
    heads = (*names.columns, "solved", "diverged", "median updates", "restricted mean")
    pairs = named_pairs(result)
    return Table("steps_to_solve", frame, heads, rows, joined(caption), present(sentences), len(axes), pairs)


def unsolved(table: Table) -> str | None:
    """The sentence that says what the table says where no run was solved; else None.

    Args:
        table: from `steps_to_solve`.
    """
    frame = table.frame
    if frame["solved"].any():
        return None
    budgets = sorted({number(each, 6) for each in frame["budget"].dropna()})
    return f"No run solved the task (0 of {int(frame['runs'].sum())}) within {' to '.join(budgets)} updates."


def _restricted(part: pd.DataFrame | None, factor: int) -> dict[str, float]:
    """Number of solved runs, budget, and restricted mean with its interval over seeds, of one combination.

    No run is censored before the budget, so that the area under the Kaplan-Meier curve is a plain mean.
    """
    names = ("solved", "budget", "restricted_mean", "restricted_mean_low", "restricted_mean_high")
    if part is None:
        return dict(zip(names, (0, *[np.nan] * 4), strict=True))
    horizon = float(part["horizon"].iloc[0])
    by_seed = part["time"].clip(upper=horizon).groupby(part["seed"]).mean()
    bounds = (
        mean_interval(by_seed, 0.0, horizon, confidence=1 - (1 - CONFIDENCE) / factor)
        if len(by_seed) >= MEAN_SEEDS
        else NO_INTERVAL
    )
    return dict(zip(names, (int(part["solved"].sum()), horizon, float(by_seed.mean()), *bounds), strict=True))
