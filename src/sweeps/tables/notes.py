"""The sentences of captions and beneath tables: n, pooling, tests, diverged runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sweeps.analysis.labels import axes_said, level_text
from sweeps.analysis.last_answer import last_answer
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.contrast import Contrast
from sweeps.analysis.statistics.design import Design
from sweeps.analysis.statistics.measures import STOPS, how_diverged_count
from sweeps.analysis.statistics.paired import too_small
from sweeps.analysis.statistics.summaries import ENDS, SHORTEST
from sweeps.analysis.text import number_of
from sweeps.records.columns import DIRECTION
from sweeps.tables.coverage import iqm_words, median_words, share_words

THE_FACTOR = (
    f"The factor per step is 10 to the slope of log10 ‖∂L/∂h_t‖ against lag, {ENDS} steps at "
    "either end left out, where it still depends on the readout or on the start from 0: a sequence of fewer than "
    f"{SHORTEST} steps has none. Below 1 the gradient vanishes on its way back, above 1 it explodes; 0 (-inf decades) "
    "is of one that is exactly zero somewhere on its way."
)
"""What the factor is by which tables describe the gradient through time."""
HOW_IT_TRAVELS = (
    "Decades per step, end to end, are log10 of ‖∂L/∂h_t‖ at the first time step over that at the last, divided by the "
    f"T - 1 steps between them. {THE_FACTOR}"
)
"""What the two numbers mean by which tables describe the gradient through time."""


def of_the_layer(records: Records) -> str:
    """Which layer's and direction's gradient it is; empty where every network has one of either."""
    if records.layers is None:
        return ""
    text = "Of a network with several layers the gradient through time is that of the highest"
    return f"{text}, of one that reads in both directions that of the forward one." if _both(records) else f"{text}."


def whose_gradient(records: Records) -> str:
    """Of which layer and of which loss the gradient through time is, in sentences; empty where it could be no other."""
    return " ".join(filter(None, (of_the_layer(records), last_answer(records.cells["task"].unique()))))


def _both(records: Records) -> bool:
    return records.layers is not None and bool(records.layers[DIRECTION].any())


def several(counts: Iterable[int]) -> str:
    """`5`, or `3 to 5`."""
    kept = sorted({int(count) for count in counts if count > 0}) or [0]
    return f"{kept[0]}" if len(kept) == 1 else f"{kept[0]} to {kept[-1]}"


def seeds(counts: Iterable[int]) -> str:
    """`1 seed`, `3 to 5 seeds`."""
    text = several(counts)
    return f"{text} seed{'s' * (text != '1')}"


def what_the_numbers_are(contrast: Contrast) -> str:
    """n, the statistic and its interval, as part of the caption."""
    n = contrast.frame["n"]
    if contrast.measure.share:
        interval = share_words(n, pooled=bool(contrast.design.pooled))
        runs = several(contrast.frame["runs"])
        return f"Shares are in runs, of which an entry has {runs} ({seeds(n)}), {interval}."
    best = f" {the_best(contrast.score)}" if contrast.measure.name == "best_loss" else ""
    if contrast.statistic == "median":
        return f"Each number is the median over n = {seeds(n)}, {median_words(n)}.{best}"
    return f"Each number is the interquartile mean over n = {seeds(n)}, {iqm_words(n, contrast.seed)}.{best}"


def the_best(score: str) -> str:
    """Which evaluation of a run is its best: its loss need not be the lowest."""
    return f"The best evaluation of a run is the first with its highest {score}; another may have a lower loss."


def what_is_pooled(design: Design, *, share: bool = False) -> str:
    """Which axes are pooled; empty if there are none."""
    if not design.pooled:
        return ""
    counts = "all their runs" if share else "one number per seed, that of all its runs there"
    return f"Pooled: {axes_said(design.pooled)} ({counts})."


def what_was_tuned(records: Records) -> str:
    """How axes were tuned, if some were; else empty."""
    if not records.tuned:
        return ""
    one = f"The {axes_said(list(records.tuned))} {'was' if len(records.tuned) == 1 else 'were'}"
    return (
        f"{one} tuned: for each combination each half of the seeds chose the level that counts for the other half, so "
        "that nothing was chosen and reported on the same runs; the halves chose for each other, so every p is "
        "doubled and every interval widened to keep its error."
    )


def what_is_fixed(design: Design, selected: Mapping[str, Any]) -> str:
    """`Fixed: GRU, orthogonal, T = 60.`: the axes with one level, and what the caller selected; empty for none."""
    texts = [level_text(axis, level) for axis, level in design.fixed.items()]
    for name, level in selected.items():
        if name in design.fixed:
            continue
        levels = level if isinstance(level, list | tuple) else [level]
        texts.append(" or ".join(dict.fromkeys(level_text(name, each) for each in levels)))
    return f"Fixed: {', '.join(dict.fromkeys(texts))}." if texts else ""


def crossed(count: int, runs: int) -> str:
    """The sentence on why scores are not ranked: `count` of the runs ended as soon as they were solved."""
    return (
        f"Not ranked: {count} of {runs} runs ended at the evaluation that solved them (`{STOPS}`), so that their "
        "number is where they crossed the threshold, not what they could have reached; the updates until solved are "
        "what compares them."
    )


def what_was_tested(contrast: Contrast) -> str:
    """The sentence on the test, its pairs and its family; or on why there is none, if runs ended when solved."""
    if contrast.crossings:
        return crossed(contrast.crossings, int(contrast.frame["runs"].sum()))
    tested = contrast.pairs["p"].notna().sum()
    by = axes_said(["seed", *contrast.design.pooled])
    return (
        f"Tests are signed-rank tests on runs paired by {by}, exchanging the signs of whole seeds, with Holm's "
        f"correction over {number_of(int(tested), 'pair')}."
    )


def warnings(contrast: Contrast) -> list[str]:
    """What limits the marks of a table: a best chosen among many, too few seeds, missing cells."""
    smallest = contrast.pairs["smallest_p"].to_numpy(dtype=np.float64)
    power = [None if contrast.crossings else too_small(smallest, alpha=contrast.alpha, factor=contrast.factor)]
    return [text for text in (of_the_best(contrast), *power, what_is_missing(contrast.design)) if text]


def of_the_best(contrast: Contrast) -> str | None:
    """The warning that the best row's interval is too favourable; None if no row is best or none has an interval."""
    if not contrast.frame["best"].any() or contrast.frame["low"].isna().all():
        return None
    return "An interval is of its row alone: that of the row that came out best of many is too favourable."


def what_is_missing(design: Design) -> str | None:
    """How many cells of the grid are missing, and the consequence; None for a complete grid."""
    missing = len(design.missing)
    total = missing + int(design.runs["runs"].sum())
    if not missing:
        return None
    return (
        f"The grid is incomplete: {missing} of {total} cells are missing; numbers are of "
        "the runs that are there, tests and differences of the pairs that are."
    )


def how_diverged(contrast: Contrast) -> str:
    """How many runs diverged, and how they count in the measure."""
    diverged, runs = int(contrast.frame["diverged"].sum()), int(contrast.frame["runs"].sum())
    return f"{diverged} of {runs} runs diverged. {how_diverged_count(contrast.measure, contrast.score)}"
