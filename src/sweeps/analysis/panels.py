"""What the figures share: panels, a logarithmic axis without limits, a band, a legend off the data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sweeps.analysis.style import COLUMN, PAGE, Line


def panels(
    rows: int, columns: int, *, height: float, sharey: bool | Literal["row"] = False
) -> tuple[Figure, np.ndarray]:
    """A figure of `[rows, columns]` panels.

    Args:
        height: of one row of panels, inches.
        sharey: one y axis for all panels, or for each row.
    """
    width = COLUMN if columns <= 2 else PAGE
    figure = Figure(figsize=(width, 0.45 + height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=sharey, sharex=False)
    return figure, axes


def wrapped(count: int, *, height: float, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """`count` panels in rows of at most four (of three where that leaves no hole)."""
    columns = count if count <= 4 else 3 if count % 3 == 0 else 4
    rows = max(1, math.ceil(count / max(columns, 1)))
    figure, axes = panels(rows, max(columns, 1), height=height, sharey=sharey)
    flat = list(axes.flat)
    for spare in flat[count:]:
        spare.set_axis_off()
    return figure, flat[:count]


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


def log10_axis(ax: Axes, values: Iterable[float], *, top: float | None = None) -> None:
    """Make the y axis of log10 values read as powers of ten, with at least two of them in sight."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (-1.0, 0.0)
    high = high if top is None else min(high, top)
    while math.floor(high) - math.ceil(low) < 1:
        down, up = low - math.ceil(low - 1.0), math.floor(high + 1.0) - high
        low, high = (low - down, high) if down <= up else (low, high + up)
    room = 0.04 * (high - low)
    ax.set_ylim(low - room, high + room)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=2))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"$10^{{{value:.0f}}}$"))


def handle(line: Line, text: str, *, markers: bool = False) -> Line2D:
    """An entry of a legend."""
    marker = line.marker if markers else "none"
    return Line2D([], [], color=line.colour, linestyle=line.dashes, marker=marker, label=text)


def legend_above(figure: Figure, handles: Sequence[Any]) -> None:
    """One legend for the whole figure, above the panels, where no data are."""
    if handles:
        columns = min(len(handles), 2 if figure.get_figwidth() < 4 else 6)
        rows = math.ceil(len(handles) / columns)
        figure.set_figheight(figure.get_figheight() + 0.16 * (rows - 1))
        figure.legend(handles=list(handles), loc="outside upper center", ncols=columns)


def label_left(axes: Iterable[Axes], text: str) -> None:
    """Write the label of the y axis at the first panel of every row."""
    for ax in axes:
        place = ax.get_subplotspec()
        if place is not None and place.is_first_col():
            ax.set_ylabel(text)


def note(ax: Axes, text: str, *, x: float = 0.5, y: float = 0.5, **style: Any) -> None:
    """A short remark in the panel, in axes coordinates: why something is not drawn."""
    options: dict[str, Any] = {"ha": "center", "va": "center", "color": "#555555", "fontsize": 6.5} | style
    ax.text(x, y, text, transform=ax.transAxes, **options)
