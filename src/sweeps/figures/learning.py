"""Figures of learning: loss over training, share of runs solved against length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.labels import label
from sweeps.figures.panels import (
    crosses,
    draw_band,
    free_corner,
    grid_of,
    handle,
    legend_above,
    log10_axis,
    note,
    outer_labels,
)
from sweeps.figures.style import house, lines

EMPTY: dict[str, Any] = {"color": "#777777", "linestyle": "none", "marker": "o", "markerfacecolor": "none"}
"""Style of the marker of a combination without a run."""
CHANCE: dict[str, Any] = {"color": "#999999", "linewidth": 0.8, "zorder": 1}


def loss_curves(frame: pd.DataFrame, ends: pd.DataFrame, chance: float) -> Figure:
    """Loss over training, rows by arch, columns by init, a line per clipping; a cross where a run diverged.

    Args:
        frame, ends: from `curves.loss_over_training`; a note in the panel says if a median lies above the scale.
        chance: loss of the best constant answer, drawn as a thin line; NaN for no line.
    """
    with house():
        archs, inits = list(frame["arch"].cat.categories), list(frame["init"].cat.categories)
        figure, grid = grid_of(archs, inits, height=1.3)
        style = lines("clip", list(frame["clip"].cat.categories))
        level, bottom, top = _loss_range(frame, chance)
        last = max([1.0, *frame["step"], *ends["step"]])
        log10_axis(grid[0].ax, [bottom, top + 0.2 * (top - bottom) * bool(len(ends))])  # the panels share it
        for panel in grid:
            ax = panel.ax
            ax.set_xlim(0, last)
            here = (frame["arch"] == panel.row) & (frame["init"] == panel.column)
            diverged = ends[(ends["arch"] == panel.row) & (ends["init"] == panel.column)]
            if not here.any():
                note(ax, "no run" if diverged.empty else "no finite loss")
            for clip, curve in frame[here].groupby("clip", observed=True):
                draw_band(ax, curve, "step", style[clip], markers=len(curve) == 1)
            if (frame.loc[here, "median"] > top).any():
                note(ax, "goes off the scale", **free_corner(ax, [frame[here]], "step"))
            for clip, rows in diverged.groupby("clip", observed=True):
                crosses(ax, rows["step"], style[clip], list(style).index(clip))
            ax.axhline(level if chance > 0 else np.nan, **CHANCE)
            ax.xaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
            what = f"{label(panel.row)}\nevaluation loss"
            outer_labels(panel, left=what, top=label(panel.column), bottom="training step (updates)")
        handles: list[Any] = [handle(style[clip], label(clip)) for clip in style]
        handles.append(Line2D([], [], label="best constant answer", **CHANCE))
        if len(ends):
            handles.append(Line2D([], [], color="black", linestyle="none", marker="x", label="a run diverged"))
        legend_above(figure, handles)
        return figure


def _loss_range(frame: pd.DataFrame, chance: float) -> tuple[float, float, float]:
    """log10 of the chance loss, and of the lowest and the highest loss that the axis shows.

    A loss far above both chance and the loss at the start says only that a run is exploding: the axis ends below it.
    """
    losses = frame["median"]
    level = float(np.log10(chance)) if chance > 0 else float(losses.median())
    start = losses[frame["step"] == 0].max()
    highest = level + 0.7 if np.isnan(start) else max(level + 0.7, min(start, level + 1.5))
    return level, max(min(losses.min(), level), level - 8.0), highest


def solved_by_length(frame: pd.DataFrame) -> Figure:
    """Share of runs that solved the task against length, rows by clipping, columns by arch, a line per init.

    Args:
        frame: from `outcomes.shares` over arch, init, clip and length. A combination without a run is an open
            grey circle below the axis.
    """
    with house():
        archs, clips = list(frame["arch"].cat.categories), list(frame["clip"].cat.categories)
        inits, lengths = list(frame["init"].cat.categories), list(frame["length"].cat.categories)
        figure, grid = grid_of(clips, archs, height=1.3, widest=4)
        style = lines("init", inits)
        shift = np.linspace(-0.3, 0.3, len(inits)) if len(inits) > 1 else np.zeros(1)
        holes = bool((frame["n"] == 0).any())
        for panel in grid:
            ax = panel.ax
            for index, init in enumerate(inits):
                chosen = (frame["arch"] == panel.column) & (frame["clip"] == panel.row) & (frame["init"] == init)
                points = frame[chosen].sort_values("length")
                x = points["length"].cat.codes.to_numpy() + shift[index]
                share = points["share_solved"].to_numpy()
                reach = np.abs(points[["share_solved_low", "share_solved_high"]].to_numpy().T - share)
                line = style[init]
                ax.plot(x, share, color=line.colour, linestyle=line.dashes, linewidth=0.6, alpha=0.6)
                ax.errorbar(x, share, yerr=reach, color=line.colour, linewidth=0, elinewidth=0.7, alpha=0.5)
                ax.plot(x, share, color=line.colour, linestyle="none", marker=line.marker, zorder=3)
                hole = points["n"].to_numpy() == 0
                ax.plot(x[hole], np.full(hole.sum(), -0.16), **EMPTY)
            ax.set_xticks(range(len(lengths)), [f"{length:g}" for length in lengths])
            ax.set_xlim(-0.5, len(lengths) - 0.5)
            ax.set_ylim(-0.24 if holes else -0.08, 1.08)
            ax.set_yticks([0.0, 0.5, 1.0], ["0", "½", "1"])
            ax.grid(axis="x", visible=False)
            for between in range(1, len(lengths)):
                ax.axvline(between - 0.5, color="#eeeeee", linewidth=0.6, zorder=0)
            left = f"{label(panel.row)}\nshare solved"
            outer_labels(panel, left=left, top=label(panel.column), bottom="sequence length (steps)")
        handles = [handle(style[init], label(init), markers=True) for init in inits]
        legend_above(figure, handles + ([Line2D([], [], label="no run", **EMPTY)] if holes else []))
        return figure
