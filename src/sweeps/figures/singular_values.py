"""Singular values of the long-term Jacobian dh_T/dh_t against lag, from the probe `jacobian`."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.lines import Line2D

from sweeps.analysis.roles import Roles
from sweeps.figures.curves import band
from sweeps.figures.facets import by_colour, legend_of, levels_of, part_with, rows_with, styles, titles_with
from sweeps.figures.gradient import SHOWN
from sweeps.figures.panels import Grid, grid_of, legend_above, log10_axis, note, outer_labels
from sweeps.figures.style import house

SIGMA = r"$\sigma_i(\partial h_T/\partial h_t)$"
RANKS: dict[str, Any] = {"largest": "-", "middle": (0, (4, 1.5)), "smallest": (0, (1, 1.2))}
"""Of the singular values, and how each is drawn."""


def singular_values(frame: pd.DataFrame, roles: Roles) -> Grid:
    """Two rows of panels, before training and at the end; of each line the largest, middle and smallest singular value.

    What leaves the range of float32 leaves the panel.

    Args:
        frame: from `ranked`.
    """
    with house():
        rows = rows_with(frame, roles, "when")
        figure, panels = grid_of(rows, levels_of(frame, roles.column), height=1.6, widest=4, sharey=False)
        figure.title = roles.title if roles.column is not None else ""
        style = styles(frame, roles)
        last = float(frame["lag"].max())
        for panel in panels:
            ax, part = panel.ax, part_with(frame, roles, panel, "when")
            for level, curves in by_colour(part, roles):
                for rank, dashes in RANKS.items():
                    curve = curves[curves["rank"] == rank].sort_values("lag")
                    line: dict[str, Any] = {"color": style[level].colour, "linestyle": dashes, "linewidth": 1.1}
                    ax.plot(curve["lag"], curve["median"], marker=style[level].marker, markersize=2.2, **line)
            ax.axhline(0.0, color="#888888", linewidth=0.6)
            if part.empty:
                note(ax, "no run")
            shown = frame[frame["when"] == panel.row[1]]
            log10_axis(ax, [0.0, *shown["median"]], within=SHOWN)
            ax.set_xscale("log", base=2)
            ax.set_xlim(0.9, last * 1.1)
            ticks = [2**power for power in range(0, 16, 2) if 2**power <= last]
            ax.set_xticks(ticks, [f"{tick}" for tick in ticks])
            ax.minorticks_off()
            left, top = titles_with(panel, roles, left=f"{panel.row[1]}\n" + SIGMA)
            outer_labels(panel, left=left, top=top, bottom="lag (steps back)")
        ranks = [Line2D([], [], color="#444444", linestyle=dashes, label=rank) for rank, dashes in RANKS.items()]
        legend_above(figure, [*legend_of(style, roles, markers=True), *ranks])
    return figure


def ranked(frame: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """log10 of the largest, the middle and the smallest singular value of each sequence, the median over all of them.

    Args:
        frame: rows of the probe at both ends, with the axes; of one layer and direction.

    Returns:
        The axes, `when, lag, rank, median, low, high, n`.
    """
    by = ["cell", "when", "sequence", "lag"]
    groups = frame.groupby(by, observed=True)["log10_sigma"]
    each = groups.agg(largest="max", middle="median", smallest="min").reset_index()
    long = each.melt(by, list(RANKS), "rank", "sigma")
    axes = frame.drop_duplicates("cell").set_index("cell")[roles.drawn]
    return band(long.join(axes, on="cell"), [*roles.drawn, "when", "lag", "rank"], "sigma")
