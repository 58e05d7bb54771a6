"""What the figures share: panels, a logarithmic axis without limits, a band, a legend off the data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import blended_transform_factory

from sweeps.figures.style import COLUMN, PAGE, Line

TALLEST = 8.4
"""Height of all the panels of a figure, inches: what a page leaves beside a caption."""


@dataclass(frozen=True)
class Panel:
    """One panel of a grid, its levels and which labels are its to show."""

    ax: Axes
    row: Any
    column: Any
    left: bool
    top: bool
    bottom: bool


def grid_of(
    rows: Sequence[Any], columns: Sequence[Any], *, height: float, widest: int = 5, sharey: bool = True
) -> tuple[Figure, list[Panel]]:
    """A panel for every row and column; more columns than `widest` are wrapped into further blocks of rows.

    Args:
        height: of one row of panels, inches; less where they would not fit on a page.
        sharey: one y axis for all panels, or for each row.
    """
    blocks = blocks_of(columns, widest)
    across, down = max(map(len, blocks)), len(blocks) * len(rows)
    figure = Figure(figsize=(_width(across), 0.45 + min(height, TALLEST / down) * down), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False, sharey=True if sharey else "row")
    found: list[Panel] = []
    for block, shown in enumerate(blocks):
        for place, row in enumerate(rows):
            line = axes[block * len(rows) + place]
            for ax in line[len(shown) :]:
                ax.set_axis_off()
            for across_at, (ax, column) in enumerate(zip(line, shown, strict=False)):
                found.append(Panel(ax, row, column, across_at == 0, place == 0, place == len(rows) - 1))
    return figure, found


def wrapped(count: int, *, height: float, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """`count` panels in rows of at most four, as even as can be."""
    lines = max(1, math.ceil(count / 4))
    across = max(1, math.ceil(count / lines))
    figure = Figure(figsize=(_width(across), 0.45 + min(height, TALLEST / lines) * lines), layout="constrained")
    axes = list(figure.subplots(lines, across, squeeze=False, sharey=sharey).flat)
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


def blocks_of(levels: Sequence[Any], widest: int) -> list[Sequence[Any]]:
    """The levels in as few groups of at most `widest` as there must be, as even as can be."""
    groups = max(1, math.ceil(len(levels) / widest))
    size = max(1, math.ceil(len(levels) / groups))
    return [levels[start : start + size] for start in range(0, len(levels), size)] or [levels]


def _width(across: int) -> float:
    return COLUMN if across <= 2 else PAGE


def outer_labels(panel: Panel, *, left: str, top: str, bottom: str) -> None:
    """Label the panel where it is at the outside of its block."""
    if panel.left:
        panel.ax.set_ylabel(left)
    if panel.top:
        panel.ax.set_title(top)
    if panel.bottom:
        panel.ax.set_xlabel(bottom)
    else:
        panel.ax.tick_params(labelbottom=False)


def draw_band(ax: Axes, frame: pd.DataFrame, x: str, line: Line, *, markers: bool = False, **style: Any) -> None:
    """A median line with its band from `low` to `high`; non-finite values leave a gap."""
    here = frame.sort_values(x)
    place = here[x].astype(float).to_numpy()
    low, median, high = (here[name].where(np.isfinite(here[name])).to_numpy() for name in ("low", "median", "high"))
    options = {
        "color": line.colour,
        "linestyle": line.dashes,
        "marker": line.marker if markers else "none",
    } | style
    ax.fill_between(place, low, high, color=options["color"], alpha=0.18, linewidth=0)
    ax.plot(place, median, **options)


def crosses(ax: Axes, steps: Iterable[float], line: Line, place: int) -> None:
    """A cross at the top of the panel where runs diverged, with their number if several did at that step.

    Args:
        place: the row of crosses.
    """
    counts = Counter(steps)
    if not counts:
        return
    height = blended_transform_factory(ax.transData, ax.transAxes)
    y = 0.97 - 0.07 * place
    ax.plot(list(counts), [y] * len(counts), "x", color=line.colour, clip_on=False, transform=height, markersize=3)
    for step, count in counts.items():
        if count > 1:
            options: dict[str, Any] = {"color": line.colour, "fontsize": 5.5, "va": "center"}
            ax.annotate(str(count), (step, y), (3, 0), xycoords=height, textcoords="offset points", **options)


def log10_axis(ax: Axes, values: Iterable[float], *, within: tuple[float, float] = (-math.inf, math.inf)) -> None:
    """Make the y axis of log10 values read as powers of ten, with at least two of them in sight.

    Args:
        within: what of the values is shown at most.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (-1.0, 0.0)
    low, high = (min(max(value, within[0]), within[1]) for value in (low, high))
    while math.floor(high) - math.ceil(low) < 1:
        down, up = low - math.ceil(low - 1.0), math.floor(high + 1.0) - high
        low, high = (low - down, high) if down <= up else (low, high + up)
    room = 0.04 * (high - low)
    ax.set_ylim(low - room, high + room)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=2))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"$10^{{{value:.0f}}}$"))


def handle(line: Line, text: str, *, markers: bool = False) -> Line2D:
    """An entry of a legend."""
    marker = line.marker if markers else "none"
    return Line2D([], [], color=line.colour, linestyle=line.dashes, marker=marker, label=text)


def legend_above(figure: Figure, handles: Sequence[Any]) -> None:
    """One legend for the whole figure, above the panels, where no data are."""
    if handles:
        wide = [len(str(each.get_label())) + 9 for each in handles]  # in letters, with the line beside the text
        room = 21 * figure.get_figwidth()
        columns = len(handles)
        while columns > 1 and sum(max(wide[start::columns]) for start in range(columns)) > room:
            columns -= 1
        rows = math.ceil(len(handles) / columns)
        figure.set_figheight(figure.get_figheight() + 0.16 * (rows - 1))
        order = [handles[place] for start in range(columns) for place in range(start, len(handles), columns)]
        figure.legend(handles=order, loc="outside upper center", ncols=columns)  # matplotlib fills columns first


def label_left(axes: Iterable[Axes], text: str) -> None:
    """Write the label of the y axis at the first panel of every row."""
    for ax in axes:
        place = ax.get_subplotspec()
        if place is not None and place.is_first_col():
            ax.set_ylabel(text)


def free_corner(ax: Axes, curves: Iterable[pd.DataFrame], x: str) -> dict[str, Any]:
    """Where in the panel a note hides least of these curves, as options of `note`; the axes have their limits.

    Args:
        curves: frames with the columns `x` and `median`.
    """
    points = pd.concat([curve[[x, "median"]] for curve in curves] or [pd.DataFrame({x: [], "median": []})])
    across, up = ax.transAxes.inverted().transform(ax.transData.transform(points.to_numpy(dtype=float))).T
    corners = [(right, top) for top in (0, 1) for right in (1, 0)]
    hidden = [np.sum((abs(across - right) < 0.7) & (abs(up - top) < 0.25)) for right, top in corners]
    right, top = corners[int(np.argmin(hidden))]
    sides = {"ha": ("left", "right")[right], "va": ("bottom", "top")[top]}
    return {"x": (0.03, 0.97)[right], "y": (0.04, 0.96)[top], **sides}


def note(ax: Axes, text: str, *, x: float = 0.5, y: float = 0.5, **style: Any) -> None:
    """A short remark in the panel, in axes coordinates: why something is not drawn."""
    if not text:
        return
    options: dict[str, Any] = {"ha": "center", "va": "center", "color": "#444444", "fontsize": 6.5} | style
    options["bbox"] = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0}
    ax.text(x, y, text, transform=ax.transAxes, **options)
