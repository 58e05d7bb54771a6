"""The part 'Does a gradient that arrives mean learning?' of the answer: the factor per step beside what was solved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import level_said, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.recurrent import without_state
from sweeps.analysis.statistics.arrival import WHEN, arrival, by_seed, distance, group_of, learned
from sweeps.analysis.statistics.intervals import Floats
from sweeps.analysis.statistics.paired import sign_flip_p, times
from sweeps.analysis.text import between, number, number_of, render
from sweeps.report.before_training import further
from sweeps.report.document import Block, Prose, Tabular
from sweeps.report.gradient_kept import MOST_SENTENCES
from sweeps.report.nearest import shown_nearest

MOST_IN_SHORT = 4
"""Groups of runs that the first screen tells apart."""
MOVED = 0.01
"""Change of the factor per step of a run from which on start and training are told apart."""


def gradient_and_learning(records: Records) -> list[Block]:
    """By architecture the factor per step and the runs that solved the task, and how the two go together.

    Where one architecture ran, the first axis that varied takes its place. Nothing where no length has a factor.
    """
    frame = arrival(records)
    if frame.empty:
        return []
    group = group_of(records, frame)
    others = (axis for axis in ("init", *further(records)) if axis != group and frame[axis].nunique() > 1)
    networks = next(others, None)
    first = (
        f"What a step back in time leaves of the gradient at T = {frame['length'].iloc[0]:g}, the longest with such a "
        "factor, and the runs that solved the task there; 1 is a gradient that arrives as it left:"
    )
    parts: list[tuple[str, pd.DataFrame]] = [("Every network", frame)]
    if group:
        parts = [(level_said(group, level), part) for level, part in frame.groupby(group, observed=True)]
        parts = [(name if group == "arch" else f"{said(group)} {name}", part) for name, part in parts]
    last = " ".join(filter(None, (without_state(records), _correlations(records, frame), _moved(frame))))
    if len(parts) > MOST_SENTENCES:
        return [Prose(first), _listing(parts, said(str(group))), Prose(last)]
    points = [f"- {_sentence(name, part, networks)}" for name, part in parts]
    return [Prose("\n\n".join(filter(None, (first, "\n".join(points), last))))]


def _listing(parts: Sequence[tuple[str, pd.DataFrame]], of: str) -> Tabular:
    """What `_sentence` says of each group, a row for each."""
    rows = [
        {of: name, **{words: _range(part[when]) for when, words in WHEN.items()}, "solved": _solved(part),
         "diverged": int(part["diverged"].sum())}
        for name, part in parts
    ]  # fmt: skip
    caption = "The factor per step back, the smallest and the largest over runs, beside what the runs reached."
    return Tabular(render(pd.DataFrame(rows), names=1), caption)


def _with(level: str) -> str:
    """`with GRU`, `with init random`, `with clip by norm`; `without clipping`."""
    return level.replace("no ", "without ", 1) if level.startswith("no ") else f"with {level}"


def in_short(records: Records) -> str:
    """What a step back leaves of the gradient at the start, by group where they are few, and how that goes with
    learning."""
    frame = arrival(records)
    if frame.empty or frame["start"].isna().all():
        return ""
    group = group_of(records, frame)
    parts: list[tuple[Any, pd.DataFrame]] = [("", frame)]
    if group and frame[group].nunique() <= MOST_IN_SHORT:
        parts = list(frame.groupby(group, observed=True))
    of = "" if group in (None, "arch", "clip") else f"{said(str(group))} "
    names = ["" if level == "" else f" {_with(of + level_said(str(group), level))}" for level, _ in parts]
    texts = [
        f"{_range(part['start'])}{name} ({_solved(part)} solved)" for name, (_, part) in zip(names, parts, strict=True)
    ]
    length = frame["length"].iloc[0]
    at = f"At T = {length:g}, {'the longest, ' if length == records.longest and 'length' in records.varied else ''}"
    text = f"{at}a step back in time multiplies the gradient before training by {', '.join(texts)}"
    found = by_seed(frame, "start")
    if not len(found):
        return f"{text}."
    how = f"the nearness of this factor to 1 and what a run learned have the rank correlation {_over_seeds(found)}"
    return f"{text}; {how}."


def _sentence(name: str, part: pd.DataFrame, within: str | None) -> str:
    """`**GRU** keeps 0.55 to 0.87 at the start and 0.995 to 0.999 in training; solved 24 of 24.`

    Args:
        within: the axis whose level nearest to 1 is named, if the test over seeds shows it; None for none.
    """
    texts = [f"{_range(part[when])} {words}" for when, words in WHEN.items() if part[when].notna().any()]
    keeps = f"keeps {' and '.join(texts)}" if texts else "has no finite factor"
    text = f"**{name}** {keeps}; solved {_solved(part)}"
    count = int(part["diverged"].sum())
    text += f", {count} diverged" if count else ""
    if within and part[within].nunique() > 1 and part["start"].notna().any():
        far = part.assign(distance=distance(part["start"])).dropna(subset=["distance"])
        if (nearest := shown_nearest(far, within, "distance")) is not None:
            own = part[part[within] == nearest]
            text += (
                f". Nearest to 1 at the start is {said(within)} {level_said(within, nearest)}: {_range(own['start'])}, "
            )
            text += f"solved {_solved(own)}"
    return f"{text}."


def _correlations(records: Records, frame: pd.DataFrame) -> str:
    """Spearman's correlation of nearness to 1 with what was learned, at the start and in training, over seeds."""
    texts, counts = [], []
    for when, words in WHEN.items():
        found = by_seed(frame, when)
        if len(found):
            counts.append((len(found), int(frame[[when, "reached"]].notna().all(axis=1).sum())))
            p = min(1.0, times(records) * float(sign_flip_p(found))) if len(found) > 1 else math.nan
            test = f"; p = {number(p, 2)}" if not math.isnan(p) else ""
            texts.append(f"{words} {_over_seeds(found, test)}")
    if not texts:
        return ""
    measure = learned(records)
    what = measure.label.format(score=records.score_name)
    what = what if measure.better > 0 else f"a low {what}" if measure.name == "best_loss" else f"few {what}"
    n = number_of(max(runs for _, runs in counts), "run")
    return (
        f"The rank correlation (Spearman's, among the runs of one seed at this T; n = {n}) of a factor near 1 "
        f"with {what} is {' and '.join(texts)}."
    )


