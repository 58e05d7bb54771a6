"""The runs behind a figure: where each of them lies in its panels, so that a page can say which run is where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sweeps.analysis.roles import Roles
from sweeps.figures.facets import part_of
from sweeps.figures.panels import Grid, PowerOfTen

MOST_POINTS = 40_000
"""Points of all runs of a figure together; a curve has as many of them as that leaves, from 3 to `MOST_OF_ONE`."""
MOST_OF_ONE = 25


def put_behind(figure: Grid, runs: pd.DataFrame, roles: Roles, x: str, y: str) -> None:
    """Note for every panel of a figure of facets which runs it shows.

    Args:
        runs: a row per run, or per point of its curve: the axes, `cell`, and `x` and `y` in the units of the panels;
            `value`, if `y` is only where its mark is.
    """
    rows, columns = (
        list(dict.fromkeys(levels)) for levels in zip(*((p.row, p.column) for p in figure.panels), strict=True)
    )
    columns_of = ["cell", x, y, *(["value"] if "value" in runs else [])]
    for panel in sorted(figure.panels, key=lambda panel: (rows.index(panel.row), columns.index(panel.column))):
        part = part_of(runs, roles, panel)
        figure.behind.append(
            (panel.ax, part[columns_of].set_axis(["cell", "x", "y", "value"][: len(columns_of)], axis=1))
        )


def behind(figure: Grid) -> dict[str, Any]:
    """What a page needs to say which run is where in a figure that is laid out; {} if no run was noted.

    Returns:
        `x` and `y`, the names of what the panels show (empty where a place in a panel is not a number of the run);
        `power`, whether y is log10; `worst`, what an infinite number is called. `panels`, for each `box` (left, top,
        right, bottom, as shares of the figure), `x` and `y` (the values at its sides; `log`: x is logarithmic between
        them), and the runs: `marks` (cell, x, y of each, and its number where it lies elsewhere, None if infinite), or
        `at` (values of x) and `curves` (cell, the y at each of them, None where there is none).
    """
    if not figure.behind:
        return {}
    cells = len({cell for _, runs in figure.behind for cell in runs["cell"].unique()})
    most = int(np.clip(MOST_POINTS // max(cells, 1), 3, MOST_OF_ONE))
    axes = [ax for ax, _ in figure.behind]
    return {
        "x": figure.names[0],
        "y": figure.names[1],
        "worst": figure.worst,
        "power": isinstance(axes[0].yaxis.get_major_formatter(), PowerOfTen),
        "panels": [{**_frame(ax), **_runs(runs, most)} for ax, runs in figure.behind],
    }


def _frame(ax: Axes) -> dict[str, Any]:
    left, low, right, high = (round(float(each), 5) for each in ax.get_position().extents)
    x, y = ([_short(each) for each in limits] for limits in (ax.get_xlim(), ax.get_ylim()))
    box = [left, round(1 - high, 5), right, round(1 - low, 5)]
    return {"box": box, "x": x, "y": y, "log": ax.get_xscale() == "log"}


def _runs(runs: pd.DataFrame, most: int) -> dict[str, Any]:
    runs = runs[np.isfinite(runs["x"].astype(float)) & np.isfinite(runs["y"].astype(float))]
    if not runs["cell"].duplicated().any():
        marks = zip(runs["cell"].astype(str), runs["x"], runs["y"], strict=True)
        found: list[list[Any]] = [[cell, _short(x), _short(y)] for cell, x, y in marks]
        for mark, value in zip(found, runs.get("value", ()), strict=False):
            if _plain_number(value) != mark[2]:
                mark.append(_plain_number(value))
        return {"marks": found}
    places = np.unique(runs["x"].astype(float))
    shown = places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int))]
    table = runs[runs["x"].isin(shown)].pivot_table(
        index="cell", columns="x", values="y", aggfunc="last", observed=True
    )
    curves = [
        [str(cell), *(None if np.isnan(y) else _short(y) for y in row)]
        for cell, row in zip(table.index, table.reindex(columns=shown).to_numpy(dtype=float), strict=True)
    ]
    return {"at": [_short(each) for each in shown], "curves": curves}


def _plain_number(value: float) -> float | None:
    return _short(value) if np.isfinite(value) else None


def _short(value: Any) -> float:
    """A number with the digits that can be seen and read."""
    return float(f"{float(value):.4g}")
