"""What the figures share: grids of panels, a log axis for values beyond float64 (it plots log10), median bands, a
legend outside the panels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from matplotlib.transforms import blended_transform_factory

from sweeps.analysis.labels import level_said
from sweeps.figures.style import COLUMN, PAGE, Line

NORM = r"$\Vert\partial L/\partial h_t\Vert$"
"""The gradient through time, as a label."""


@dataclass(frozen=True)
class Room:
    """The room that a figure is drawn for.

    Attributes:
        width: inches, where a figure takes all of it.
        across: panels beside each other at most.
        tallest: of all panels of a figure together, inches, so that a caption fits on the same page.
    """

    width: float
    across: int
    tallest: float


UPRIGHT = 18
"""Points between two names below which tilted ones would run into each other."""
PAPER, PHONE = Room(PAGE, 5, 8.4), Room(COLUMN, 2, math.inf)
"""A page of a paper, and a small screen, which is narrow and as long as it needs to be."""
_ROOM: ContextVar[Room] = ContextVar("room", default=PAPER)


@contextmanager
def drawn_for(room: Room) -> Iterator[None]:
    """A context in which figures are drawn for a room other than `PAPER`."""
    before = _ROOM.set(room)
    try:
        yield
    finally:
        _ROOM.reset(before)


def room() -> Room:
    """The room that figures are drawn for now."""
    return _ROOM.get()


@dataclass(frozen=True)
class Panel:
    """One panel of a grid: the levels of its row and column, and which of its sides carry labels."""

    ax: Axes
    row: Any
    column: Any
    left: bool
    top: bool
    bottom: bool


PARTS = (0.0, math.log10(2.0), math.log10(5.0))
"""Labels of an axis of log10 values between two powers of ten, and at the lower one."""
PLAIN = 4
"""Powers of ten from which on numbers are written with them."""


class PowerOfTen(FuncFormatter):
    """Labels an axis of log10 values."""


class Grid(Figure):
    """A figure that knows its panels, and which runs are behind what they show (see `figures.behind`).

    Attributes:
        panels: of facets, in the order of their rows.
        title: what all panels share, above the legend.
        names: of what x and y are; empty where that is no number of the run itself but the place of a group of runs.
        worst: what an infinite number is called.
        behind: axes, and the runs in them: `cell`, and `x` and `y` in the units of the axes.
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        self.panels: list[Panel] = []
        self.title = ""
        self.names = ("", "")
        self.worst = ""
        self.behind: list[tuple[Axes, pd.DataFrame]] = []


def grid_of(
    rows: Sequence[Any], columns: Sequence[Any], *, height: float, widest: int = 5, sharey: bool = True
) -> tuple[Grid, list[Panel]]:
    """A figure with a panel for every row and column; columns beyond `widest` go to further blocks of rows below.

    Args:
        height: of one row of panels, inches; reduced if they would not fit on a page.
        sharey: True for one y axis for all panels, False for one per row.
    """
    blocks = blocks_of(columns, min(widest, room().across))
    across, down = max(map(len, blocks)), len(blocks) * len(rows)
    figure = Grid(_width(across), 0.45 + min(height, room().tallest / down) * down)
    axes = figure.subplots(down, across, squeeze=False, sharey=True if sharey else "row")
    panels = figure.panels
    for block, shown in enumerate(blocks):
        for down_at, row in enumerate(rows):
            line = axes[block * len(rows) + down_at]
            for ax in line[len(shown) :]:
                ax.set_axis_off()
            for across_at, (ax, column) in enumerate(zip(line, shown, strict=False)):
                panels.append(Panel(ax, row, column, across_at == 0, down_at == 0, down_at == len(rows) - 1))
    return figure, panels


def wrapped(count: int, *, height: float, sharey: bool = False) -> tuple[Grid, list[Axes]]:
    """A figure with `count` panels in rows of at most four, of lengths as equal as possible."""
    lines = max(1, math.ceil(count / min(4, room().across)))
    across = max(1, math.ceil(count / lines))
    figure = Grid(_width(across), 0.45 + min(height, room().tallest / lines) * lines)
    axes = list(figure.subplots(lines, across, squeeze=False, sharey=sharey).flat)
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


