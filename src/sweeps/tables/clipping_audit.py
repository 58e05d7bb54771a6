"""The clipping audit: how often clipping acted, what it did to the gradient, what it changed in outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import axes_said
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.design import Design, Incomplete, check_axes, key_of, lay_out, named_axes, named_levels
from sweeps.analysis.statistics.intervals import Floats, medians
from sweeps.analysis.statistics.measures import (
    MEASURES,
    Measure,
    crossings,
    how_diverged_count,
    measure_named,
    per_run,
)
from sweeps.analysis.statistics.paired import ALPHA, compare_pairs, holm, times, too_small
from sweeps.analysis.statistics.summaries import numbers_of
from sweeps.analysis.text import axis_columns, number
from sweeps.errors import SweepsError
from sweeps.tables import notes
from sweeps.tables.compare import bracketed, joined, present
from sweeps.tables.coverage import median_words
from sweeps.tables.table import Entry, Table

REFERENCE = "none"
"""The level of `clip` with which the others are compared."""
CHANGES = {
    "solved": ("solved_gained", "solved_lost"),
    "solved_at_end": ("solved_at_end_gained", "solved_at_end_lost"),
    "diverged": ("diverged_caused", "diverged_avoided"),
}
"""Per outcome the two columns that count the pairs in which clipping brought it about and prevented it."""


def clipping_audit(
    records: Records,
    axes: Sequence[str] = ("arch", "clip"),
    metric: str = "best_score",
    *,
    select: Mapping[str, Any] | None = None,
    seed: int = 0,
    alpha: float = ALPHA,
    incomplete: Incomplete = "refuse",
) -> Table:
    """Every kind of clipping compared with none, run by run, in pairs of the same seed and the same other settings.

    Args:
        axes: `clip` and up to three more, e.g. ("arch", "clip", "length"); the rest is pooled. A setting of clipping
            that varies (`threshold`) has rows of its own.
        metric, select, seed, alpha, incomplete: as in `compare`.

    Returns:
        A row per combination with clipping: the axes; `runs`, `diverged`, `missing`; `clipped` (share of steps at
        which clipping acted), `ever` (share of runs in which it acted at all), `clip_scale` (factor where it acted),
        `grad_norm`, `grad_norm_clipped` (before and after), each the median over runs; and against no clipping
        `pairs`, `seeds`, `difference` (with - without) with `_low, _high`, `effect`, `p`, `p_holm`; pairs whose
        outcome changed: `solved_gained, solved_lost` (by any evaluation), `solved_at_end_gained, solved_at_end_lost`
        (by the last), `diverged_avoided, diverged_caused`. Where runs ended as they were solved, a score is not
        tested: `effect`, `p` and `p_holm` are NaN.

    Raises:
        SweepsError: as `compare`; also if `clip` is not among the axes, or no run is without clipping.
    """
    measure = measure_named(metric)
    axes = named_axes(records, axes)
    if "clip" not in axes:
        raise SweepsError(f"axes: {', '.join(axes)} given; the audit is of clipping, so 'clip' must be one of them")
    selected = named_levels(records, select)
    if selected:
        records = records.select(**selected)
    check_axes(records, axes)
    if REFERENCE not in set(records.cells["clip"]):
        raise SweepsError("the audit compares with clip=none, of which these records have no finished run")
    records = records.drop_unused_levels()
    rows_axes = [*axes, *(axis for axis in records.extra_axes if owner_of(axis) == "clip" and axis not in axes)]
    design = lay_out(records, rows_axes, per_run(records, measure), incomplete)
    with_, without = _partners(design, rows_axes)
    pairs = compare_pairs(
        design.values[with_], design.values[without], share=measure.share, seed=seed, factor=times(records)
    )
    crossed = crossings(records, measure)
    if crossed:
        pairs[["effect", "p", "smallest_p"]] = np.nan
    pairs["p_holm"] = holm(pairs["p"].to_numpy(), alpha=alpha)
    frame = pd.concat(
        [
            design.combinations.iloc[with_].reset_index(drop=True),
            design.runs.iloc[with_].reset_index(drop=True),
            _effect_on_gradients(records, design, rows_axes).iloc[with_].reset_index(drop=True),
            pairs,
            *(_changed(records, rows_axes, name, with_, without) for name in CHANGES),
        ],
        axis=1,
    )
    unclipped = design.values[without]
    flat = [row[~np.isnan(row)] for row in unclipped]
    shares = [row.mean() if len(row) else np.nan for row in flat]
    frame["without"] = shares if measure.share else medians(medians(unclipped))
    return _table(records, frame, rows_axes, measure, design, selected, alpha, crossed)


def _partners(design: Design, axes: Sequence[str]) -> tuple[list[int], list[int]]:
    """Row numbers of the combinations with clipping, and for each that of the same combination without."""
    combinations = design.combinations
    shared = [axis for axis in axes if axis != "clip" and owner_of(axis) != "clip"]
    keys = [key_of(row) for row in combinations[shared].itertuples(index=False)] if shared else [()] * len(combinations)
    clips = combinations["clip"].tolist()
    reference = {key: row for row, (key, clip) in enumerate(zip(keys, clips, strict=True)) if clip == REFERENCE}
    with_ = [row for row, clip in enumerate(clips) if clip != REFERENCE and keys[row] in reference]
    if not with_:
        raise SweepsError("the audit needs runs with clipping beside those without; these records have only clip=none")
    return with_, [reference[keys[row]] for row in with_]


def _effect_on_gradients(records: Records, design: Design, axes: Sequence[str]) -> pd.DataFrame:
    """How often clipping acted and what it did to the gradient norm, for each combination: medians over its runs."""
    names = ["clipped", "clip_scale", "grad_norm", "grad_norm_clipped"]
    runs = records.cells[["cell", *axes]].join(numbers_of(records)[names], on="cell")
    runs["ever"] = (runs["clipped"] > 0).astype(float).where(runs["clipped"].notna())
    groups = {key_of(key): part for key, part in runs.groupby(list(axes), observed=True, dropna=False)}
    rows = []
    for combination in design.combinations.itertuples(index=False):
        part = groups.get(key_of(combination), runs.iloc[:0])
        rows.append({**part[names].median().to_dict(), "ever": part["ever"].mean()})
    return pd.DataFrame(rows)[["clipped", "ever", "clip_scale", "grad_norm", "grad_norm_clipped"]]


def _changed(records: Records, axes: list[str], name: str, with_: list[int], without: list[int]) -> pd.DataFrame:
    """How many pairs gained and lost the outcome `name`, under the column names of `CHANGES`."""
    values: Floats = lay_out(records, axes, per_run(records, MEASURES[name]), "allow").values
    change = (values[with_] - values[without]).reshape(len(with_), -1)
    up, down = (change > 0).sum(axis=1), (change < 0).sum(axis=1)
    more, less = CHANGES[name]
    return pd.DataFrame({more: up, less: down})


def _table(
    records: Records,
    frame: pd.DataFrame,
    axes: list[str],
    measure: Measure,
    design: Design,
    selected: Mapping[str, Any],
    alpha: float,
    crossed: int,
) -> Table:
    names = axis_columns(frame, axes)
    rows = tuple(
        (
            *map(Entry, texts),
            Entry(str(row["pairs"])),
            Entry(number(row["clipped"], 2)),
            Entry(f"{number(row['grad_norm'])} → {number(row['grad_norm_clipped'])}"),
            Entry(bracketed(row["without"], np.nan, np.nan, measure)),
            Entry(_signed(row), mark="*" if row["p_holm"] < alpha else ""),
            *(Entry(f"+{row[more]} −{row[less]}") for more, less in CHANGES.values()),
        )
        for texts, (_, row) in zip(names.itertuples(index=False), frame.iterrows(), strict=True)
    )
    what = measure.label.format(score=records.score_name)
    n = frame["seeds"]
    change = "that of the shares"
    if not measure.share:
        change = f"median over n = {notes.seeds(n)} of the median over a seed's pairs, {median_words(n)}"
    caption = [
        f"What clipping did, by {axes_said(axes)}, against no clipping in runs paired by "
        f"{axes_said(['seed', *design.pooled])}.",
        notes.what_is_fixed(design, selected),
    ]
    diverged, total = int(design.runs["diverged"].sum()), int(design.runs["runs"].sum())
    tested = (
        f"*: changed, p < {alpha:g} (signed-rank test that exchanges the signs of whole seeds, Holm's correction over "
        f"the {frame['p'].notna().sum()} rows)."
    )
    warning = None if crossed else too_small(frame["smallest_p"].to_numpy(dtype=np.float64), alpha=alpha)
    sentences = [
        "Clipped (share of logged steps at which clipping acted) and gradient norm (before → after) are medians over "
        f"runs of each run's share or median; without is the {what} of the runs without clipping.",
        f"The change is the difference in {what}, with minus without: {change}.",
        notes.what_is_pooled(design, share=measure.share),
        f"{diverged} of {total} runs diverged. {how_diverged_count(measure, records.score_name)}",
        "Their gradient norms are those of the logged steps that were still finite. A change that reads inf or -inf is "
        "one between a score and divergence.",
        "+ and − count pairs in which clipping brought the outcome about, and in which it prevented it: solved by any "
        "evaluation, solved by the last one, diverged.",
        notes.crossed(crossed, total) if crossed else tested,
        *(text for text in (warning, notes.what_is_missing(design)) if text),
    ]
    outcomes = ("solved", "solved at the end", "diverged")
    heads = (*names.columns, "pairs", "clipped", "gradient norm", "without", "change", *outcomes)
    return Table("clipping_audit", frame, heads, rows, joined(caption), present(sentences), len(axes), frame)


def _signed(row: pd.Series) -> str:
    """The difference of a row with its interval, and with a plus sign if it is positive."""
    text = bracketed(row["difference"], row["difference_low"], row["difference_high"], digits=2)
    return f"+{text}" if row["difference"] > 0 else text
