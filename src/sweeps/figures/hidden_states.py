"""The hidden states of one run over one sequence as heat maps, from the probe `hidden_states`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.roles import Roles
from sweeps.figures.facets import levels_of, part_with, rows_with, titles_with
from sweeps.figures.panels import Grid, grid_of, legend_above, note, outer_labels
from sweeps.figures.style import house

MAP = "cividis"
"""Its lightness grows from end to end: it reads in grey, and for the colour-blind."""


def hidden_states(frame: pd.DataFrame, roles: Roles) -> Grid:
    """Two rows of panels, before training and at the end: a unit a row, in the order of its weights, over time steps.

    Args:
        frame: rows of the probe at both ends of one run for each panel: the axes, `t, unit, value, when`.
    """
    limit = float(np.nanmax(np.abs(frame["value"]), initial=1e-12))
    with house():
        rows = rows_with(frame, roles, "when")
        figure, panels = grid_of(rows, levels_of(frame, roles.column), height=1.5, widest=4, sharey=False)
        figure.title = roles.title if roles.column is not None else ""
        mesh = None
        for panel in panels:
            ax, part = panel.ax, part_with(frame, roles, panel, "when")
            table = part.pivot(index="unit", columns="t", values="value")
            if table.empty:
                note(ax, "no run")
            else:
                mesh = ax.pcolormesh(
                    table.columns, table.index, table, cmap=MAP, vmin=-limit, vmax=limit, rasterized=True
                )
            ax.grid(visible=False)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            left, top = titles_with(panel, roles, left=f"{panel.row[1]}\nunit")
            outer_labels(panel, left=left, top=top, bottom="time step t")
        if mesh is not None:
            figure.colorbar(mesh, ax=[panel.ax for panel in panels], label="h", pad=0.02, aspect=30)
        legend_above(figure, [])
    return figure