def blocks_of(levels: Sequence[Any], widest: int) -> list[Sequence[Any]]:
    """The levels in the fewest groups of at most `widest`, of sizes as equal as possible."""
    groups = max(1, math.ceil(len(levels) / widest))
    size = max(1, math.ceil(len(levels) / groups))
    return [levels[start : start + size] for start in range(0, len(levels), size)] or [levels]


def _width(across: int) -> float:
    return COLUMN if across <= 2 else room().width


def outer_labels(panel: Panel, *, left: str, top: str, bottom: str) -> None:
    """Label the sides of the panel that are on the outside of its block."""
    if panel.left:
        panel.ax.set_ylabel(left)
    if panel.top:
        panel.ax.set_title(top)
    if panel.bottom:
        panel.ax.set_xlabel(bottom)
    else:
        panel.ax.tick_params(labelbottom=False)


def draw_band(ax: Axes, frame: pd.DataFrame, x: str, line: Line, *, markers: bool = False, **style: Any) -> None:
    """Draw a median line with its band from `low` to `high`; non-finite values leave a gap."""
    rows = frame.sort_values(x)
    across = rows[x].astype(float).to_numpy()
    low, median, high = (rows[name].where(np.isfinite(rows[name])).to_numpy() for name in ("low", "median", "high"))
    options = {
        "color": line.colour,
        "linestyle": line.dashes,
        "marker": line.marker if markers else "none",
    } | style
    ax.fill_between(across, low, high, color=options["color"], alpha=0.18, linewidth=0)
    ax.plot(across, median, **options)


def crosses(ax: Axes, steps: Iterable[float], line: Line, row: int) -> None:
    """Draw a cross at the top of the panel at each update where runs diverged, with their number if several did.

    Args:
        row: the row of crosses, 0 at the top.
    """
    counts = Counter(steps)
    if not counts:
        return
    height = blended_transform_factory(ax.transData, ax.transAxes)
    y = 0.97 - 0.07 * row
    ax.plot(list(counts), [y] * len(counts), "x", color=line.colour, clip_on=False, transform=height, markersize=3)
    for step, count in counts.items():
        if count > 1:
            options: dict[str, Any] = {"color": line.colour, "fontsize": 5.5, "va": "center"}
            ax.annotate(str(count), (step, y), (3, 0), xycoords=height, textcoords="offset points", **options)


