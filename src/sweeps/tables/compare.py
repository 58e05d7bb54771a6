"""The table of one metric over one to four axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import axes_said, level_text
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.contrast import Contrast, Statistic, contrast
from sweeps.analysis.statistics.design import Incomplete, key_of
from sweeps.analysis.statistics.measures import Measure
from sweeps.analysis.statistics.paired import ALPHA
from sweeps.analysis.text import EMPTY, axis_columns, with_interval
from sweeps.analysis.tuning import with_tuned
from sweeps.tables import notes
from sweeps.tables.table import Entry, Table

SIDE_BY_SIDE = 6
"""The levels of the last axis are columns of the table if there are at most this many."""


def compare(
    records: Records,
    axes: Sequence[str] = ("arch", "init"),
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
    """One metric over one to four axes; marked are the best combination and those significantly worse than it.

    Args:
        axes: under any of their names (`init.gain`, `gain`); the levels of the last one are columns if they are few.
            Axes that are neither here nor selected are pooled: each seed counts once, with the median (interquartile
            mean) of its runs there.
        metric: best_score, final_score, best_loss, lowest_loss, final_loss, final_eval_loss, test_score, test_loss,
            solved_step, solved, solved_at_end, diverged, diverged_at_start, grad_norm, grad_norm_clipped, clipped,
            decay_start, decay_training, change_start, change_training or zeros.
        within: axes for each of whose levels there is a best; by default `task` and `length`.
        select: a level, or a list of levels, of any setting; the rest of the records is left out.
        statistic: "median" with an order-statistics interval, or "iqm" (interquartile mean) with one from 11 seeds on.
        seed: of the draws for the interval of an iqm, and of the tests beyond 14 seeds.
        alpha: level of the tests, family-wise (Holm) over all pairs of combinations of one problem.
        incomplete: "allow" compares the pairs that there are in a grid with missing cells, "refuse" raises.
        tuned: hyperparameters (`optim.lr`), of which for each combination each half of the seeds chooses the level that
            counts for the other half (`tuning.tune`).

    Returns:
        A table with `frame` and `pairs` as in `contrast.Contrast`.

    Raises:
        SweepsError: an unknown name; cells of the grid are missing or duplicate and `incomplete` is "refuse".
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
    heads, rows, names = _pivoted(result)
    what = result.measure.label.format(score=result.score)
    caption = [
        f"{what[0].upper()}{what[1:]} by {axes_said(result.axes)}.",
        notes.what_is_fixed(result.design, result.selected),
    ]
    sentences = [
        notes.what_the_numbers_are(result),
        notes.what_is_pooled(result.design, share=result.measure.share),
        notes.what_was_tuned(records),
        notes.how_diverged(result),
    ]
    if result.crossings:
        sentences.append(notes.what_was_tested(result))
    elif result.measure.better:
        scope = f"for each {axes_said(result.within)}" if result.within else "of the table"
        sentences.append(f"Bold: the best {scope}. *: worse than that best, p < {result.alpha:g}.")
        sentences.append(notes.what_was_tested(result))
    sentences += notes.warnings(result)
    frame = result.frame
    return Table("compare", frame, heads, rows, joined(caption), present(sentences), names, named_pairs(result))


def bracketed(value: float, low: float, high: float, measure: Measure | None = None, digits: int = 2) -> str:
    """`0.98 [0.95, 0.99]`; the infinite value of the worst rank is replaced by the measure's word for it."""
    word = measure.worst if measure is not None and measure.better else None
    return with_interval(value, low, high, digits, infinite=word)


def combination_texts(frame: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    """`tanh RNN, orthogonal, T = 50` of every row."""
    return [", ".join(level_text(axis, row[axis]) for axis in axes) for _, row in frame.iterrows()]


def _pivoted(result: Contrast) -> tuple[tuple[str, ...], tuple[tuple[Entry, ...], ...], int]:
    """Heads, rows and the number of name columns; the levels of the last axis are columns if they are few."""
    frame, axes = result.frame, list(result.axes)
    frame = frame.assign(numbers=np.sum(~np.isnan(result.design.values), axis=(1, 2)))
    across = axes[-1]
    levels = [level for level in dict.fromkeys(frame[across]) if not pd.isna(level)]
    if len(axes) == 1 or len(levels) > SIDE_BY_SIDE or frame[across].isna().any():
        names = axis_columns(frame, axes)
        rows = tuple(
            (*map(Entry, texts), _cell(row, result.measure), Entry(str(row["n"])))
            for texts, (_, row) in zip(names.itertuples(index=False), frame.iterrows(), strict=True)
        )
        return (*names.columns, result.measure.label.format(score=result.score), "n"), rows, len(axes)
    kept = axes[:-1]
    by_row: dict[tuple[Any, ...], dict[Any, pd.Series]] = {}
    for _, row in frame.iterrows():
        by_row.setdefault(key_of(row[kept]), {})[row[across]] = row
    firsts = pd.DataFrame([next(iter(cells.values()))[kept] for cells in by_row.values()]).reset_index(drop=True)
    names = axis_columns(firsts, kept)
    body = tuple(
        (*map(Entry, texts), *(_cell(cells.get(level), result.measure) for level in levels))
        for texts, cells in zip(names.itertuples(index=False), by_row.values(), strict=True)
    )
    return (*names.columns, *(level_text(across, level) for level in levels)), body, len(kept)


def _cell(row: pd.Series | None, measure: Measure) -> Entry:
    """`0.98 [0.95, 0.99], 1 diverged`; a share as `3/4 [0.19, 0.99]`; `3/4 diverged` where they decide the number."""
    if row is None:
        return Entry(EMPTY)
    text = bracketed(row["value"], row["low"], row["high"], measure)
    if measure.share and row["numbers"] == row["runs"] > 0:
        text = f"{round(row['value'] * row['runs'])}/{row['runs']}{text[text.index(' [') :] if ' [' in text else ''}"
    elif measure.better and np.isinf(row["value"]) and measure.worst == "diverged":
        text = f"{row['diverged']}/{row['runs']} diverged"
    elif row["diverged"] and not measure.name.startswith("diverged"):
        text += f", {row['diverged']} diverged"
    return Entry(text, best=bool(row["best"]), mark="*" if row["worse"] else "")


def named_pairs(result: Contrast) -> pd.DataFrame:
    """The pairs of a contrast with the levels of both sides, `first_<axis>` and `second_<axis>`."""
    sides = []
    for side in ("first", "second"):
        part = result.frame.loc[result.pairs[side], list(result.axes)].reset_index(drop=True)
        sides.append(part.add_prefix(f"{side}_"))
    return pd.concat([*sides, result.pairs.drop(columns=["first", "second"])], axis=1)


def joined(parts: Sequence[str]) -> str:
    """Sentences as a paragraph, empty ones left out."""
    return " ".join(present(parts))


def present(parts: Sequence[str]) -> tuple[str, ...]:
    """The sentences that are not empty."""
    return tuple(part for part in parts if part)
