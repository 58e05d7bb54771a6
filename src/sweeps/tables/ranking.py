"""Ranking of combinations with ties: the rank is 1 + the number of significantly better combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import axes_said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.contrast import Contrast, Statistic, contrast
from sweeps.analysis.statistics.design import Incomplete
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.analysis.statistics.paired import ALPHA, too_small
from sweeps.analysis.text import EMPTY, axis_columns
from sweeps.analysis.tuning import with_tuned
from sweeps.errors import SweepsError
from sweeps.tables import notes
from sweeps.tables.compare import bracketed, combination_texts, joined, named_pairs, present
from sweeps.tables.table import Entry, Table

MOST_PROBLEMS = 3
"""Problems of which the first and the last in order are named."""


def rank(
    records: Records,
    axes: Sequence[str] = ("arch",),
    metric: str = "best_score",
    *,
    within: Sequence[str] | None = None,
    select: Mapping[str, Any] | None = None,
    statistic: Statistic = "median",
    seed: int = 0,
    alpha: float = ALPHA,
    incomplete: Incomplete = "refuse",
    tuned: Sequence[str] = (),
) -> Table:
    """Combinations in order of the metric; the rank of each is 1 + the number of those significantly better than it.

    The arguments and errors are those of `compare`.

    Returns:
        `frame`: the axes, `rank`, `better_than` and `worse_than` (how many, significantly) and the columns of
        `contrast.Contrast.frame`; sorted, the best first within each problem.

    Raises:
        SweepsError: also for a metric of which neither more nor less is better, and for a score where runs ended at
            the evaluation that solved them.
    """
    records = with_tuned(records, tuned, metric)
    result = contrast(
        records,
        axes,
        metric,
        within=within,
        select=select,
        statistic=statistic,
        seed=seed,
        alpha=alpha,
        incomplete=incomplete,
    )
    measure = result.measure
    if not measure.better:
        ordered = ", ".join(name for name, each in MEASURES.items() if each.better)
        raise SweepsError(f"metric: neither more nor less {metric} is better, so it cannot rank (these can: {ordered})")
    if result.crossings:
        why = notes.crossed(result.crossings, int(result.frame["runs"].sum()))
        raise SweepsError(f"metric: {metric} cannot rank (solved_step and solved can). {why}")
    frame = _ranked(result)
    names = axis_columns(frame, list(result.axes))
    rows = tuple(
        (
            *map(Entry, texts),
            Entry(EMPTY if pd.isna(row["rank"]) else f"{row['rank']:.0f}"),
            Entry(bracketed(row["value"], row["low"], row["high"], measure), best=bool(row["best"])),
            Entry(str(row["better_than"])),
            Entry(str(row["worse_than"])),
            Entry(f"{row['diverged']}/{row['runs']}"),
        )
        for texts, (_, row) in zip(names.itertuples(index=False), frame.iterrows(), strict=True)
    )
    what = measure.label.format(score=result.score)
    each = f", for each {axes_said(result.within)} alone" if result.within else ""
    caption = [
        f"Ranking of {axes_said(result.axes)} by {what}{each}.",
        notes.what_is_fixed(result.design, result.selected),
    ]
    sentences = [
        notes.what_the_numbers_are(result),
        notes.what_is_pooled(result.design, share=measure.share),
        notes.what_was_tuned(records),
        notes.how_diverged(result),
        f"The rank is 1 + the number of combinations that are significantly better (p < {alpha:g}): equal ranks are "
        "ties that these runs cannot break. Bold: the best number.",
        notes.what_was_tested(result),
        *notes.warnings(result),
    ]
    heads = (*names.columns, "rank", what, "better than", "worse than", "diverged")
    return Table("rank", frame, heads, rows, joined(caption), present(sentences), len(axes), named_pairs(result))


def ties(table: Table) -> str | None:
    """The sentence that says what a ranking says in which every rank is 1; None where one row is better than another.

    Args:
        table: from `rank`.
    """
    ranked = table.frame[table.frame["rank"].notna()]
    if (ranked["rank"] != 1.0).any():
        return None
    axes = [str(name) for name in table.frame][: table.names]
    names = combination_texts(table.frame, axes)
    rows = [index for index, each in enumerate(table.frame["rank"]) if each == 1.0]
    what, at = table.heads[table.names + 1], table.names + 1
    tested = int(table.pairs["p"].notna().sum())
    why = too_small(table.pairs["smallest_p"].to_numpy(dtype=np.float64))
    if len(rows) < 2:
        return f"There are no two rows with a {what} to rank."
    told = [f"{names[row]} ({table.rows[row][at].text})" for row in range(len(names))]
    problems = _problems(table, axes, rows)
    ends = "; ".join(f"{told[own[0]]} and {told[own[-1]]}" for own in problems)
    order = f" First and last in order are {ends}." if len(problems) <= MOST_PROBLEMS else ""
    if len(texts := {table.rows[row][at].text for row in rows}) == 1:
        order = f" The number of each is the same: {texts.pop()}."
    no_two = "The two rows cannot" if len(rows) == 2 else f"No two of the {len(rows)} rows can"
    return (
        f"**{no_two} be told apart by the {what}** (signed-rank tests, Holm's correction over {tested} "
        f"pair{'s' * (tested != 1)}), so that there is nothing to rank.{order}" + (f" {why}" if why else "")
    )


def _problems(table: Table, axes: Sequence[str], rows: Sequence[int]) -> list[list[int]]:
    """Those of the rows that are compared with each other, in their order: each list is of one problem."""
    pairs = table.pairs
    within = [axis for axis in axes if (pairs[f"first_{axis}"] == pairs[f"second_{axis}"]).all()]
    found: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        found.setdefault(tuple(table.frame.loc[row, within]), []).append(row)
    return list(found.values())


def _ranked(result: Contrast) -> pd.DataFrame:
    """The frame of a contrast with ranks, sorted; a combination without a number has no rank and comes last."""
    frame, pairs = result.frame, result.pairs
    sure = pairs[pairs["p_holm"] < result.alpha]
    first_wins = sure["effect"] * result.measure.better > 0
    winner = np.where(first_wins, sure["first"], sure["second"]).astype(int)
    loser = np.where(first_wins, sure["second"], sure["first"]).astype(int)
    better, worse = (np.bincount(rows, minlength=len(frame)) for rows in (winner, loser))
    ranks = pd.Series(worse + 1.0).where(frame["value"].notna())
    at = len(result.axes)
    frame = frame.copy()
    frame.insert(at, "rank", ranks)
    frame.insert(at + 1, "better_than", better)
    frame.insert(at + 2, "worse_than", worse)
    order = frame.assign(_value=-result.measure.better * frame["value"])
    sorted_ = order.sort_values([*result.within, "rank", "_value"], kind="stable", na_position="last")
    return sorted_.drop(columns="_value").reset_index(drop=True)
