"""A mark for every run: filled if it solved the task, open if not, a cross for the worst rank; and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN, CARETRIGHT

from sweeps.figures.style import Line

OPEN: dict[str, Any] = {"markerfacecolor": "none"}
CROSS: dict[str, Any] = {"marker": "x", "markersize": 4.5}


LOWEST, DEEPEST = -0.2, -10.0
"""The lowest score that is shown, as one below 0 is worse than a constant answer; and that where most are below it."""
DOWN, RIGHT = CARETDOWN, CARETRIGHT
"""Markers, of no level, of a run at the edge of a panel that lies beyond it, below and to the right."""


def floor_of(scores: pd.Series) -> float:
    """The lowest score that the axis shows: `LOWEST`; where most are below it, the lowest of them, or `DEEPEST`."""
    finite = scores[np.isfinite(scores)]
    if not len(finite) or (finite >= LOWEST).mean() >= 0.5:
        return LOWEST
    return float(max(DEEPEST, finite.min()))


def run_marks(
    ax: Axes,
    x: pd.Series,
    y: pd.Series,
    solved: pd.Series,
    worst: pd.Series,
    line: Line,
    beyond: Mapping[int, pd.Series] | None = None,
) -> None:
    """Draw a mark for each of some runs of one level.

    Args:
        x, y: where, in the units of the axes.
        solved, worst: whether a run solved the task, and whether it has the worst rank.
        beyond: by `DOWN` and `RIGHT` the runs that lie at the edge because they are beyond it: a triangle points there.
    """
    usual: dict[str, Any] = {"linestyle": "none", "color": line.colour, "markeredgewidth": 0.7, "alpha": 0.8}
    edges = [(marker, flags & ~worst) for marker, flags in (beyond or {}).items()]
    inside = ~worst
    for _, at_edge in edges:
        inside &= ~at_edge
    for marker, own in [(line.marker, inside), *edges]:
        ax.plot(x[solved & own], y[solved & own], **usual, marker=marker)
        ax.plot(x[~solved & own], y[~solved & own], **usual, marker=marker, **OPEN)
    ax.plot(x[worst], y[worst], **usual, **CROSS)


def meanings(
    solved: pd.Series, worst: pd.Series, word: str, beyond: Mapping[int, pd.Series] | None = None
) -> list[Line2D]:
    """Entries of a legend for the marks that are drawn.

    Args:
        solved, worst, beyond: of all runs, as for `run_marks`.
        word: what the worst rank is.
    """
    grey: dict[str, Any] = {"color": "#555555", "linestyle": "none"}
    kinds: list[tuple[pd.Series, str, dict[str, Any]]] = [
        (solved & ~worst, "a run, solved", {"marker": "o"}),
        (~solved & ~worst, "not solved", {"marker": "o", **OPEN}),
        (worst, word, {"marker": "x"}),
        *((flags & ~worst, "beyond the axis", {"marker": marker}) for marker, flags in (beyond or {}).items()),
    ]
    return [Line2D([], [], label=label, **grey, **mark) for runs, label, mark in kinds if runs.any()]
