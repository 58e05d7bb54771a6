"""How many runs a number or a line is of, and what they are: seeds, and the levels of the axes that are pooled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sweeps.analysis.labels import axes_said, said
from sweeps.analysis.text import number_of
from sweeps.tables.notes import several

ONE = "1 run"


def how_many(cells: pd.DataFrame, drawn: Sequence[str], pooled: Sequence[str], noun: str = "run") -> str:
    """`24 runs (8 seeds × 3 levels of the gain)`, `3 runs (one for each seed)`; of a grid with holes `3 to 8 runs (of 2
    to 4 seeds, pooled over the gain)`.

    Args:
        cells: a row per run: the axes and `seed`.
        drawn: axes of which each combination of levels has a number.
        pooled: the other axes that varied.
    """
    parts = [part for _, part in cells.groupby(list(drawn), observed=True)] if drawn else [cells]
    counts = [len(part) for part in parts]
    text = f"{several(counts)} {noun}{'s' * (max(counts, default=0) != 1)}"
    if max(counts, default=0) < 2:
        return text
    pooled = [axis for axis in pooled if any(part[axis].nunique(dropna=False) > 1 for part in parts)]
    sizes = [[part[axis].nunique(dropna=False) for axis in ("seed", *pooled)] for part in parts]
    if all(len(part) == np.prod(own) for part, own in zip(parts, sizes, strict=True)):
        if not pooled:
            return f"{text} (one for each seed)"
        if all(own == sizes[0] for own in sizes):
            levels = zip(sizes[0][1:], pooled, strict=True)
            of_axes = [f"{number_of(count, 'level')} of the {said(axis)}" for count, axis in levels]
            return f"{text} ({' × '.join([number_of(sizes[0][0], 'seed'), *of_axes])})"
    over = f", pooled over the {axes_said(pooled)}" if pooled else ""
    return f"{text} (of {several(own[0] for own in sizes)} seeds{over})"


def lines_said(runs: str) -> str:
    """What the lines of a figure are and their bands, as a further sentence.

    Args:
        runs: how many make a line, from `how_many`.
    """
    if runs == ONE:
        return " Each line is one run."
    return f" Lines are medians over {runs}, bands reach from the smallest to the largest."
