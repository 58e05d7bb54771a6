"""What the captions of the figures of gradients say in numbers: how far they reach, and how their norm grows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import UNSET, level_text, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import Roles
from sweeps.analysis.statistics.summaries import ENDS, SHORTEST
from sweeps.analysis.text import decades, factor, number
from sweeps.figures import curves
from sweeps.report.before_training import acts_later
from sweeps.report.effect_words import few

MOST = 6
"""Panels of which a caption gives numbers at most."""


def decay_sentence(rates: pd.DataFrame, drawn: Roles, *, at_start: bool) -> str:
    """For every panel the line whose gradient stays nearest to constant and the one farthest from it, with their rates.

    Args:
        rates: from `curves.decay_by_run`.
        at_start: whether they are of networks before training, which differ in nothing that acts later.
    """
    if drawn.colour is not None and acts_later(drawn.colour) and at_start:
        return f"The {said(drawn.colour)} acts after this: its lines are those of the same networks."
    fitted = rates["decay_rate"].notna().any()
    name, as_text = ("decay_rate", factor) if fitted else ("change", decades)
    known = rates.dropna(subset=[name])
    known = known.assign(distance=known[name].abs())
    panels = [axis for axis in (drawn.row, drawn.column) if axis is not None]
    texts = []
    for levels, part in known.groupby(panels, observed=True) if panels else [((), known)]:
        here = ", ".join(level_text(axis, level) for axis, level in zip(panels, levels, strict=True))
        if drawn.colour is None:
            texts.append(f"{here} {as_text(part[name].median())}".strip())
            continue
        here += ": " if here else ""
        by_line = part.groupby(drawn.colour, observed=True)[[name, "distance"]].median()  # further axes are pooled
        order = by_line["distance"].sort_values(kind="stable").index
        medians = by_line[name].to_dict()
        far = by_line["distance"]
        ends = dict.fromkeys(level for end in (far.min(), far.max()) for level in order if far[level] == end)
        named = ", ".join(few([f"{level_text(drawn.colour, level)} ({as_text(medians[level])})" for level in ends]))
        texts.append(here + named)
    if known.empty:
        return "No run has a change from end to end: that takes two time steps and a finite gradient at both ends."
    what = "factor per step" if fitted else "end-to-end change in decades per step"
    why = f"{ENDS} steps at either end left out" if fitted else f"no factor: under {SHORTEST} steps"
    shown = "; ".join([*texts[:MOST], *([f"and {len(texts) - MOST} more panels"] if len(texts) > MOST else [])])
    if drawn.colour is None:
        return f"The {what} ({why}): {shown}."
    lines = {"init": "inits"}.get(drawn.colour, "lines")
    return f"The {lines} nearest to level and farthest from it, by {what} ({why}): {shown}."


def growth_sentence(records: Records, drawn: Roles) -> str:
    """The largest and the smallest change of the gradient norm from the first to the last level of the x axis.

    Only lines without a diverged run count: the median of a run that stopped early is over few updates. Nothing is said
    where a line goes up and down.
    """
    frame = curves.norm_by_level(records, drawn)
    axis = str(drawn.x)
    if UNSET in frame[axis].cat.categories:
        frame = frame[frame[axis] != UNSET]
        frame[axis] = frame[axis].cat.remove_categories([UNSET])
    if frame[axis].nunique() < 2 or any(isinstance(level, str) for level in frame[axis].cat.categories):
        return ""
    by = [each for each in drawn.drawn if each != axis]
    keys: Any = by or (lambda row: 0)
    complete = frame.groupby(keys, observed=True)["diverged"].transform("max") == 0
    frame = frame[np.isfinite(frame["median"]) & complete].sort_values(axis)
    turns = frame.groupby(keys, observed=True)["median"].agg(_turns).any()
    if turns:
        return ""  # from end to end would hide what lies between
    ends = frame.groupby(keys, observed=True)["median"].agg(["first", "last", "count"])
    change = (ends["last"] - ends["first"])[ends["count"] > 1].sort_values(kind="stable").reset_index(name="decades")
    if change.empty:
        return " No line without a diverged run has two of its levels to compare."
    least, most = (
        f"by {number(10.0 ** row['decades'], 2)}"
        + (f" ({', '.join(level_text(each, row[each]) for each in by)})" if by else "")
        for _, row in change.iloc[[0, -1]].iterrows()
    )
    levels = [level_text(axis, level) for level in (frame[axis].min(), frame[axis].max())]
    span = "from the shortest to the longest sequence" if axis == "length" else f"from {levels[0]} to {levels[1]}"
    if len(change) == 1:
        return f" It is multiplied, {span}, {most}."
    return f" Where no run diverged it is multiplied, {span}, at the most {most}, at the least {least}."


def _turns(values: pd.Series) -> bool:
    """Whether values go up and down by more than a tenth of their range."""
    steps, span = values.diff().dropna(), values.max() - values.min()
    return bool((steps > 0.1 * span).any() and (steps < -0.1 * span).any())
