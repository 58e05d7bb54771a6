"""The trainability map: gain against sequence length, the share of runs that solved the task, and theory's frontier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from sweeps.analysis.labels import level_text
from sweeps.analysis.roles import Roles
from sweeps.figures.facets import axis_name, levels_of
from sweeps.figures.panels import Grid, legend_above, wrapped
from sweeps.figures.style import house

MAP, LINE = "Blues", "#D55E00"


def trainability_map(frame: pd.DataFrame, roles: Roles, frontiers: Mapping[Any, pd.DataFrame | None]) -> Grid:
    """A panel for each architecture: gain, length, the share solved as colour, and the length that theory allows.

    Args:
        frame: from `outcomes.shares` over the axes that are drawn: x is the gain, row the length.
        frontiers: of each level of the column axis, from `frontier.frontier` over a fine grid of gains.
    """
    assert roles.x is not None
    columns = levels_of(frame, roles.column)
    gains, lengths = (sorted(frame[axis].cat.categories) for axis in (roles.x, "length"))
    across, down = _edges(gains, False), _edges(lengths, True)
    with house():
        figure, axes = wrapped(len(columns), height=2.3, sharey=True)
        mesh = None
        for ax, column in zip(axes, columns, strict=True):
            part = frame if column is None else frame[frame[roles.column] == column]
            table = part.pivot_table(
                index="length", columns=roles.x, values="share_solved", observed=False, dropna=False
            )
            shares = np.ma.masked_invalid(table.reindex(index=lengths, columns=gains).to_numpy(dtype=float))
            mesh = ax.pcolormesh(across, down, shares, cmap=MAP, vmin=0, vmax=1, rasterized=True)
            ax.set_facecolor("#DDDDDD")
            line = frontiers.get(column)
            if line is not None:
                ax.plot(line["gain"], line["length"].clip(upper=10 * down[-1]), color=LINE, linewidth=1.6)
            ax.set_yscale("log")
            ax.set_yticks(lengths, [f"{length:g}" for length in lengths])
            ax.minorticks_off()
            ax.set_xlim(across[0], across[-1])
            ax.set_ylim(down[0], down[-1])
            ax.grid(visible=False)
            ax.set_xlabel(axis_name(roles.x))
            ax.set_title(roles.title if roles.column is None else level_text(roles.column, column))
        axes[0].set_ylabel("sequence length T (steps)")
        if mesh is not None:
            figure.colorbar(mesh, ax=list(axes), label="share solved", pad=0.02, aspect=30)
        if any(line is not None for line in frontiers.values()):
            legend_above(figure, [Line2D([], [], color=LINE, label="mean-field theory: six time scales")])
    return figure


def _edges(values: Sequence[float], logarithmic: bool) -> np.ndarray:
    """Where fields around the values begin and end."""
    at = np.log(values) if logarithmic else np.asarray(values, dtype=float)
    middle = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(edges) if logarithmic else edges
