"""The comparison as Markdown, and the sentences on counting beneath it."""

from __future__ import annotations

import math

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.measures import MEASURES, crossings
from sweeps.analysis.statistics.outcomes import counted
from sweeps.analysis.text import EMPTY, axis_columns, decades, factor, number, number_of, render, with_interval
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
    shown["solved"] = _runs(table, "solved")
    shown["at the end"] = _runs(table, "solved_at_end", interval=False)
    shown["diverged"] = _runs(table, "diverged")
    best = zip(table["best_score"], table["best_score_low"], table["best_score_high"], strict=True)
    shown[f"best {score}"] = [with_interval(*row, infinite="diverged") for row in best]
    shown["gradient norm"] = table["grad_norm"].map(number)
    shown["decades per step, end to end, at init"] = table["change_start"].map(decades)
    shown["factor per step, at init"] = table["decay_start"].map(factor)
    shown["in training"] = table["decay_training"].map(factor)
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
        have, are = ("has", "is") if unscored == 1 else ("have", "are")
        missing = f"no finite score and {are} missing from the best {records.score_name}"
        sentences.append(f"{number_of(unscored, 'run')} {have} {missing}.")
    sentences.append(
        "The gradient norm is the median over runs of each run's median over logged steps, before clipping. "
        + notes.HOW_IT_TRAVELS
    )
    sentences += [layer] if (layer := notes.of_the_layer(records)) else []
    if crossed := crossings(records, MEASURES["best_score"]):
        sentences.append(notes.crossed(crossed, len(records.cells)))
    holes = int((table["n"] == 0).sum())
    if holes:
        sentences.append(f"{holes} rows have n = 0: combinations of the grid without a single run that ended.")
    return " ".join(sentences) + "\n"


def _runs(table: pd.DataFrame, name: str, *, interval: bool = True) -> list[str]:
    """`3/4 [0.19, 0.99]`: runs of all runs of a row, with the interval of the share."""
    texts = []
    for count, n, low, high in zip(
        counted(table, name), table["n"], table[f"share_{name}_low"], table[f"share_{name}_high"], strict=True
    ):
        bounds = f" [{low:.2f}, {high:.2f}]" if interval and not math.isnan(low) else ""
        texts.append(f"{count}/{n}{bounds}" if n else EMPTY)
    return texts
