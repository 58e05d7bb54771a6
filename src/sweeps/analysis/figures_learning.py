"""Figures of learning: loss curves, share solved. Frames in, a Figure out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.panels import draw_band, handle, legend_above, log10_axis, note, panels
from sweeps.analysis.style import house, label, lines


def loss_curves(frame: pd.DataFrame, ends: pd.DataFrame, chance: float) -> Figure:
    """Loss over training, rows by arch, columns by init, a line per clipping; a cross where a run diverged.

    Args:
        frame, ends: from `curves.loss_over_training`.
        chance: loss of the best constant answer, a thin line; NaN for none.
    """
    with house():
        archs, inits = list(frame["arch"].cat.categories), list(frame["init"].cat.categories)
        figure, axes = panels(len(archs), len(inits), height=1.3, sharey=True)
        style = lines("clip", list(frame["clip"].cat.categories))
        level, bottom, top = _loss_range(frame, chance)
        last = max([1.0, *frame["step"], *ends["step"]])
        logs = frame.assign(**{name: _log10(frame[name]) for name in ("median", "low", "high")})
        for row, arch in enumerate(archs):
            for column, init in enumerate(inits):
                ax = axes[row, column]
                here = (logs["arch"] == arch) & (logs["init"] == init)
                if not here.any():
                    note(ax, "no run")
                for clip, curve in logs[here].groupby("clip", observed=True):
                    draw_band(ax, curve, "step", style[clip])
                dead = ends[(ends["arch"] == arch) & (ends["init"] == init)]
                for clip, crosses in dead.groupby("clip", observed=True):
                    ax.plot(
                        crosses["step"],
                        np.full(len(crosses), top + 0.04),
                        "x",
                        color=style[clip].colour,
                        clip_on=False,
                    )
                ax.axhline(level if chance > 0 else np.nan, color="black", linewidth=0.6, linestyle=(0, (1, 2)))
                ax.set_xlim(0, last)
                ax.xaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
                _frame_labels(ax, row, column, len(archs), f"{label(arch)}\nevaluation loss", label(init))
        log10_axis(axes[0, 0], [bottom, top])
        handles: list[Any] = [handle(style[clip], label(clip)) for clip in style]
        handles.append(Line2D([], [], color="black", linewidth=0.6, linestyle=(0, (1, 2)), label="chance"))
        if len(ends):
            handles.append(Line2D([], [], color="black", linestyle="none", marker="x", label="diverged"))
        legend_above(figure, handles)
        return figure


def _loss_range(frame: pd.DataFrame, chance: float) -> tuple[float, float, float]:
    """log10 of the chance loss, of the lowest and of the highest loss in sight.

    A loss far above both chance and the loss at the start says only that a run is exploding: it is out of
        sight.
    """
    losses = _log10(frame["median"])
    level = float(np.log10(chance)) if chance > 0 else float(losses.median())
    start = losses[frame["step"] == 0].max()
    highest = level + 0.7 if np.isnan(start) else max(level + 0.7, min(start, level + 1.5))
    return level, max(min(losses.min(), level), level - 8.0), highest


def solved_by_length(frame: pd.DataFrame) -> Figure:
    """Share of runs that solved the task against length, rows by clipping, columns by arch, a line per init.

    Args:
        frame: from `tables.shares` over arch, init, clip and length. A combination without a run is an open
            grey circle below the axis.
    """
    with house():
        archs, clips = list(frame["arch"].cat.categories), list(frame["clip"].cat.categories)
        inits, lengths = list(frame["init"].cat.categories), list(frame["length"].cat.categories)
        figure, axes = panels(len(clips), len(archs), height=1.3, sharey=True)
        style = lines("init", inits)
        shift = np.linspace(-0.2, 0.2, len(inits)) if len(inits) > 1 else np.zeros(1)
        for row, clip in enumerate(clips):
            for column, arch in enumerate(archs):
                ax = axes[row, column]
                for place, init in enumerate(inits):
                    chosen = (frame["arch"] == arch) & (frame["clip"] == clip) & (frame["init"] == init)
                    points = frame[chosen].sort_values("length")
                    x = points["length"].cat.codes.to_numpy() + shift[place]
                    share = points["share_solved"].to_numpy()
                    reach = np.abs(points[["share_solved_low", "share_solved_high"]].to_numpy().T - share)
                    line = style[init]
                    ax.errorbar(x, share, yerr=reach, color=line.colour, linewidth=0, elinewidth=0.8, alpha=0.55)
                    ax.plot(x, share, color=line.colour, linestyle=line.dashes, marker=line.marker)
                    hole = points["n"].to_numpy() == 0
                    ax.plot(x[hole], np.full(hole.sum(), -0.13), "o", color="#777777", markerfacecolor="none")
                ax.set_xticks(range(len(lengths)), [f"{length:g}" for length in lengths])
                ax.set_xlim(-0.4, len(lengths) - 0.6)
                ax.set_ylim(-0.2, 1.06)
                ax.set_yticks([0.0, 0.5, 1.0], ["0", "½", "1"])
                ax.grid(axis="x", visible=False)
                what = f"{label(clip)}\nshare solved"
                _frame_labels(ax, row, column, len(clips), what, label(arch), "sequence length (steps)")
        handles = [handle(style[init], label(init), markers=True) for init in inits]
        if (frame["n"] == 0).any():
            empty: dict[str, Any] = {
                "color": "#777777",
                "linestyle": "none",
                "marker": "o",
                "markerfacecolor": "none",
            }
            handles.append(Line2D([], [], label="no run", **empty))
        legend_above(figure, handles)
        return figure


def _frame_labels(
    ax: Axes, row: int, column: int, rows: int, left: str, top: str, bottom: str = "training step (updates)"
) -> None:
    """Labels at the outside only: rows at the left, columns on top, the x axis at the bottom."""
    if column == 0:
        ax.set_ylabel(left)
    if row == 0:
        ax.set_title(top)
    if row == rows - 1:
        ax.set_xlabel(bottom)
    else:
        ax.tick_params(labelbottom=False)


def _log10(values: pd.Series) -> pd.Series:
    return np.log10(values.where(values > 0, 1e-300))
