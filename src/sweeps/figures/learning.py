"""Figures of learning: loss over training, share of runs solved against the levels of an axis."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.baselines import CONSTANT
from sweeps.analysis.roles import Roles
from sweeps.figures.behind import put_behind
from sweeps.figures.facets import (
    LISTED,
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
from sweeps.figures.panels import (
    Grid,
    crosses,
    draw_band,
    free_corner,
    legend_above,
    level_axis,
    log10_axis,
    note,
    outer_labels,
)
from sweeps.figures.style import house

EMPTY: dict[str, Any] = {"color": "#777777", "linestyle": "none", "marker": "o", "markerfacecolor": "none"}
"""Style of the marker of a combination without a run."""
CHANCE: dict[str, Any] = {"color": "#999999", "linewidth": 0.8, "zorder": 1}
DASHES = ("-", (0, (6, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 3)))
"""Of the lines of baselines, in order; the first is the best constant answer."""


def loss_curves(frame: pd.DataFrame, ends: pd.DataFrame, roles: Roles, baselines: pd.DataFrame) -> Grid:
    """Loss over training; a cross where a run diverged.

    Args:
        frame, ends: from `curves.loss_over_training`; a note in the panel says if a median or a band lies above the
            scale.
        baselines: from `curves.constant_losses`, thin lines, each baseline dashed in its own way; where those of a
            panel differ between the levels that have colours, in these.
    """
    with house():
        figure, panels = facets(frame, roles, height=1.3 if roles.row is not None else 1.75, sharey=True)
        figure.names = ("training step (updates)", "evaluation loss")
        style = styles(frame, roles)
        bottom, top = _loss_range(frame, baselines)
        names = list(dict.fromkeys(baselines["baseline"]))
        thin = {name: {**CHANCE, "linestyle": DASHES[at % len(DASHES)]} for at, name in enumerate(names)}
        last = max([1.0, *frame["step"], *ends["step"]])
        log10_axis(panels[0].ax, [bottom, top + 0.2 * (top - bottom) * bool(len(ends))])  # the panels share it
        for panel in panels:
            ax, part, diverged = panel.ax, part_of(frame, roles, panel), part_of(ends, roles, panel)
            ax.set_xlim(0, last)
            if part.empty:
                note(ax, "no run" if diverged.empty else "no finite loss")
            for name, curve in by_colour(part, roles):
                draw_band(ax, curve, "step", style[name], markers=len(curve) == 1)
            note(ax, _cut(part, ax.get_ylim()[1]), **free_corner(ax, [part], "step"))
            for name, rows in by_colour(diverged, roles):
                crosses(ax, rows["step"], style[name], list(style).index(name) if len(style) <= LISTED else 0)
            for name, own in part_of(baselines, roles, panel).groupby("baseline", sort=False):
                shared = own["loss"].nunique() == 1
                for level, rows in by_colour(own, roles):
                    colour = {} if shared or level is None else {"color": style[level].colour}
                    for loss in rows["loss"].unique():
                        ax.axhline(loss, **{**thin[name], **colour})
            ax.xaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
            left, heading = titles(panel, roles, left=figure.names[1])
            outer_labels(panel, left=left, top=heading, bottom=figure.names[0])
        handles: list[Any] = legend_of(style, roles)
        handles += [Line2D([], [], label=name, **thin[name]) for name in names]
        if len(ends):
            handles.append(Line2D([], [], color="black", linestyle="none", marker="x", label="a run diverged"))
        legend_above(figure, handles)
        return figure


def _cut(part: pd.DataFrame, top: float) -> str:
    """What of a panel lies above its axis, as a note; empty for nothing."""
    if (part["median"] > top).any():
        return "goes off the scale"
    return "a band goes off the scale" if (part["high"] > top).any() else ""


def _loss_range(frame: pd.DataFrame, baselines: pd.DataFrame) -> tuple[float, float]:
    """log10 of the lowest and the highest loss that the axis shows.

    A loss far above both chance and the loss at the start says only that a run is exploding: the axis ends below it.
    """
    chance = baselines.loc[baselines["baseline"] == CONSTANT, "loss"]
    level = float(chance.median() if len(chance) else frame["median"].median())
    start = frame.loc[(frame["step"] == 0) & np.isfinite(frame["high"]), "high"].max()
    highest = level + 0.7 if np.isnan(start) else max(level + 0.7, min(start, level + 1.5))
    lowest = frame["low"].where(np.isfinite(frame["low"])).min()
    return max(np.nanmin([lowest, level, *baselines["loss"]]), level - 8.0), highest


def solved_by_level(frame: pd.DataFrame, roles: Roles, cells: pd.DataFrame | None = None) -> Grid:
    """Share of runs that solved the task against the levels of an axis.

    Args:
        frame: from `outcomes.shares` over the axes that are drawn. A combination without a run is an open grey circle
            below the axis.
        cells: the runs behind it.
        roles: with an x axis.
    """
    assert roles.x is not None
    with house():
        levels = levels_of(frame, roles.x)
        figure, panels = facets(frame, roles, height=1.3 if roles.row is not None else 1.75, sharey=True, widest=4)
        style = styles(frame, roles)
        at, logarithmic = positions(levels)
        place = partial(beside, inside=0.0, roles=roles, at=at, logarithmic=logarithmic, colours=list(style))
        frame = frame.assign(at=place(frame))
        if cells is not None:
            put_behind(figure, _at_their_share(frame, cells, roles), roles, "at", "share")
        holes = bool((frame["n"] == 0).any())
        joined = not any(isinstance(level, str) for level in levels)
        for panel in panels:
            ax = panel.ax
            for name, points in by_colour(part_of(frame, roles, panel), roles):
                points = points.sort_values(roles.x)
                x = points["at"].to_numpy()
                share = points["share_solved"].to_numpy()
                reach = np.abs(points[["share_solved_low", "share_solved_high"]].to_numpy().T - share)
                line = style[name]
                if joined:
                    ax.plot(x, share, color=line.colour, linestyle=line.dashes, linewidth=0.6, alpha=0.6)
                ax.errorbar(x, share, yerr=reach, color=line.colour, linewidth=0, elinewidth=0.7, alpha=0.5)
                ax.plot(x, share, color=line.colour, linestyle="none", marker=line.marker, zorder=3)
                hole = points["n"].to_numpy() == 0
                ax.plot(x[hole], np.full(hole.sum(), -0.16), **EMPTY)
            level_axis(ax, roles.x, at, logarithmic)
            ax.set_ylim(-0.24 if holes else -0.08, 1.08)
            ax.set_yticks([0.0, 0.5, 1.0], ["0", "½", "1"])
            ax.grid(axis="x", visible=False)
            for between in range(1, 0 if joined else len(levels)):
                ax.axvline(between - 0.5, color="#eeeeee", linewidth=0.6, zorder=0)
            left, heading = titles(panel, roles, left="share solved")
            outer_labels(panel, left=left, top=heading, bottom=axis_name(roles.x))
        handles = legend_of(style, roles, markers=True)
        legend_above(figure, handles + ([Line2D([], [], label="no run", **EMPTY)] if holes else []))
        return figure


def _at_their_share(frame: pd.DataFrame, cells: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Every run at the point that it is part of: `cell, at, share` and the axes."""
    points = frame.set_index(roles.drawn)[["at", "share_solved"]].rename(columns={"share_solved": "share"})
    return cells[["cell", *roles.drawn]].join(points, on=roles.drawn)
