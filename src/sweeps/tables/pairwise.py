"""The table of every pair of combinations: difference, effect size, p."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.analysis.labels import axes_said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.contrast import contrast
from sweeps.analysis.statistics.design import Incomplete
from sweeps.analysis.statistics.paired import ALPHA
from sweeps.analysis.text import number
from sweeps.analysis.tuning import with_tuned
from sweeps.tables import notes
from sweeps.tables.compare import bracketed, combination_texts, joined, named_pairs, present
from sweeps.tables.coverage import median_words
from sweeps.tables.table import Entry, Table


def pairwise(
    records: Records,
    axes: Sequence[str] = ("arch",),
    metric: str = "best_score",
    *,
    within: Sequence[str] | None = None,
    select: Mapping[str, Any] | None = None,
    seed: int = 0,
    alpha: float = ALPHA,
    incomplete: Incomplete = "refuse",
    tuned: Sequence[str] = (),
) -> Table:
    """Every pair of combinations: median paired difference with interval, effect size, p after Holm's correction.

    The arguments and errors are those of `compare`. The frame has a row per pair, with the columns of
    `pairs` in `contrast.Contrast`.
    """
    records = with_tuned(records, tuned, metric)
    result = contrast(
        records,
        axes,
        metric,
        within=within,
        select=select,
        statistic="median",
        seed=seed,
        alpha=alpha,
        incomplete=incomplete,
    )
    frame = named_pairs(result)
    texts = combination_texts(result.frame, result.axes)
    rows = tuple(
        (
            Entry(texts[pair["first"]]),
            Entry(texts[pair["second"]]),
            Entry(str(pair["pairs"])),
            Entry(str(pair["seeds"])),
            Entry(bracketed(pair["difference"], pair["difference_low"], pair["difference_high"])),
            Entry(number(pair["effect"], 2)),
            Entry(number(pair["p"], 2)),
            Entry(number(pair["p_holm"], 2), mark="*" if pair["p_holm"] < alpha else ""),
        )
        for pair in result.pairs.to_dict("records")
    )
    what = result.measure.label.format(score=result.score)
    spread = (
        "The difference is that of the shares."
        if result.measure.share
        else f"The difference is the median over n = {notes.seeds(result.pairs['seeds'])} of the median over a "
        f"seed's pairs, {median_words(result.pairs['seeds'])}."
    )
    caption = [
        f"Differences in {what}, first minus second, between levels of {axes_said(result.axes)}.",
        notes.what_is_fixed(result.design, result.selected),
    ]
    sentences = [
        spread,
        notes.what_is_pooled(result.design, share=result.measure.share),
        notes.what_was_tuned(records),
        notes.how_diverged(result),
        "Effect is the matched-pairs rank-biserial correlation: 1 if the first is larger in every pair, -1 if the "
        f"second is. *: p < {alpha:g}.",
        notes.what_was_tested(result),
        *notes.warnings(result),
    ]
    heads = ("first", "second", "pairs", "seeds", "difference", "effect", "p", "p (Holm)")
    return Table("pairwise", frame, heads, rows, joined(caption), present(sentences), 2, frame)
