"""Numbers and frames as readable text: rounded, aligned, under readable names."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sweeps.amounts import number_of as number_of  # beside the other texts
from sweeps.analysis.labels import head, level_said

EMPTY = "–"
ROUNDING = 1e-6
"""Relative difference up to which two measured numbers are written as one."""


def number(value: Any, digits: int = 3) -> str:
    """A number rounded to significant digits; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return EMPTY
    if value and not 1e-3 <= abs(value) < 1e5 and math.isfinite(value):
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e" in text else text


def digits_apart(one: float, other: float, least: int = 3) -> int:
    """How many significant digits tell two numbers apart, at least `least`; that many where they are as good as equal
    (`ROUNDING`) or not finite."""
    if not (math.isfinite(one) and math.isfinite(other)) or math.isclose(one, other, rel_tol=ROUNDING):
        return least
    return next((digits for digits in range(least, 8) if number(one, digits) != number(other, digits)), least)


def between(low: float, high: float, digits: int = 3, *, decimals: int = 0) -> str:
    """`0.55 to 0.87`, `0.9800 to 0.9801`: a range, both ends with the same decimals, as many as tell them apart; one
    number where they are as good as equal (`ROUNDING`).

    Args:
        digits: significant digits of the larger end at least; the smaller has one at least.
        decimals: decimals at least.
    """
    ends = (low, high)
    if math.isclose(low, high, rel_tol=ROUNDING):
        return f"{low:.{decimals}f}" if decimals else number(low, digits)
    sizes = [abs(end) for end in ends if end]
    if not all(map(math.isfinite, ends)) or min(sizes) < 1e-3 or max(sizes) >= 1e5:
        return " to ".join(dict.fromkeys(number(end, digits) for end in ends))
    least = max(decimals, digits - 1 - math.floor(math.log10(max(sizes))), -math.floor(math.log10(min(sizes))))
    texts = ([f"{end:z.{places}f}" for end in ends] for places in range(max(0, least), 20))
    return " to ".join(next(pair for pair in texts if pair[0] != pair[1]))


def factor(log10_per_step: float) -> str:
    """10 to a decay rate, the factor by which the gradient changes per step back in time; more digits near 1."""
    if math.isnan(log10_per_step):
        return EMPTY
    value = 10.0**log10_per_step
    return f"{value:.3f}" if 0.1 <= value < 10 else f"{value:#.2g}" if 1e-3 <= value < 0.1 else number(value)


def decades(per_step: float) -> str:
    """An end-to-end change in decades per step with its sign; `-inf` for a gradient that is exactly zero."""
    if not math.isfinite(per_step):
        return number(per_step)
    return f"{per_step:+z.3f}" if abs(per_step) >= 0.00995 else f"{per_step:+z.4f}"


def percent(count: Any, n: Any) -> str:
    """`4%`, with decimals where a few of many would read as 0%, or all but a few as 100%."""
    if not n:
        return EMPTY
    share = 100.0 * count / n
    return f"{share:.{0 if share in (0.0, 100.0) or 1.0 <= share <= 99.0 else 2}f}%"


def share_of(count: Any, n: Any) -> str:
    """`14 of 360 (4%)`."""
    return f"{int(count)} of {int(n)} ({percent(count, n)})" if n else EMPTY


def with_interval(value: float, low: float, high: float, digits: int = 2, *, infinite: str | None = None) -> str:
    """`0.50 [0.25, 0.75]`, all with the same decimals; without the bracket where there is no interval.

    Args:
        infinite: the word for an infinite number that stands for the worst rank.
    """
    if math.isnan(value):
        return EMPTY
    decimals = _decimals([value, low, high], digits)

    def text(each: float) -> str:
        if infinite and math.isinf(each):
            return infinite
        return number(each, digits) if decimals is None or math.isinf(each) else f"{each:z.{decimals}f}"

    if math.isnan(low):
        return text(value)
    if infinite and math.isinf(value) and value == low == high:
        return infinite
    return f"{text(value)} [{text(low)}, {text(high)}]"


def _decimals(values: list[float], digits: int) -> int | None:
    """Decimals that a number and its interval share: enough for `digits` digits of the number.

    None where one of them is better shown as a power of ten.
    """
    finite = [abs(value) for value in values if math.isfinite(value) and value]
    if not finite or max(finite) >= 1e5 or max(finite) < 1e-4:
        return None
    first = next((abs(value) for value in values if math.isfinite(value) and abs(value) >= 1e-4), max(finite))
    return max(0, digits - 1 - math.floor(math.log10(first)))


def render(frame: pd.DataFrame, *, names: int | None = None) -> str:
    """A frame of texts as a Markdown table with aligned columns: names to the left, numbers to the right.

    Args:
        names: how many columns from the left are names; by default the columns without a digit.
    """
    heads = [str(name) for name in frame]
    body = [[str(value).replace("|", "\\|") for value in row] for row in frame.itertuples(index=False)]
    widths = [max(3, *(len(row[at]) for row in [heads, *body])) for at in range(len(heads))]
    left = [
        at < names if names is not None else not any(character.isdigit() for row in body for character in row[at])
        for at in range(len(heads))
    ]

    def line(row: list[str]) -> str:
        cells = (t.ljust(w) if n else t.rjust(w) for t, w, n in zip(row, widths, left, strict=True))
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (w + 2) if n else "-" * (w + 1) + ":" for w, n in zip(widths, left, strict=True)) + "|"
    return "\n".join([line(heads), rule, *map(line, body)]) + "\n"


def axis_columns(table: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """The axis columns of a table as texts under readable heads; two settings of one last name keep their groups."""
    heads = [head(axis) for axis in axes]
    heads = [name if heads.count(name) == 1 else axis for name, axis in zip(heads, axes, strict=True)]
    texts = ([EMPTY if pd.isna(v) else level_said(axis, v) for v in table[axis]] for axis in axes)
    return pd.DataFrame(dict(zip(heads, texts, strict=True)), index=table.index)
