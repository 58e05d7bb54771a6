"""The figure of outcomes: the shares diverged and solved over the whole grid as heat maps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from sweeps.analysis.labels import UNSET, level_said, level_text
from sweeps.figures.facets import axis_name
from sweeps.figures.panels import Grid, blocks_of, legend_above, room
from sweeps.figures.style import COLUMN, house

MAPS = (("diverged", "Oranges"), ("solved", "Blues"))
"""What is shown, and in which colours."""
WIDEST, CROWDED, LETTERS = 18, 14, 48
"""The most columns of one map, the most whose labels are horizontal, and the letters of these labels at most."""


def outcome_map(
    frame: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    length: Any = None,
    cells: pd.DataFrame | None = None,
) -> Grid:
    """Share diverged and share solved over the whole grid, side by side; a map of zeros alone is left out.

    Args:
        frame: from `outcomes.shares` over the axes of both. A combination without a run is hatched.
        cells: the runs behind it.
        rows, columns: axes, the innermost last: its levels lie side by side, in a group for each level of the others.
        length: the sequence length of all runs, to be named; None where there are several.
    """
    with house():
        names, groups = _combinations(frame, rows), _combinations(frame, columns[:-1])
        inner = list(frame[columns[-1]].cat.categories)
        group_size = len(frame[rows[-1]].cat.categories)
        beside = room().across > 2
        longest = max((len(_text(columns[:-1], group)) for group in groups), default=0)
        across = min(4, (WIDEST if beside else WIDEST // 2) // len(inner), LETTERS // (longest + 3))
        blocks = blocks_of(groups, max(1, across))
        maps = [each for each in MAPS if frame[f"share_{each[0]}"].any()] or list(MAPS)
        down = len(blocks) if beside else len(maps) * len(blocks)
        height = min(0.19 * max(len(names), 4), room().tallest / down - 0.6)
        figure = Grid(room().width if len(maps) > 1 else COLUMN, 0.3 + (0.7 + height) * down)
        axes = figure.subplots(down, len(maps) if beside else 1, sharey=True, squeeze=False)
        for line, shown in zip(axes.reshape(-1, len(maps)), blocks, strict=True):
            for ax, (what, colours) in zip(line, maps, strict=True):
                wanted = [(*group, level) for group in shown for level in inner]
                table = frame.pivot_table(
                    index=list(rows), columns=list(columns), values=f"share_{what}", observed=False, dropna=False
                ).reindex(index=_index(names, rows), columns=_index(wanted, columns))
                _heat(ax, table, colours)
                if cells is not None:
                    figure.behind.append((ax, _fields(cells, names, rows, wanted, columns)))
                ax.set_title(f"share {what}" + ("" if length is None else f", T = {length:g}"), pad=4)
                _label_columns(ax, shown, columns, inner)
                for start in range(group_size, len(names) if len(rows) > 1 else 0, group_size):
                    ax.axhline(start, color="white", linewidth=2.5)
            for ax in line if not beside else line[:1]:
                ax.set_yticks(np.arange(len(names)) + 0.5, [_text(rows, name) for name in names], rotation=0)
        unset = any(UNSET in frame[axis].cat.categories for axis in (*rows, *columns))
        if unset or (frame["n"] == 0).any():
            text = "no run, or no such setting" if unset else "no run"
            legend_above(figure, [Patch(facecolor="white", edgecolor="#777777", hatch="////", label=text)])
        return figure


def _combinations(frame: pd.DataFrame, axes: Sequence[str]) -> list[tuple[Any, ...]]:
    """Every combination of the levels of some axes; one empty combination of no axes."""
    return list(itertools.product(*(list(frame[axis].cat.categories) for axis in axes)))


def _fields(
    cells: pd.DataFrame,
    names: Sequence[tuple[Any, ...]],
    rows: Sequence[str],
    wanted: Sequence[tuple[Any, ...]],
    columns: Sequence[str],
) -> pd.DataFrame:
    """The runs of a map, each at the middle of its field: `cell, x, y`."""
    across, down = ({level: at + 0.5 for at, level in enumerate(levels)} for levels in (wanted, names))
    x = [across.get(level, np.nan) for level in cells[list(columns)].itertuples(index=False, name=None)]
    y = [down.get(level, np.nan) for level in cells[list(rows)].itertuples(index=False, name=None)]
    return pd.DataFrame({"cell": cells["cell"], "x": x, "y": y}).dropna()


def _index(combinations: Sequence[tuple[Any, ...]], axes: Sequence[str]) -> pd.Index:
    if len(axes) == 1:
        return pd.Index([each[0] for each in combinations])
    return pd.MultiIndex.from_tuples(combinations)


def _text(axes: Sequence[str], levels: Sequence[Any]) -> str:
    return " · ".join(level_text(axis, level) for axis, level in zip(axes, levels, strict=True))


def _label_columns(ax: Axes, groups: Sequence[Any], columns: Sequence[str], inner: Sequence[Any]) -> None:
    """Label the columns with the levels of the innermost axis, and below these with their groups."""
    count = len(groups) * len(inner)
    texts = [level_said(columns[-1], level) for _ in groups for level in inner]
    crowded = count > CROWDED or sum(len(text) + 2 for text in texts) > LETTERS
    named = [place for place in range(count) if place % len(inner) % _every(inner) == 0]
    ax.set_xticks([place + 0.5 for place in named], [texts[at] for at in named], rotation=90 if crowded else 0)
    deep = 5.0 + 4.2 * max(map(len, texts)) if crowded else 13.0
    for place, group in enumerate(groups):
        if group:
            ax.annotate(
                _text(columns[:-1], group),
                ((place + 0.5) * len(inner), 0.0),
                (0, -deep),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=7,
            )
        ax.axvline(place * len(inner), color="white", linewidth=2.5)
    ax.set_xlabel(axis_name(columns[-1]), labelpad=14 if groups[0] else 4)


def _every(levels: Sequence[Any]) -> int:
    """Which of many numbers have a label: every second, third ... so that at most `CROWDED` have."""
    return 1 if any(isinstance(level, str) for level in levels) else -(-len(levels) // CROWDED)


def _heat(ax: Axes, table: pd.DataFrame, colours: str) -> None:
    """Draw a heat map of shares, with the number in every field that is not 0 and hatching where no run is."""
    values = table.to_numpy(dtype=float)
    words = np.array([[_share_text(share) for share in row] for row in values])
    ax.set_facecolor("white")
    ax.patch.set(hatch="////", edgecolor="#bbbbbb")
    seaborn.heatmap(
        pd.DataFrame(values),
        ax=ax,
        vmin=0.0,
        vmax=1.0,
        cmap=colours,
        annot=words,
        fmt="",
        annot_kws={"fontsize": 6 if values.shape[1] <= WIDEST else 4},
        cbar=False,
        linewidths=0.5,
        linecolor="#cccccc",
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)


def _share_text(share: float) -> str:
    """A share with two decimals, such as `.25`; empty for 0 and for NaN (no run)."""
    return "1" if share == 1.0 else f"{share:.2f}".removeprefix("0") if share > 0.0 else ""
