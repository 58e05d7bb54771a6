"""Figures of gradients: through time, against sequence length, before and after clipping."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.labels import UNSET, level_said, level_text
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.roles import Roles
from sweeps.figures.facets import axis_name, by_colour, facets, legend_of, levels_of, part_of, positions, styles, titles
from sweeps.figures.panels import (
    NORM,
    Grid,
    Panel,
    crosses,
    draw_band,
    free_corner,
    grid_of,
    legend_above,
    level_axis,
    log10_axis,
    note,
    outer_labels,
)
from sweeps.figures.style import house, lines

BEFORE: dict[str, Any] = {"color": "#808080", "linestyle": (0, (3, 1)), "linewidth": 0.9}
"""Style of gradient norms before clipping, the same for every kind of clipping."""
THRESHOLD: dict[str, Any] = {"color": "black", "linestyle": (0, (2, 1.5)), "linewidth": 0.8}
DIVERGED = Line2D([], [], color="black", linestyle="none", marker="x", markersize=4, label="some runs diverged")


RELATIVE = NORM + "\nover that at lag 0"
"""The gradient through time over that at the last time step, as a label."""
CIRCLE: dict[str, Any] = {
    **{"linestyle": "none", "marker": "o", "fillstyle": "none", "markersize": 3.6, "markeredgewidth": 0.9},
}
CIRCLES = 9
"""How many of them a curve of theory has."""
MOST_REMARKS = 6
"""Lines of the note in a panel at most."""
SHOWN = (-46.0, 46.0)
"""Widest y range of a panel, in log10 ||dL/dh_t||: the range of float32 with its subnormals, and a margin."""


def gradient_by_lag(frame: pd.DataFrame, roles: Roles, theory: pd.DataFrame | None = None) -> Grid:
    """Gradient norm against steps back from the end of the sequence.

    A curve that leaves the range of float32 leaves the panel, and a note says where it ends. A cross marks the end of
    a curve if some of its runs diverged.

    Args:
        frame: from `curves.gradient_by_lag`.
        theory: what is drawn over it as circles, in the same columns; the gradient is then that over its own at lag 0.
    """
    what = NORM if theory is None else RELATIVE
    with house():
        figure, panels = facets(frame, roles, height=1.75 if roles.row is None else 1.45, sharey=False, widest=4)
        style = styles(frame, roles)
        last = max(float(frame["lag"].max()), 1.0)
        figure.names = ("lag (steps back)", "‖∂L/∂h_t‖" if theory is None else "‖∂L/∂h_t‖ / ‖∂L/∂h_{T-1}‖")
        for panel in panels:
            ax, part = panel.ax, part_of(frame, roles, panel)
            remarks = _no_run(part, roles, _expected(frame, roles, panel, list(style)))
            zero = []
            for level, curve in by_colour(part, roles):
                name = roles.title if level is None else level_said(str(roles.colour), level)
                draw_band(ax, curve, "lag", style[level])
                if np.isneginf(curve["median"]).mean() > 0.5:
                    zero.append(name)
                remarks.extend(_far(curve, name))
                _mark_diverged(ax, curve, style[level].colour)
            for level, curve in by_colour(part_of(theory, roles, panel), roles) if theory is not None else ():
                every = max(1, round(last / CIRCLES))
                ax.plot(curve["lag"][::every], curve["median"][::every], color=style[level].colour, **CIRCLE)
            if zero:
                remarks.append(f"exactly zero: {', '.join(zero)}")
            shown = part if roles.row is None or frame.empty else frame[frame[roles.row] == panel.row]
            log10_axis(ax, shown[["low", "median", "high"]].to_numpy().ravel(), within=SHOWN)  # low may be zero alone
            ax.set_xlim(0, last)
            note(ax, "\n".join(_most(remarks)), **free_corner(ax, [part], "lag"))
            ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            left, top = titles(panel, roles, left=what)
            outer_labels(panel, left=left, top=top, bottom=figure.names[0])
        more = [DIVERGED] if (frame["diverged"] > 0).any() else []
        more += [] if theory is None else [Line2D([], [], color="#444444", label="theory", **CIRCLE)]
        legend_above(figure, legend_of(style, roles) + more)
        return figure


def norm_by_level(frame: pd.DataFrame, roles: Roles) -> Grid:
    """Gradient norm before clipping against the levels of an axis.

    A cross marks a point if some of its runs diverged.

    Args:
        frame: from `curves.norm_by_level`.
        roles: with an x axis.
    """
    assert roles.x is not None
    with house():
        figure, panels = facets(frame, roles, height=1.75 if roles.row is None else 1.45, sharey=True, widest=4)
        style = styles(frame, roles)
        at, logarithmic = positions(levels_of(frame, roles.x))
        at_levels = all(level == place for level, place in at.items())
        figure.names = (axis_name(roles.x) if at_levels else "", "gradient norm before clipping")
        placed = frame.assign(at=frame[roles.x].map(at).astype(float))
        for panel in panels:
            ax, part = panel.ax, part_of(placed, roles, panel)
            for level, curve in by_colour(part, roles):
                draw_band(ax, curve, "at", style[level], markers=True)
            diverged = part[part["diverged"] > 0]
            ax.plot(diverged["at"], diverged["median"], "x", color="black", markersize=5.5, zorder=5)
            remarks = _no_run(part, roles, _expected(frame, roles, panel, list(style)))
            note(ax, "\n".join(remarks), x=0.96, y=0.96, ha="right", va="top")
            level_axis(ax, str(roles.x), at, logarithmic)
            left, top = titles(panel, roles, left="gradient norm\nbefore clipping")
            outer_labels(panel, left=left, top=top, bottom=axis_name(roles.x))
        log10_axis(panels[0].ax, [*frame["low"], *frame["high"]])
        handles = legend_of(style, roles, markers=True)
        legend_above(figure, handles + ([DIVERGED] if (frame["diverged"] > 0).any() else []))
        return figure


def clipping_over_training(
    frame: pd.DataFrame, ends: pd.DataFrame, thresholds: Mapping[Any, Sequence[float]], roles: Roles, length: Any
) -> Grid:
    """Gradient norm before and after clipping over training, rows by clipping.

    Args:
        frame, ends: from `curves.clipping_over_training`.
        thresholds: those of each row; each is drawn as a thin line.
        roles: with a row and a column, from `clipped.clipped_runs`.
        length: the sequence length of all; None where there are several.
    """
    assert roles.row is not None and roles.column is not None
    with house():
        rows = [level for level in levels_of(frame, roles.row) if level not in ("none", UNSET, math.inf)]
        figure, grid = grid_of(rows, levels_of(frame, roles.column), height=1.45, widest=4, sharey=False)
        style = lines(roles.row, levels_of(frame, roles.row))
        last = max([1.0, *frame["step"], *ends["step"]])
        figure.names = ("training step (updates)", "gradient norm")
        for panel in grid:
            ax, line = panel.ax, style[panel.row]
            part, diverged = part_of(frame, roles, panel), part_of(ends, roles, panel)["step"]
            if part.empty:
                note(ax, "no run" if diverged.empty else "no finite gradient")
            before, after = (part[part["when"] == when] for when in ("before", "after"))
            draw_band(ax, before, "step", line, **BEFORE)
            draw_band(ax, after, "step", line, linestyle="-", linewidth=1.5)
            crosses(ax, diverged, line, 0)
            levels = [math.log10(value) for value in thresholds.get(panel.row, ()) if 0 < value < math.inf]
            for level in levels:
                ax.axhline(level, **THRESHOLD)
            ax.set_xlim(0, last)
            ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            left, top = titles(panel, roles, left=figure.names[1] + ("" if length is None else f"\nT = {length:g}"))
            outer_labels(panel, left=left, top=top, bottom=figure.names[0])
            if panel.left:
                shown = frame[frame[roles.row] == panel.row]
                log10_axis(ax, [*shown["low"], *shown["high"], *levels])
        handles = [Line2D([], [], label="before clipping", **BEFORE)]
        handles += [
            Line2D([], [], color=style[row].colour, label=f"after, {level_text(roles.row, row)}") for row in rows
        ]
        handles.append(Line2D([], [], label="threshold (by value: of each element)", **THRESHOLD))
        legend_above(figure, handles + ([DIVERGED] if len(ends) else []))
        return figure


def _most(remarks: list[str]) -> list[str]:
    """At most `MOST_REMARKS` remarks; the last says how many more there are."""
    if len(remarks) <= MOST_REMARKS:
        return remarks
    return [*remarks[: MOST_REMARKS - 1], f"and {len(remarks) - MOST_REMARKS + 1} more"]


def _far(curve: pd.DataFrame, name: str) -> list[str]:
    """A remark on where a median ends that leaves the panel; [] if it stays inside."""
    finite = curve[np.isfinite(curve["median"])].sort_values("lag")
    if finite.empty or SHOWN[0] <= finite["median"].iloc[-1] <= SHOWN[1]:
        return []
    return [f"{name} → $10^{{{finite['median'].iloc[-1]:.0f}}}$"]


def _mark_diverged(ax: Axes, curve: pd.DataFrame, colour: str) -> None:
    """Draw a cross at the last visible point of a curve if some of its runs diverged."""
    inside = curve[curve["median"].between(*SHOWN)]
    if len(inside) and curve["diverged"].iloc[0] > 0:
        end = inside.sort_values("lag").iloc[-1]
        ax.plot([end["lag"]], [end["median"]], "x", color=colour, clip_on=False, markersize=4.5)


def _expected(frame: pd.DataFrame, roles: Roles, panel: Panel, levels: list[Any]) -> list[Any]:
    """The levels of the colour axis that this panel could have: of a setting of clipping those of its kind."""
    for axis, level in ((roles.row, panel.row), (roles.column, panel.column)):
        if axis is not None and roles.colour is not None and owner_of(roles.colour) == axis:
            own = set(frame.loc[frame[axis] == level, roles.colour])
            return [each for each in levels if each in own]
    return levels


def _no_run(part: pd.DataFrame, roles: Roles, levels: list[Any]) -> list[str]:
    """A remark naming the levels of the colour axis without a curve in this panel; [] if all have one."""
    if roles.colour is None:
        return ["no run"] if part.empty else []
    drawn = set(part[roles.colour])
    if drawn == {UNSET}:
        return []  # what is in this panel has no such setting
    levels = [level for level in levels if level != UNSET]
    lacking = [level_text(roles.colour, level) for level in levels if level not in drawn]
    if len(lacking) == len(levels):
        return ["no run"]
    return [f"no run: {', '.join(lacking)}"] if lacking else []
