"""Frames as Markdown, rounded for reading; CSV keeps full precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.load import Records
from sweeps.analysis.loading.names import HEADS, label
from sweeps.analysis.statistics.intervals import CONFIDENCE, RESAMPLES, range_coverage
from sweeps.analysis.tables.table import Cell, Table

EMPTY = "–"


def number(value: Any, digits: int = 3) -> str:
    """A number rounded to significant digits; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return EMPTY
    if value and not 1e-3 <= abs(value) < 1e5 and math.isfinite(value):
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e" in text else text


def factor(log10_per_step: float) -> str:
    """What is left of the gradient after one step back, from a decay rate; close to 1 with more digits."""
    if math.isnan(log10_per_step):
        return EMPTY
    value = 10.0**log10_per_step
    return f"{value:.3f}" if 0.1 <= value < 10 else f"{value:#.2g}" if 1e-3 <= value < 0.1 else number(value)


def with_interval(value: float, low: float, high: float, digits: int = 2, *, infinite: str | None = None) -> str:
    """`0.50 [0.25, 0.75]`, all with the same decimals; without the bracket where there is no interval.

    Args:
        infinite: the word for an infinite number, where it stands for the worst rank.
    """
    if math.isnan(value):
        return EMPTY
    decimals = _decimals([value, low, high], digits)

    def text(each: float) -> str:
        if infinite and math.isinf(each):
            return infinite
        return number(each, digits) if decimals is None or math.isinf(each) else f"{each:z.{decimals}f}"

    if math.isnan(low):
        return infinite if infinite and math.isinf(value) else number(value, digits)
    if infinite and math.isinf(value) and value == low == high:
        return infinite
    return f"{text(value)} [{text(low)}, {text(high)}]"


def _decimals(values: list[float], digits: int) -> int | None:
    """Decimals that a number and its interval share: enough for `digits` digits of the number.

    None where one of them is better written as a power of ten.
    """
    finite = [abs(value) for value in values if math.isfinite(value) and value]
    if not finite or max(finite) >= 1e5 or max(finite) < 1e-4:
        return None
    first = next((abs(value) for value in values if math.isfinite(value) and abs(value) >= 1e-4), max(finite))
    return max(0, digits - 1 - math.floor(math.log10(first)))


def render(frame: pd.DataFrame, *, names: int | None = None) -> str:
    """A frame of texts as a Markdown table, columns aligned; all but names are set to the right.

    Args:
        names: how many columns from the left are names; unless told, those without a digit in them.
    """
    heads = [str(name) for name in frame]
    body = [[str(value).replace("|", "\\|") for value in row] for row in frame.itertuples(index=False)]
    widths = [max(3, *(len(row[place]) for row in [heads, *body])) for place in range(len(heads))]
    left = [
        place < names if names is not None else not any(character.isdigit() for row in body for character in row[place])
        for place in range(len(heads))
    ]

    def line(row: list[str]) -> str:
        cells = (t.ljust(w) if n else t.rjust(w) for t, w, n in zip(row, widths, left, strict=True))
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (w + 2) if n else "-" * (w + 1) + ":" for w, n in zip(widths, left, strict=True)) + "|"
    return "\n".join([line(heads), rule, *map(line, body)]) + "\n"


def to_markdown(table: Table, *, caption: str | None = None, comment: str = "") -> str:
    """A table of `compare`, `rank`, `steps_to_solve` or `clipping_audit`: caption, cells, notes.

    Args:
        caption: put in place of the table's own.
        comment: put in front as an HTML comment, e.g. where the records come from.
    """
    frame = pd.DataFrame([[_marked(cell) for cell in row] for row in table.rows], columns=list(table.heads))
    front = f"<!-- {comment} -->\n\n" if comment else ""
    own = table.caption if caption is None else caption
    return f"{front}{own}\n\n{render(frame, names=table.names)}\n{' '.join(table.notes)}\n"


def _marked(cell: Cell) -> str:
    """Best in bold, the interval not; the mark of significance behind."""
    first, space, rest = cell.text.partition(" ")
    text = f"**{first}**{space}{rest}" if cell.best else cell.text
    return text + cell.mark.replace("*", "\\*")


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


def _field(solved: float, score: float, diverged: float) -> str:
    """Share solved (best score), and the share diverged if there is one."""
    if math.isnan(solved):
        return EMPTY
    reached = "diverged" if math.isinf(score) else number(score, 2)
    return f"{number(solved, 2)} ({reached})" + (f", diverged {number(diverged, 2)}" if diverged else "")


def axis_columns(table: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """The axis columns of a table as texts under readable heads."""
    return pd.DataFrame(
        {HEADS.get(axis, axis): [EMPTY if pd.isna(v) else label(_short(v)) for v in table[axis]] for axis in axes},
        index=table.index,
    )


def _short(value: Any) -> Any:
    return float(value) if isinstance(value, int | float | np.number) and not isinstance(value, bool) else value


def _intervals(table: pd.DataFrame, name: str, *, infinite: str | None = None) -> list[str]:
    columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
    return [with_interval(*row, infinite=infinite) for row in zip(*columns, strict=True)]


def counting_rules(table: pd.DataFrame, records: Records, seed: int) -> str:
    """The sentences beneath a comparison table: n, the kind of interval, how diverged runs were counted."""
    counts = table.loc[table["n"] > 0, "n"]
    n = int(counts.mode().max())
    several = f"{int(counts.min())} to {int(counts.max())}" if counts.nunique() > 1 else f"{n}"
    score = records.score_name
    sentences = [
        f"n is the number of runs (seeds) in a row: {several}.",
        f"Shares have {CONFIDENCE:.0%} Wilson intervals; the best {score} is the median over runs with a "
        f"{CONFIDENCE:.0%} interval from order statistics; in the CSV file stands also its interquartile mean with a "
        f"bootstrap interval ({RESAMPLES} resamples, seed {seed}); one run has none of them.",
    ]
    smallest = int(counts[counts > 1].min()) if (counts > 1).any() else 0
    if 1 < smallest < 6:
        sentences.append(
            f"With {smallest} runs the interval of a median is their range, which holds the median of such runs "
            f"in only {range_coverage(smallest):.0%} of cases: read it as a range."
        )
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
