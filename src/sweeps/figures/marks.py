"""A mark for every run: filled if it solved the task, open if not, a cross for the worst rank; and what they mean."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sweeps.figures.style import Line

OPEN: dict[str, Any] = {"markerfacecolor": "none"}
CROSS: dict[str, Any] = {"marker": "x", "markersize": 4.5}


def run_marks(ax: Axes, x: pd.Series, y: pd.Series, solved: pd.Series, worst: pd.Series, line: Line) -> None:
    """Draw a mark for each of some runs of one level.

    Args:
        x, y: where, in the units of the axes.
        solved, worst: whether a run solved the task, and whether it has the worst rank.
    """
    usual: dict[str, Any] = {"linestyle": "none", "color": line.colour, "markeredgewidth": 0.7, "alpha": 0.8}
    kinds: list[tuple[pd.Series, dict[str, Any]]] = [
        (solved & ~worst, {"marker": line.marker}),
        (~solved & ~worst, {"marker": line.marker, **OPEN}),
        (worst, CROSS),
    ]
    for chosen, more in kinds:
        ax.plot(x[chosen], y[chosen], **usual, **more)


def meanings(solved: pd.Series, worst: pd.Series, word: str) -> list[Line2D]:
    """Entries of a legend for the marks that are drawn.

    Args:
        solved, worst: of all runs, as for `run_marks`.
        word: what the worst rank is.
    """
    grey: dict[str, Any] = {"color": "#555555", "linestyle": "none"}
    kinds: list[tuple[pd.Series, str, dict[str, Any]]] = [
        (solved & ~worst, "a run, solved", {"marker": "o"}),
        (~solved & ~worst, "not solved", {"marker": "o", **OPEN}),
        (worst, word, {"marker": "x"}),
    ]
    return [Line2D([], [], label=label, **grey, **mark) for runs, label, mark in kinds if runs.any()]
