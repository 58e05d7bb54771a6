"""The whole comparison and its summary as Markdown, and the rules of counting that stand beneath."""

from __future__ import annotations

import math

import pandas as pd

from sweeps.analysis.loading.load import Records
from sweeps.analysis.tables.coverage import iqm_words, median_words, share_words
from sweeps.analysis.tables.markdown import EMPTY, axis_columns, factor, number, render, with_interval


def comparison_markdown(table: pd.DataFrame, score: str) -> str:
    """The comparison table, from `tables.comparison`, for reading.

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
    for name in ("solved", "diverged"):
        shown[f"share {name}"] = _intervals(table, f"share_{name}")
    shown[f"best {score}"] = _intervals(table, "best_score", infinite="diverged")
    shown["gradient norm"] = table["grad_norm"].map(number)
    shown["factor per step of lag, at init"] = table["decay_start"].map(factor)
    shown["in training"] = table["decay_training"].map(factor)
    return render(shown)


def summary_markdown(short: pd.DataFrame) -> str:
    """The compact table, from `tables.summary`: at each length the share solved (best score)."""
    names = [str(name) for name in short]
    lengths = [name.removeprefix("solved_") for name in names if name.startswith("solved_")]
    axes = names[: names.index(f"solved_{lengths[0]}")]
    shown = axis_columns(short, axes)
    for length in lengths:
        columns = (short[f"{name}_{length}"] for name in ("solved", "best_score", "diverged"))
        shown[f"T = {length}"] = [_field(*row) for row in zip(*columns, strict=True)]
    for name, head in (("start", "factor per step, at init"), ("training", "in training")):
        shown[head] = [factor(math.log10(value)) if value > 0 else EMPTY for value in short[f"factor_{name}"]]
    return render(shown)


def counting_rules(table: pd.DataFrame, records: Records, seed: int) -> str:
    """The sentences beneath a comparison table: n, the kind of interval, how diverged runs were counted."""
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
        "Diverged runs stay in: they count in the share diverged and among the runs not solved, their best "
        f"{score} has the worst rank, below every other and written “diverged” where it decides a number, and their "
        "gradient norms and decay rates are those of the logged steps that were still finite."
    )
    unscored = int((table["n"] - table["n_score"]).sum())
    if unscored:
        sentences.append(f"{unscored} runs have no finite score and are missing from the best {records.score_name}.")
    sentences.append(
        "The gradient norm is the median over runs of each run's median over logged steps, before clipping. The factor "
        "per step of lag is 10 to the slope of log10 ‖∂L/∂h_t‖ against lag: below 1 the gradient vanishes on its way "
        "back, above 1 it explodes."
    )
    holes = int((table["n"] == 0).sum())
    if holes:
        sentences.append(f"{holes} rows have n = 0: combinations of the grid without a single run that ended.")
    return " ".join(sentences) + "\n"


def _field(solved: float, score: float, diverged: float) -> str:
    """Share solved (best score), and the share diverged if there is one."""
    if math.isnan(solved):
        return EMPTY
    reached = "diverged" if math.isinf(score) else number(score, 2)
    return f"{number(solved, 2)} ({reached})" + (f", diverged {number(diverged, 2)}" if diverged else "")


def _intervals(table: pd.DataFrame, name: str, *, infinite: str | None = None) -> list[str]:
    """A column with its interval; of a share two decimals at least, lest an end be rounded by what it says."""
    columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
    digits = 3 if name.startswith("share_") else 2
    return [with_interval(*row, digits, infinite=infinite) for row in zip(*columns, strict=True)]