def log10_axis(ax: Axes, values: Iterable[float], *, within: tuple[float, float] = (-math.inf, math.inf)) -> None:
    """Set the y axis of log10 values: its labels are powers of ten, 1, 2 and 5 times these where they are closer
    together, at least two of them visible.

    Args:
        within: the widest range of values that is shown.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (-1.0, 0.0)
    low, high = (min(max(value, within[0]), within[1]) for value in (low, high))
    close = math.floor(high) - math.ceil(low) < 1
    places = [power + part for power in range(math.floor(low) - 1, math.ceil(high) + 2) for part in PARTS]
    while close and sum(low <= place <= high for place in places) < 2:
        below, above = max(place for place in places if place < low), min(place for place in places if place > high)
        low, high = (below, high) if low - below <= above - high else (low, above)
    room = 0.04 * (high - low)
    ax.set_ylim(low - room, high + room)
    if close:
        ax.yaxis.set_major_locator(FixedLocator(places))
        ax.yaxis.set_major_formatter(PowerOfTen(lambda value, _: _times_ten(value)))
    else:
        ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=2))
        ax.yaxis.set_major_formatter(PowerOfTen(lambda value, _: f"$10^{{{value:.0f}}}$"))


def _times_ten(value: float) -> str:
    """`0.02`, `500`, or `$2 \\cdot 10^{-7}$`, of its log10."""
    power = math.floor(value + 1e-9)
    first = round(10.0 ** (value - power))
    if -PLAIN <= power < PLAIN:
        return f"{first * 10.0**power:g}"
    return f"$10^{{{power}}}$" if first == 1 else f"${first} \\cdot 10^{{{power}}}$"


def level_axis(ax: Axes, axis: str, at: Mapping[Any, float], logarithmic: bool) -> None:
    """Make the x axis one of levels: a tick at each, as far as they do not run into each other, and the same ends in
    every panel.

    Args:
        axis: whose levels they are.
        at: position by level.
    """
    if logarithmic:
        ax.set_xscale("log")
    places = np.array(sorted(at.values()))
    scaled = np.log(places) if logarithmic else places
    width = ax.get_window_extent().width * 72 / ax.figure.dpi
    unit = max(float(np.ptp(scaled)), 1e-12) / width  # of the axis, one point
    shown: list[Any] = []
    for level, place in sorted(at.items(), key=lambda item: item[1]):
        here = np.log(place) if logarithmic else place
        text = level_said(axis, level)
        if (
            not shown
            or isinstance(level, str)
            or here - shown[-1][1] >= unit * (5 + 2 * len(text) + 2 * len(shown[-1][0]))
        ):
            shown.append((text, here, place))
    texts = [text for text, *_ in shown]
    tilted = any(isinstance(level, str) for level in at) and 4 * sum(len(text) + 2 for text in texts) > width
    upright = tilted and width < UPRIGHT * len(texts)
    ax.set_xticks(
        [place for *_, place in shown],
        texts,
        rotation=90 if upright else 30 if tilted else 0,
        ha="right" if tilted and not upright else "center",
    )
    ax.minorticks_off()
    between = np.diff(scaled).min() if len(scaled) > 1 else 1.0
    room = max(0.5 * between, 0.04 * float(np.ptp(scaled)))
    ends = np.array([scaled[0] - room, scaled[-1] + room])
    ax.set_xlim(*(np.exp(ends) if logarithmic else ends))


def handle(line: Line, text: str, *, markers: bool = False) -> Line2D:
    """The entry of a line in a legend."""
    marker = line.marker if markers else "none"
    return Line2D([], [], color=line.colour, linestyle=line.dashes, marker=marker, label=text)


def legend_above(figure: Grid, handles: Sequence[Any]) -> None:
    """Put one legend for the whole figure above the panels, where it hides no data, below the figure's title."""
    if not handles and figure.title:
        figure.suptitle(figure.title, fontsize="medium")
    if handles:
        widths = [len(str(each.get_label())) + 9 for each in handles]  # in letters, with the line beside the text
        room = 17.5 * figure.get_figwidth()
        columns = len(handles)
        while columns > 1 and sum(max(widths[start::columns]) for start in range(columns)) > room:
            columns -= 1
        rows = math.ceil(len(handles) / columns)
        figure.set_figheight(figure.get_figheight() + 0.16 * (rows - 1 + bool(figure.title)))
        order = [handles[index] for start in range(columns) for index in range(start, len(handles), columns)]
        options: dict[str, Any] = {"title": figure.title, "title_fontsize": "medium"} if figure.title else {}
        figure.legend(handles=order, loc="outside upper center", ncols=columns, **options)  # columns are filled first


def label_left(axes: Iterable[Axes], text: str) -> None:
    """Write the label of the y axis at the first panel of every row."""
    for ax in axes:
        slot = ax.get_subplotspec()
        if slot is not None and slot.is_first_col():
            ax.set_ylabel(text)


def free_corner(ax: Axes, curves: Iterable[pd.DataFrame], x: str) -> dict[str, Any]:
    """The corner of the panel where a note hides least of these curves, as options of `note`.

    Set the limits of the axes before.

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
    """Write a short remark into the panel, at x, y in axes coordinates: why something is not drawn."""
    if not text:
        return
    options: dict[str, Any] = {"ha": "center", "va": "center", "color": "#444444", "fontsize": 6.5} | style
    options["bbox"] = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0}
    ax.text(x, y, text, transform=ax.transAxes, **options)
