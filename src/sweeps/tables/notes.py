"""The sentences beneath a table: n, pooling, tests, diverged runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sweeps.analysis.labels import HEADS, label
from sweeps.analysis.statistics.contrast import Contrast
from sweeps.analysis.statistics.design import Design
from sweeps.analysis.statistics.measures import STOPS, how_diverged_count
from sweeps.analysis.statistics.paired import too_small
from sweeps.analysis.statistics.summaries import ENDS, SHORTEST
from sweeps.tables.coverage import iqm_words, median_words, share_words

HOW_IT_TRAVELS = (
    "Decades per step, end to end, are log10 of ‖∂L/∂h_t‖ at the first time step over that at the last, divided by the "
    f"T - 1 steps between them. The factor per step is 10 to the slope of log10 ‖∂L/∂h_t‖ against lag, {ENDS} steps at "
    "either end left out, where it still depends on the readout or on the start from 0: a sequence of fewer than "
    f"{SHORTEST} steps has none. Below 1 the gradient vanishes on its way back, above 1 it explodes; 0 (-inf decades) "
    "is of one that is exactly zero somewhere on its way."
)
"""How the tables tell what becomes of the gradient on its way back."""


def several(counts: Iterable[int]) -> str:
    """`5`, or `3 to 5`."""
    kept = sorted({int(count) for count in counts if count > 0}) or [0]
    return f"{kept[0]}" if len(kept) == 1 else f"{kept[0]} to {kept[-1]}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c` of axes, under their readable names."""
    words = [HEADS.get(name, name) for name in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def what_the_numbers_are(found: Contrast) -> str:
    """n, the statistic and its interval, as part of the caption."""
    n = found.frame["n"]
    if found.measure.share:
        interval = share_words(n, pooled=bool(found.design.pooled))
        return f"Each number is a share of {several(found.frame['runs'])} runs ({several(n)} seeds), {interval}."
    if found.statistic == "median":
        return f"Each number is the median over n = {several(n)} seeds, {median_words(n)}."
    return f"Each number is the interquartile mean over n = {several(n)} seeds, {iqm_words(n, found.seed)}."


def what_is_pooled(design: Design, selected: Sequence[str] = (), *, share: bool = False) -> str:
    """What happened to the axes that are not shown; empty if all are."""
    parts = []
    if design.pooled:
        counts = "all their runs" if share else "one number per seed, that of all its runs there"
        parts.append(f"Pooled: {listed(design.pooled)} ({counts}).")
    fixed = [f"{HEADS.get(axis, axis)} = {label(level)}" for axis, level in design.fixed.items()]
    fixed += [text for text in selected if text not in fixed]
    if fixed:
        parts.append(f"Fixed: {', '.join(fixed)}.")
    return " ".join(parts)


def selected_words(found: Contrast) -> list[str]:
    """The levels that the caller chose, apart from axes with that one level, which are told as fixed."""
    words = []
    for name, level in found.selected.items():
        if name in found.design.fixed:
            continue
        levels = level if isinstance(level, list | tuple) else [level]
        words.append(f"{HEADS.get(name, name)} = {' or '.join(label(each) for each in levels)}")
    return words


def crossed(count: int, runs: int) -> str:
    """Why scores are not ranked where runs end as soon as they are solved."""
    return (
        f"Not ranked: {count} of {runs} runs ended at the evaluation that solved them (`{STOPS}`), so that their "
        "number is where they crossed the threshold, not what they could have reached; the updates until solved are "
        "what compares them."
    )


def what_was_tested(found: Contrast) -> str:
    """The test, its pairs and its family, in one sentence; why there is none where runs ended as they were solved."""
    if found.crossings:
        return crossed(found.crossings, int(found.frame["runs"].sum()))
    tested = found.pairs["p"].notna().sum()
    by = listed(["seed", *found.design.pooled])
    return (
        f"Tests are signed-rank tests on runs paired by {by}, exchanging the signs of whole seeds, with Holm's "
        f"correction over all {tested} pairs of the table."
    )


def warnings(found: Contrast) -> list[str]:
    """What the reader must know before believing the marks: chosen rows, too few seeds, holes."""
    smallest = found.pairs["smallest_p"].to_numpy(dtype=np.float64)
    told = [None if found.crossings else too_small(smallest, alpha=found.alpha)]
    return [text for text in (of_the_best(found), *told, what_is_missing(found.design)) if text]


def of_the_best(found: Contrast) -> str | None:
    """That an interval is not of a row chosen for its number; None where none is marked or none has an interval."""
    if not found.frame["best"].any() or found.frame["low"].isna().all():
        return None
    return "An interval is of its row alone: that of the row that came out best of many is too favourable."


def what_is_missing(design: Design) -> str | None:
    """How many cells the grid lacks, and what that does; None for a whole grid."""
    lost = len(design.missing)
    if not lost:
        return None
    return (
        f"The grid is incomplete: {lost} of {lost + int(design.runs['runs'].sum())} cells are missing; numbers are of "
        "the runs that are there, tests and differences of the pairs that are."
    )


def how_diverged(found: Contrast) -> str:
    """The sentence of the measure, with how many there were."""
    gone, runs = int(found.frame["diverged"].sum()), int(found.frame["runs"].sum())
    return f"{gone} of {runs} runs diverged. {how_diverged_count(found.measure, found.score)}"
