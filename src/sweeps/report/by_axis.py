"""How an outcome is spread over the levels of an axis that varied, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sweeps.analysis.labels import label, level_said, level_text, listed
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import by_importance
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.analysis.statistics.outcomes import COUNTS
from sweeps.analysis.text import number_of
from sweeps.report.effect_words import few

LISTED = 6
"""Levels that are listed one by one at most."""


def by_level(records: Records, outcome: str, axis: str | None = None) -> str:
    """`GRU (36 of 36), tanh RNN (0 of 36)`: how many runs of every level of an axis had an outcome.

    Of more than `LISTED` levels only those with most and with fewest: `most at gain = 1.2 (6 of 6), fewest at ...`.

    Args:
        outcome: one of `outcomes.COUNTS`.
        axis: by default the axis with the largest share of the variation in it.

    Returns:
        Empty where no axis varied, or the share is the same at all of its levels.
    """
    flags = COUNTS[outcome](records.cells)
    axis = axis or next(iter(by_importance(records, MEASURES[outcome])), None)
    if axis is None or flags.nunique() < 2 or records.cells[axis].nunique() < 2:
        return ""
    counts = flags.groupby(records.with_unset([axis]).cells[axis], observed=True).agg(["sum", "count", "mean"])
    if counts["mean"].nunique() < 2:
        return ""
    texts = {
        level: f"{level_text(axis, level)} ({row['sum']:.0f} of {row['count']:.0f})" for level, row in counts.iterrows()
    }
    if len(texts) <= LISTED:
        return ", ".join(texts.values())
    most, fewest = (
        listed(few([texts[level] for level in counts.index[counts["mean"] == end]]))
        for end in (counts["mean"].max(), counts["mean"].min())
    )
    return f"most at {most}, fewest at {fewest}"


def where(records: Records, runs: pd.DataFrame, without: Sequence[str] = ()) -> str:
    """`: the ReLU RNN with He 6, identity 5`, `: gain = 2.5 to 3 (6 runs)`: where in the grid some runs lie.

    Args:
        runs: rows of `records.cells`.
        without: axes that are not named, because the caller says it.

    At most two axes are named: architecture and init where they varied, else those with the largest share of the
    variation in what diverged.

    Returns:
        Empty without runs; a length that all of them have closes it, if the length varied.
    """
    if runs.empty:
        return ""
    several = records.varied
    named: list[str] = [axis for axis in ("arch", "init") if axis in several]
    more = (axis for axis in by_importance(records, MEASURES["diverged"]) if axis not in (*named, *without, "length"))
    named = [*named, *more][:2]
    named = [axis for axis in several if axis in named]
    if not named:
        text = ""
    elif len(named) == 1:
        text = f": {_counts(runs, named[0])}"
    else:
        parts = runs.groupby(named[0], observed=True)
        the = "the " if named[0] == "arch" else ""
        text = ": " + "; ".join(
            f"{the}{level_text(named[0], level)} with {_counts(part, named[1])}" for level, part in parts
        )
    lengths = runs["length"].unique()
    at = f", all at T = {lengths[0]:g}" if len(lengths) == 1 and "length" in several else ""
    return text + at


def _counts(runs: pd.DataFrame, axis: str) -> str:
    """`He 6, identity 5` of names; `gain = 2.5 to 3 (6 runs)` of numbers."""
    counts = runs[axis].value_counts(sort=False)
    counts = counts[counts > 0]
    levels: list[Any] = list(counts.index)
    if any(isinstance(level, str | bool) for level in levels):
        return ", ".join(f"{label(level, axis)} {count}" for level, count in counts.items())
    span = level_text(axis, levels[0]) + (f" to {level_said(axis, levels[-1])}" if len(levels) > 1 else "")
    return f"{span} ({number_of(int(counts.sum()), 'run')})"
