"""The eigenvalues of the recurrent matrices in the complex plane, before training and at the end, from the probe
`spectrum`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.roles import Roles
from sweeps.figures.ends import END, START
from sweeps.figures.facets import levels_of, part_with, rows_with, titles_with
from sweeps.figures.panels import Grid, grid_of, legend_above, note, outer_labels
from sweeps.figures.style import house

MARKS: dict[str, dict[str, Any]] = {
    START: {"marker": "o", "color": "#4F8AB0", "markersize": 3.0, "fillstyle": "none", "markeredgewidth": 0.6},
    END: {"marker": ".", "color": "#7A1F00", "markersize": 2.6},
}
CIRCLE: dict[str, Any] = {"color": "#555555", "linewidth": 0.7}


def eigenvalues(frame: pd.DataFrame, roles: Roles) -> Grid:
    """A row of panels for each recurrent matrix (of an LSTM one a gate), a column for each level of the column axis.

    Args:
        frame: rows of the probe at both ends: the axes, `matrix, re, im, when`.
    """
    angle = np.linspace(0, 2 * np.pi, 200)
    with house():
        figure, panels = grid_of(
            rows_with(frame, roles, "matrix"), levels_of(frame, roles.column), height=1.7, sharey=False
        )
        reach = 1.06 * max(1.0, float(frame[["re", "im"]].abs().to_numpy().max(initial=0.0)))
        figure.title = roles.title if roles.column is not None else ""
        for panel in panels:
            ax, matrix = panel.ax, panel.row[1]
            here = part_with(frame, roles, panel, "matrix")
            ax.plot(np.cos(angle), np.sin(angle), **CIRCLE)
            for when, mark in MARKS.items():
                shown = here[here["when"] == when]
                ax.plot(shown["re"], shown["im"], linestyle="none", **mark)
            if here.empty:
                note(ax, "no such matrix")
            ax.set(xlim=(-reach, reach), ylim=(-reach, reach), box_aspect=1)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_locator(MaxNLocator(nbins=4))
            left, top = titles_with(panel, roles, left=f"{matrix}\nIm λ")
            outer_labels(panel, left=left, top=top, bottom="Re λ")
        handles = [Line2D([], [], linestyle="none", label=when, **mark) for when, mark in MARKS.items()]
        legend_above(figure, [*handles, Line2D([], [], label="|λ| = 1", **CIRCLE)])
    return figure
