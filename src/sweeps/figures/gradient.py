"""Figures of gradients: through time, against sequence length, before and after clipping."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
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
    label_left,
    legend_above,
    log10_axis,
    note,
    outer_labels,
    wrapped,
)
from sweeps.figures.style import house, lines

BEFORE: dict[str, Any] = {"color": "#808080", "linestyle": (0, (3, 1)), "linewidth": 0.9}
"""Style of gradient norms before clipping, the same for every kind of clipping."""
THRESHOLD: dict[str, Any] = {"color": "black", "linestyle": (0, (2, 1.5)), "linewidth": 0.8}
DIVERGED = Line2D([], [], color="black", linestyle="none", marker="x", markersize=4, label="some runs diverged")


SHOWN = (-46.0, 46.0)
"""Widest y range of a panel, in log10 ||dL/dh_t||: the range of float32 with its subnormals, and a margin."""


def gradient_by_lag(frame: pd.DataFrame) -> Figure:
    """Gradient norm against steps back from the end of the sequence, a panel per arch, a line per init.

    A curve that leaves the range of float32 leaves the panel, and a note says where it ends. A cross marks the end of
    a curve if some of its runs diverged.

    Args:
        frame: from `curves.gradient_by_lag`.
    """
    with house():
        archs, inits = list(frame["arch"].cat.categories), list(frame["init"].cat.categories)
        figure, axes = wrapped(len(archs), height=1.75)
        style = lines("init", inits)
        last = max(float(frame["lag"].max()), 1.0)
        for ax, arch in zip(axes, archs, strict=True):
            part = frame[frame["arch"] == arch]
            remarks = _no_run(part, inits)
            zero = []
            for init, curve in part.groupby("init", observed=True):
                draw_band(ax, curve, "lag", style[init])
                if np.isneginf(curve["median"]).mean() > 0.5:
                    zero.append(label(init))
                remarks.extend(_far(curve, label(init)))
                _mark_diverged(ax, curve, style[init].colour)
            if zero:
                remarks.append(f"exactly zero: {', '.join(zero)}")
            log10_axis(ax, [*part["low"], *part["high"]], within=SHOWN)
            ax.set_xlim(0, last)
            note(ax, "\n".join(remarks), **free_corner(ax, [part], "lag"))
            ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            ax.set_title(label(arch))
            ax.set_xlabel("lag (steps back)")
        label_left(axes, r"$\Vert\partial L/\partial h_t\Vert$")
        handles = [handle(style[init], label(init)) for init in inits]
        legend_above(figure, handles + ([DIVERGED] if (frame["diverged"] > 0).any() else []))
        return figure


def norm_by_length(frame: pd.DataFrame) -> Figure:
    """Gradient norm before clipping against sequence length, a panel per arch, a line per init.

    A cross marks a point if some of its runs diverged.

    Args:
        frame: from `curves.norm_by_length`.
    """
    with house():
        archs, inits = list(frame["arch"].cat.categories), list(frame["init"].cat.categories)
        figure, axes = wrapped(len(archs), height=1.75, sharey=True)
        style = lines("init", inits)
        lengths = sorted(frame["length"].astype(float).unique())
        for ax, arch in zip(axes, archs, strict=True):
            part = frame[frame["arch"] == arch]
            for init, curve in part.groupby("init", observed=True):
                draw_band(ax, curve, "length", style[init], markers=True)
            diverged = part[part["diverged"] > 0]
            ax.plot(diverged["length"].astype(float), diverged["median"], "x", color="black", markersize=5.5, zorder=5)
            note(ax, "\n".join(_no_run(part, inits)), x=0.96, y=0.96, ha="right", va="top")
            ax.set_xscale("log")
            ax.set_xticks(lengths, [f"{length:g}" for length in lengths])
            ax.minorticks_off()
            ax.set_xlabel("sequence length (steps)")
            ax.set_title(label(arch))
        log10_axis(axes[0], [*frame["low"], *frame["high"]])
        label_left(axes, "gradient norm before clipping")
        handles = [handle(style[init], label(init), markers=True) for init in inits]
        legend_above(figure, handles + ([DIVERGED] if (frame["diverged"] > 0).any() else []))
        return figure


def clipping_over_training(
    frame: pd.DataFrame, ends: pd.DataFrame, thresholds: Mapping[Any, Sequence[float]]
) -> Figure:
    """Gradient norm before and after clipping over training, rows by clipping, columns by arch.

    Args:
        frame, ends: from `curves.clipping_over_training`.
        thresholds: those of each kind of clipping; each is drawn as a thin line.
    """
    with house():
        archs = list(frame["arch"].cat.categories)
        clips = [clip for clip in frame["clip"].cat.categories if clip != "none"]
        ends = ends[ends["clip"].isin(clips)]
        figure, grid = grid_of(clips, archs, height=1.45, widest=4, sharey=False)
        style = lines("clip", list(frame["clip"].cat.categories))
        last = max([1.0, *frame["step"], *ends["step"]])
        for panel in grid:
            ax, clip = panel.ax, panel.row
            part = frame[(frame["clip"] == clip) & (frame["arch"] == panel.column)]
            diverged = ends.loc[(ends["clip"] == clip) & (ends["arch"] == panel.column), "step"]
            if part.empty:
                note(ax, "no run" if diverged.empty else "no finite gradient")
            before, after = (part[part["when"] == when] for when in ("before", "after"))
            draw_band(ax, before, "step", style[clip], **BEFORE)
            draw_band(ax, after, "step", style[clip], linestyle="-", linewidth=1.5)
            crosses(ax, diverged, style[clip], 0)
            levels = [math.log10(value) for value in thresholds.get(clip, ()) if 0 < value < math.inf]
            for level in levels:
                ax.axhline(level, **THRESHOLD)
            ax.set_xlim(0, last)
            ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            left = f"{label(clip)}\ngradient norm"
            outer_labels(panel, left=left, top=label(panel.column), bottom="training step (updates)")
            if panel.left:
                shown = frame[frame["clip"] == clip]
                log10_axis(ax, [*shown["low"], *shown["high"], *levels])
        handles = [Line2D([], [], label="before clipping", **BEFORE)]
        handles += [Line2D([], [], color=style[clip].colour, label=f"after, {label(clip)}") for clip in clips]
        handles.append(Line2D([], [], label="threshold (by value: of each element)", **THRESHOLD))
        legend_above(figure, handles + ([DIVERGED] if len(ends) else []))
        return figure


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


def _no_run(part: pd.DataFrame, inits: list[Any]) -> list[str]:
    """A remark naming the inits without a curve in this panel; [] if all have one."""
    drawn = set(part["init"])
    lacking = [label(init) for init in inits if init not in drawn]
    return [f"no run: {', '.join(lacking)}"] if lacking else []
