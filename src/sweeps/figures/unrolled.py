"""Back-propagation through time as a graph: the network unrolled over time, with the measured norms on its arrows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from sweeps.analysis.labels import level_text
from sweeps.analysis.roles import Roles
from sweeps.figures.facets import levels_of, part_of
from sweeps.figures.panels import Grid, Panel, grid_of, legend_above, note, room
from sweeps.figures.style import house

BACK, FORTH = "#C03A1C", "#8A8A8A"
NODE = 0.3
"""Radius of a state, where neighbours are 1 apart."""
THINNEST, THICKEST = 0.5, 4.0
"""Of the arrows of the gradient, points."""


def backpropagation_graph(frame: pd.DataFrame, roles: Roles) -> Grid:
    """A graph for each level: states from the first time step to the last, the loss at the right, and the gradient that
    arrives at each of some states, its arrow the thicker the more of it is left.

    Args:
        frame: of one run for each graph, before training: the axes, `lag, log10_norm`.
    """
    with house():
        rows, columns = levels_of(frame, roles.row), levels_of(frame, roles.column)
        figure, panels = grid_of(rows, columns, height=1.25, widest=2 if room().across > 2 else 1)
        figure.set_figwidth(room().width)
        largest = float(frame["log10_norm"].replace([np.inf, -np.inf], np.nan).max())
        for panel in panels:
            part = part_of(frame, roles, panel)
            if part.empty:
                note(panel.ax, "no run")
                panel.ax.set_axis_off()
                continue
            _graph(panel.ax, dict(zip(part["lag"].astype(int), part["log10_norm"], strict=True)), largest)
            panel.ax.set_title(_title(panel, roles), loc="left")
        legend_above(figure, [])
    return figure


def _title(panel: Panel, roles: Roles) -> str:
    levels = [(axis, level) for axis, level in ((roles.column, panel.column), (roles.row, panel.row)) if axis]
    named = [roles.title, *(level_text(axis, level) for axis, level in levels)]
    return ", ".join(filter(None, [*named, "" if roles.length is None else f"T = {roles.length:g}"]))


def shown_lags(length: int, most: int = 7) -> list[int | None]:
    """The lags of the states that are drawn, from the first time step to the last; None where some are left out."""
    if length <= most:
        return list(range(length - 1, -1, -1))
    return [length - 1, length - 2, None, length // 2, None, 1, 0]


def _graph(ax: Axes, norms: dict[int, float], largest: float) -> None:
    """Draw one graph; `norms` by lag, and `largest` of all graphs, in powers of ten."""
    length = max(norms) + 1
    lags = shown_lags(length)
    for x, lag in enumerate(lags):
        if lag is None:
            ax.text(x, 0, "···", ha="center", va="center", color=FORTH)
        else:
            ax.add_patch(Circle((x, 0), NODE, facecolor="white", edgecolor="black", linewidth=0.8, zorder=3))
            ax.text(x, 0, f"$h_{{{length - lag}}}$", ha="center", va="center", fontsize=6, zorder=4)
            _arrow(ax, (x, -0.95), (x, -NODE), FORTH, 0.8)
            ax.text(x, -1.0, f"$x_{{{length - lag}}}$", ha="center", va="top", color=FORTH, fontsize=6)
        if x:
            _arrow(ax, (x - 1 + NODE, 0), (x - NODE, 0), FORTH, 0.8)
    _arrow(ax, (len(lags) - 1 + NODE, 0), (len(lags) - NODE, 0), FORTH, 0.8)
    ax.text(len(lags), 0, "L", ha="center", va="center")
    from_x = float(len(lags))
    for x, lag in reversed(list(enumerate(lags))):
        if lag is None:
            continue
        norm = norms[lag]
        left = np.clip(1 + (norm - largest) / 6, 0, 1) if np.isfinite(norm) else 0.0
        width = THINNEST + (THICKEST - THINNEST) * float(left)
        _arrow(ax, (from_x, NODE + 0.05), (x, NODE + 0.05), BACK, width, bend=0.35)
        ax.text((from_x + x) / 2, 0.93, _power(norm), ha="center", va="bottom", color=BACK, fontsize=6)
        from_x = float(x)
    ax.set(xlim=(-0.6, len(lags) + 0.5), ylim=(-1.45, 1.4), aspect="equal")
    ax.set_axis_off()


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, width: float, bend: float = 0.0
) -> None:
    curve = f"arc3,rad={bend}"
    options: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 5 + 1.5 * width, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, linewidth=width, connectionstyle=curve, zorder=2, **options))


def _power(norm: float) -> str:
    """A norm given as log10."""
    if np.isneginf(norm):
        return "0"
    if not np.isfinite(norm):
        return "not finite"
    return f"{10**norm:.2g}" if -3 < norm < 4 else f"$10^{{{norm:.1f}}}$"
