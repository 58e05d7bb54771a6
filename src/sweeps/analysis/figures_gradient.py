"""Figures of gradients: back through time, against length, around clipping. Frames in, a Figure out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.panels import (
    draw_band,
    handle,
    label_left,
    legend_above,
    log10_axis,
    note,
    panels,
    wrapped,
)
from sweeps.analysis.style import house, label, lines

BEFORE: dict[str, Any] = {"color": "#808080", "linestyle": (0, (3, 1)), "linewidth": 0.9}
"""How gradient norms before clipping are drawn, whatever the clipping."""


def gradient_by_lag(frame: pd.DataFrame) -> Figure:
    """Gradient norm against steps back from the end of the sequence, a panel per arch, a line per init.

    Args:
        frame: from `curves.gradient_by_lag`.
    """
    with house():
        archs, inits = list(frame["arch"].cat.categories), list(frame["init"].cat.categories)
        figure, axes = wrapped(len(archs), height=1.75)
        style = lines("init", inits)
        for ax, arch in zip(axes, archs, strict=True):
            part = frame[frame["arch"] == arch]
            remarks = _no_run(part, inits)
            zero = []
            for init, curve in part.groupby("init", observed=True):
                draw_band(ax, curve, "lag", style[init])
                if np.isneginf(curve["median"]).mean() > 0.5:
                    zero.append(label(init))
            if zero:
                remarks.append(f"exactly zero: {', '.join(zero)}")
            note(ax, "\n".join(remarks), x=0.04, y=0.04, ha="left", va="bottom")
            log10_axis(ax, [*part["low"], *part["high"]])
            ax.set_xlim(0, max(float(frame["lag"].max()), 1.0))
            ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
            ax.set_title(label(arch))
        for ax in axes:
            ax.set_xlabel("lag (steps back)")
        label_left(axes, r"$\Vert\partial L/\partial h_t\Vert$")
        legend_above(figure, [handle(style[init], label(init)) for init in inits])
        return figure


def norm_by_length(frame: pd.DataFrame) -> Figure:
    """Gradient norm before clipping against sequence length, a panel per arch, a line per init.

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
            note(ax, "\n".join(_no_run(part, inits)), x=0.96, y=0.96, ha="right", va="top")
            ax.set_xticks(lengths, [f"{length:g}" for length in lengths])
            ax.set_xlabel("sequence length (steps)")
            ax.set_title(label(arch))
        log10_axis(axes[0], [*frame["low"], *frame["high"]])
        label_left(axes, "gradient norm before clipping")
        legend_above(figure, [handle(style[init], label(init), markers=True) for init in inits])
        return figure


def clipping_over_training(frame: pd.DataFrame, thresholds: Mapping[Any, float]) -> Figure:
    """Gradient norm before and after clipping over training, rows by clipping, columns by arch.

    Args:
        frame: from `curves.clipping_over_training`.
        thresholds: of each kind of clipping; drawn as a thin line.
    """
    with house():
        archs, clips = list(frame["arch"].cat.categories), _present(frame, "clip")
        figure, axes = panels(len(clips), len(archs), height=1.45, sharey="row")
        style = lines("clip", list(frame["clip"].cat.categories))
        for row, clip in enumerate(clips):
            shown = frame[frame["clip"] == clip]
            level = math.log10(thresholds[clip]) if thresholds.get(clip, 0.0) > 0 else math.nan
            for column, arch in enumerate(archs):
                ax = axes[row, column]
                part = shown[shown["arch"] == arch]
                if part.empty:
                    note(ax, "no run")
                before, after = (part[part["when"] == when] for when in ("before", "after"))
                draw_band(ax, before, "step", style[clip], **BEFORE)
                draw_band(ax, after, "step", style[clip], linestyle="-", linewidth=1.5)
                ax.set_xlim(0, max(float(frame["step"].max()), 1.0))
                ax.axhline(level, color="black", linewidth=0.8, linestyle=(0, (2, 1.5)))
                ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
                if row == 0:
                    ax.set_title(label(arch))
                if row == len(clips) - 1:
                    ax.set_xlabel("training step (updates)")
            log10_axis(axes[row, 0], [*shown["low"], *shown["high"], level])
            axes[row, 0].set_ylabel(f"{label(clip)}\ngradient norm")
        grey = Line2D([], [], label="before clipping", **BEFORE)
        after = [Line2D([], [], color=style[clip].colour, label=f"after, {label(clip)}") for clip in clips]
        dotted = Line2D(
            [],
            [],
            color="black",
            linewidth=0.8,
            linestyle=(0, (2, 1.5)),
            label="threshold (by value: of each element)",
        )
        legend_above(figure, [grey, *after, dotted])
        return figure


def _no_run(part: pd.DataFrame, inits: list[Any]) -> list[str]:
    """A remark naming the inits that have nothing to draw in this panel; none if all have."""
    found = set(part["init"])
    lacking = [label(init) for init in inits if init not in found]
    return [f"no run: {', '.join(lacking)}"] if lacking else []


def _present(frame: pd.DataFrame, axis: str) -> list[Any]:
    """The levels of an axis that have rows, in order."""
    found = set(frame[axis])
    return [level for level in frame[axis].cat.categories if level in found]
