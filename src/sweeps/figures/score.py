"""The figure of what every run reached: a mark for each run against the axes that matter most, medians as lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sweeps.analysis.roles import Roles
from sweeps.analysis.statistics.measures import Measure
from sweeps.figures.behind import put_behind
from sweeps.figures.curves import on_log_axis
from sweeps.figures.facets import (
    axis_name,
    beside,
    by_colour,
    facets,
    legend_of,
    levels_of,
    part_of,
    positions,
    styles,
    titles,
)
from sweeps.figures.gradient import THRESHOLD
from sweeps.figures.marks import DOWN, floor_of, meanings, run_marks
from sweeps.figures.panels import Grid, legend_above, level_axis, log10_axis, outer_labels
from sweeps.figures.style import Line, house

BELOW = 0.07
"""How far below every score runs of the worst rank are drawn, as a share of what is shown below 0, at least of 1."""


def score_by_level(
    runs: pd.DataFrame,
    medians: pd.DataFrame,
    roles: Roles,
    measure: Measure,
    name: str,
    thresholds: Sequence[float] = (),
) -> Grid:
    """The number of every run against the levels of an axis: filled if it solved the task, open if not.

    A cross at the edge is a run of the worst rank: it diverged, or was never solved.

    Args:
        runs, medians: from `curves.numbers_by_level`.
        roles: with an x axis.
        name: what the numbers are.
        thresholds: scores at which a run counts as solved, drawn as thin lines.
    """
    assert roles.x is not None
    with house():
        figure, panels = facets(runs, roles, height=2.5 if roles.column is None else 1.9, sharey=True, widest=4)
        style = styles(runs, roles)
        levels = levels_of(runs, roles.x)
        at, logarithmic = positions(levels)
        number = not any(isinstance(level, str) for level in levels)
        place = partial(beside, roles=roles, at=at, logarithmic=logarithmic, colours=list(style))
        floor = floor_of(runs["value"])
        inside = runs.groupby(roles.drawn, observed=True)["cell"].transform(
            lambda part: np.linspace(-1, 1, len(part) + 2)[1:-1]
        )
        runs = runs.assign(at=place(runs, inside), drawn=within(runs["value"], measure, floor))
        ends = {name: place(medians, pd.Series(side, medians.index)) for name, side in (("from", -1.0), ("to", 1.0))}
        medians = medians.assign(at=place(medians, pd.Series(0.0, medians.index)), **ends)
        figure.names = ("", name)
        figure.worst = measure.worst
        put_behind(figure, runs, roles, "at", "drawn")
        for panel in panels:
            for level, part in by_colour(part_of(runs, roles, panel), roles):
                worst = np.isinf(part["value"])
                beyond = {DOWN: part["drawn"] > part["value"]}
                run_marks(panel.ax, part["at"], part["drawn"], part["solved"], worst, style[level], beyond)
            for level, part in by_colour(part_of(medians, roles, panel), roles):
                _medians(panel.ax, part, style[level], measure, floor, joined=number)
            for threshold in thresholds:
                panel.ax.axhline(threshold, **THRESHOLD)
            level_axis(panel.ax, roles.x, at, logarithmic)
            left, top = titles(panel, roles, left=name)
            outer_labels(panel, left=left, top=top, bottom=axis_name(roles.x))
            if cut := _beyond(part_of(runs, roles, panel), floor):  # in the title, where it covers no mark
                panel.ax.set_title("\n".join(filter(None, (panel.ax.get_title(), cut))))
        if on_log_axis(measure):
            log10_axis(panels[0].ax, runs["drawn"])
        handles = legend_of(style, roles, markers=True)
        legend_above(figure, [*handles, *_meanings(runs, measure, bool(len(thresholds)))])
        return figure


def within(values: pd.Series, measure: Measure, floor: float) -> pd.Series:
    """The heights of marks: a score no lower than `floor`, an infinite one just beyond the finite ones."""
    if measure.name.endswith("score"):
        return values.clip(lower=floor).where(~np.isneginf(values), floor - BELOW * max(1.0, -floor))
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    room = 0.08 * (high - low) or 0.1
    return values.clip(lower=low - room, upper=high + room)


def _beyond(runs: pd.DataFrame, floor: float) -> str:
    """How many scores lie below the axis, and the lowest; empty if none does."""
    below = runs.loc[np.isfinite(runs["value"]) & (runs["drawn"] > runs["value"]), "value"]
    return f"{len(below)} below {floor:.2g}, lowest {below.min():.2g}" if len(below) else ""


def _medians(ax: Axes, medians: pd.DataFrame, line: Line, measure: Measure, floor: float, *, joined: bool) -> None:
    """A short bar at each median; joined from level to level along numbers. One of the worst rank leaves a gap, one
    below the axis a triangle that points there."""
    heights = within(medians["median"], measure, floor).where(np.isfinite(medians["median"]))
    inside = heights.where(~(heights > medians["median"]))
    below = heights[heights > medians["median"]]
    ax.hlines(inside, medians["from"], medians["to"], color=line.colour, linewidth=1.6, zorder=2)
    ax.plot(medians["at"][below.index], below, linestyle="none", marker=DOWN, markersize=6, color=line.colour, zorder=2)
    if joined:
        order = medians["at"].sort_values().index
        ax.plot(medians["at"][order], heights[order], color=line.colour, linewidth=0.7, alpha=0.7, zorder=2)


def _meanings(runs: pd.DataFrame, measure: Measure, threshold: bool) -> list[Line2D]:
    """What a line, and filled, open and crossed marks mean, of those that are drawn."""
    median = Line2D([], [], color="#555555", linewidth=1.1, label="median")
    found = [
        median,
        *meanings(runs["solved"], np.isinf(runs["value"]), measure.worst, {DOWN: runs["drawn"] > runs["value"]}),
    ]
    return [*found, Line2D([], [], label="counts as solved", **THRESHOLD)] if threshold else found
