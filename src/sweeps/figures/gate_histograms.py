"""How the gates are spread over 0 to 1, before training and at the end, from the probe `gates`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweeps.analysis.roles import Roles
from sweeps.figures.ends import END, START
from sweeps.figures.facets import levels_of, part_with, rows_with, titles_with
from sweeps.figures.panels import Grid, grid_of, handle, legend_above, note, outer_labels
from sweeps.figures.style import Line, house

TENTHS = [f"tenth_{place}" for place in range(10)]
EDGES = np.linspace(0, 1, 11)
LINES = {START: Line("#7A7A7A", (0, (3, 1.2)), "o"), END: Line("#0072B2", "-", "o")}


def gate_histograms(frame: pd.DataFrame, roles: Roles) -> Grid:
    """A row of panels for each gate, a column for each level of the column axis.

    Args:
        frame: from `shares`: the axes, `gate, when` and the ten shares.
    """
    with house():
        figure, panels = grid_of(
            rows_with(frame, roles, "gate"), levels_of(frame, roles.column), height=1.25, sharey=True
        )
        figure.title = roles.title if roles.column is not None else ""
        for panel in panels:
            ax, part = panel.ax, part_with(frame, roles, panel, "gate")
            for when, line in LINES.items():
                for _, shares in part[part["when"] == when].iterrows():
                    heights = shares[TENTHS].to_numpy(dtype=float)
                    ax.stairs(heights, EDGES, color=line.colour, linestyle=line.dashes, linewidth=1.3)
                    if when == END:
                        ax.stairs(heights, EDGES, color=line.colour, alpha=0.15, fill=True)
            if part.empty:
                note(ax, "no such gate")
            ax.set(xlim=(0, 1), ylim=(0, None))
            ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            left, top = titles_with(panel, roles, left=f"gate {panel.row[1]}\nshare")
            outer_labels(panel, left=left, top=top, bottom="value of the gate")
        legend_above(figure, [handle(line, when) for when, line in LINES.items()])
    return figure


def shares(frame: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """The share of gates in each tenth of 0 to 1: the mean over time steps, layers and runs.

    Args:
        frame: rows of the probe at both ends, with the axes.
    """
    return frame.groupby([*roles.drawn, "gate", "when"], observed=True)[TENTHS].mean().reset_index()