def _over_seeds(found: Floats, more: str = "") -> str:
    """`-0.14 (median over 3 seeds, which range from -0.20 to 0.03)`; `-0.14 (1 seed)`; `more` ends the bracket."""
    if len(found) == 1:
        return f"{found[0]:z.2f} (1 seed{more})"
    ends = dict.fromkeys(f"{end:z.2f}" for end in (found.min(), found.max()))
    spread = f", which range from {' to '.join(ends)}" if len(ends) > 1 else ""
    return f"{np.median(found):z.2f} (median over {number_of(len(found), 'seed')}{spread}{more})"


def _moved(frame: pd.DataFrame) -> str:
    """That training moves the factor, where it does."""
    moved = (frame["training"] - frame["start"]).abs().dropna()
    far = moved[moved >= MOVED]
    if not len(far) or len(far) < 0.1 * len(moved):
        return ""
    of = number_of(len(moved), "run")
    among = f"median of {of}" if len(far) == len(moved) else f"median of {len(far)} of {of}, in which it moved at all"
    return (
        f"In training the factor moved by {far.median():.2f} ({among}): a gradient "
        "that arrives in training can be the effect of having learnt; only that at the start comes before it."
    )


def _range(factors: pd.Series) -> str:
    """`0.55 to 0.87`, smallest and largest, `0.955 to 1.069` where one is near 1; `no finite factor`."""
    known = factors.dropna()
    if known.empty:
        return "no finite factor"
    ends = (float(known.min()), float(known.max()))
    near = any(0.95 <= value < 1.05 for value in ends)
    return between(*ends, 2, decimals=3 if near else 2)


def _solved(part: pd.DataFrame) -> str:
    return f"{int(part['solved'].sum())} of {len(part)}"
