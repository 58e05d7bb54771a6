"""The figure of the gradient beside learning: a mark for every run, its factor per step against its best score."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sweeps.figures.facets import listed_levels, unlisted
from sweeps.figures.marks import DOWN, RIGHT, floor_of, meanings, run_marks
from sweeps.figures.panels import Grid, legend_above, log10_axis, room
from sweeps.figures.style import Line, house, lines

PANELS = {"start": "at initialisation", "training": "in training"}
HIGHEST = 1.5
"""The largest factor per step that is shown: one beyond it has exploded, by how much does not matter here."""
ALL = "all runs"


def factor_and_score(frame: pd.DataFrame, axis: str | None, score: str | None) -> Grid:
    """Factor per step at initialisation and in training, a panel each, against the best score.

    A mark is filled if the run solved the task, open if not, and a cross if it diverged.

    Args:
        frame: from `arrival.arrival`.
        axis: that of the colours; None for one colour.
        score: the name of the score; None for the best loss, on a log axis.
    """
    with house():
        levels = list(frame[axis].cat.categories) if axis else [ALL]
        style = lines(axis or ALL, levels)
        beside = room().across > 2
        figure = Grid(room().width, 3.0 if beside else 5.4)
        axes = figure.subplots(*((1, 2) if beside else (2, 1)), sharex=True, sharey=True)
        heights = frame["best"] if score else np.log10(frame["best"].where(frame["best"] > 0))
        floor = floor_of(heights)
        frame = frame.assign(height=heights, drawn=_within(heights, lowest=floor if score else None))
        what = "end-to-end factor" if len(frame) and frame["whole"].all() else "factor"
        figure.names = (f"{what} per step back in time", f"best {score}" if score else "loss of the best evaluation")
        for ax, (when, title) in zip(axes, PANELS.items(), strict=True):
            figure.behind.append((ax, _behind(frame, when)))
            for level, line in style.items():
                part = frame[frame[axis] == level] if axis else frame
                x = part[when].clip(upper=HIGHEST)
                run_marks(ax, x, part["drawn"], part["solved"], part["diverged"], line, _beyond(part, when))
            edge = _finish(ax, frame, when, floor)
            ax.set(title=f"{title} ({edge})" if edge else title, xlabel=figure.names[0])
        largest = frame[[*PANELS]].max().max()
        axes[0].set_xlim(-0.03, np.clip(largest if len(frame) else 1.0, 1.1, HIGHEST) + 0.03)
        if not score:
            log10_axis(axes[0], frame["drawn"])
        length = f", T = {frame['length'].iloc[0]:g}" if frame["length"].nunique() == 1 else ""
        axes[0].set_ylabel(figure.names[1] + length)
        beyond = {DOWN: frame["height"] < frame["drawn"], RIGHT: (frame[[*PANELS]] > HIGHEST).any(axis=1)}
        told = meanings(frame["solved"], frame["diverged"], "diverged", beyond)
        named = listed_levels(axis, levels) if axis else [(ALL, ALL)]
        rest = unlisted(len(levels) - len(named)) if axis else []
        legend_above(figure, [*(_handle(style[level], text) for level, text in named), *rest, *told])
        return figure


def _beyond(runs: pd.DataFrame, when: str) -> dict[int, pd.Series]:
    """The runs that lie at an edge of a panel because they are beyond it."""
    below = runs["height"] < runs["drawn"]
    return {DOWN: below, RIGHT: (runs[when] > HIGHEST) & ~below}


def _behind(runs: pd.DataFrame, when: str) -> pd.DataFrame:
    return pd.DataFrame({"cell": runs["cell"], "x": runs[when].clip(upper=HIGHEST), "y": runs["drawn"]})


def _within(heights: pd.Series, lowest: float | None) -> pd.Series:
    """Heights no lower than `lowest`, and an infinite one no further than the finite ones."""
    finite = heights[np.isfinite(heights)]
    ends = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    return heights.clip(lower=ends[0] if lowest is None else lowest, upper=ends[1])


def _finish(ax: Axes, frame: pd.DataFrame, when: str, floor: float) -> str:
    """Draw the line of a gradient that arrives as it left; returns how many runs are at the edge, or not drawn."""
    ax.axvline(1.0, color="#999999", linewidth=0.8, zorder=1)
    counts = {
        f"beyond {HIGHEST:g}": frame[when] > HIGHEST,
        f"below {floor:.2g}": (frame["height"] < frame["drawn"]) & frame[when].notna(),
        "without a number": frame[[when, "height"]].isna().any(axis=1),
    }
    return ", ".join(f"{int(runs.sum())} {text}" for text, runs in counts.items() if runs.any())


def _handle(line: Line, text: str) -> Line2D:
    return Line2D([], [], color=line.colour, linestyle="none", marker=line.marker, label=text)
