"""The comparison and its overview as Markdown, and the sentences on counting beneath them."""

from __future__ import annotations

import math

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.measures import MEASURES, crossings
from sweeps.analysis.text import EMPTY, axis_columns, decades, factor, number, render, with_interval
from sweeps.tables import notes
from sweeps.tables.coverage import iqm_words, median_words, share_words


def comparison_markdown(table: pd.DataFrame, score: str) -> str:
    """The comparison, from `tables.comparison.comparison`, for reading.

    Args:
        score: what the score is called, e.g. "accuracy".
    """
    names = [str(name) for name in table]
    axes = names[: names.index("n")]
    shown = axis_columns(table, axes)
    shown["n"] = table["n"].astype(str)
    for name in ("failed", "unfinished"):
        if table[name].any():
            shown[name] = table[name].astype(str)
    shown["share solved"] = _intervals(table, "share_solved")
    shown["at the end"] = table["share_solved_at_end"].map(lambda share: number(share, 2))
    shown["share diverged"] = _intervals(table, "share_diverged")
    shown[f"best {score}"] = _intervals(table, "best_score", infinite="diverged")
    shown["gradient norm"] = table["grad_norm"].map(number)
    shown["decades per step, end to end, at init"] = table["change_start"].map(decades)
    shown["factor per step, at init"] = table["decay_start"].map(factor)
    shown["in training"] = table["decay_training"].map(factor)
    return render(shown)


def overview_markdown(short: pd.DataFrame) -> str:
    """The overview, from `tables.comparison.overview`, for reading: at each length the share solved (best score)."""
    names = [str(name) for name in short]
    lengths = [name.removeprefix("solved_") for name in names if name.startswith("solved_")]
    axes = names[: names.index(f"solved_{lengths[0]}")]
    shown = axis_columns(short, axes)
    for length in lengths:
        columns = (short[f"{name}_{length}"] for name in ("solved", "best_score", "diverged"))
        shown[f"T = {length}"] = [_field(*row) for row in zip(*columns, strict=True)]
    shown["decades per step, end to end, at init"] = short["change_start"].map(decades)
    for name, head in (("start", "factor per step, at init"), ("training", "in training")):
        shown[head] = [factor(-math.inf if value == 0 else math.log10(value)) for value in short[f"factor_{name}"]]
    return render(shown)


def counting_rules(table: pd.DataFrame, records: Records, seed: int) -> str:
    """The sentences beneath a comparison: n, the kind of interval, how diverged runs are counted."""
    counts = table.loc[table["n"] > 0, "n"]
    n = int(counts.mode().max())
    several = f"{int(counts.min())} to {int(counts.max())}" if counts.nunique() > 1 else f"{n}"
    score = records.score_name
    sentences = [
        f"n is the number of runs (seeds) in a row: {several}.",
        f"A share has {share_words(counts)}. The best {score} is the median over runs, "
        f"{median_words(counts)}; in the CSV file stands also its interquartile mean, "
        f"{iqm_words(counts, seed)}.",
    ]
    sentences.append(
        "Solved means that an evaluation reached the score at which the task counts as solved, whatever followed; at "
        "the end, that the last one did and the run did not diverge. Diverged runs stay in: they count in the share "
        "diverged, and among the solved if they were solved before; their best "
        f"{score} has the worst rank, below every other and written “diverged” where it decides a number, and their "
        "gradients are those of the logged steps that were still finite."
    )
    unscored = int((table["n"] - table["n_score"]).sum())
    if unscored:
        sentences.append(f"{unscored} runs have no finite score and are missing from the best {records.score_name}.")
    sentences.append(
        "The gradient norm is the median over runs of each run's median over logged steps, before clipping. "
        + notes.HOW_IT_TRAVELS
    )
    if crossed := crossings(records, MEASURES["best_score"]):
        sentences.append(notes.crossed(crossed, len(records.cells)))
    holes = int((table["n"] == 0).sum())
    if holes:
        sentences.append(f"{holes} rows have n = 0: combinations of the grid without a single run that ended.")
    return " ".join(sentences) + "\n"


def _field(solved: float, score: float, diverged: float) -> str:
    """Share solved (best score), and the share diverged if it is not 0."""
    if math.isnan(solved):
        return EMPTY
    reached = "diverged" if math.isinf(score) else number(score, 2)
    return f"{number(solved, 2)} ({reached})" + (f", diverged {number(diverged, 2)}" if diverged else "")


def _intervals(table: pd.DataFrame, name: str, *, infinite: str | None = None) -> list[str]:
    """A column with its interval; shares have three digits, so that rounding does not change what an end says."""
    columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
    digits = 3 if name.startswith("share_") else 2
    return [with_interval(*row, digits, infinite=infinite) for row in zip(*columns, strict=True)]
