"""The norm of the gradient of every parameter over training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.loading.records import Records
from sweeps.analysis.logarithm import log10
from sweeps.analysis.roles import Roles
from sweeps.figures.curves import band
from sweeps.figures.facets import levels_of, part_of, titles
from sweeps.figures.panels import Grid, draw_band, grid_of, handle, legend_above, log10_axis, note, outer_labels
from sweeps.figures.style import Line, house, lines


def parameter_norms(frame: pd.DataFrame, roles: Roles) -> Grid:
    """A row of panels for each level of the row axis, a column for each of the column axis, a line for each parameter.

    Args:
        frame: from `norms`.
    """
    with house():
        names = list(frame["parameter"].cat.categories)
        style: dict[Any, Line] = lines("parameter", names)
        columns = levels_of(frame, roles.column)
        figure, panels = grid_of(levels_of(frame, roles.row), columns, height=1.6, widest=4, sharey=False)
        figure.title = roles.title if roles.column is not None else ""
        figure.names = ("training step (updates)", "norm of the gradient")
        for panel in panels:
            ax, part = panel.ax, part_of(frame, roles, panel)
            for name, curve in part.groupby("parameter", observed=True):
                draw_band(ax, curve, "step", style[name])
            if part.empty:
                note(ax, "no run")
            shown = frame if roles.row is None else frame[frame[roles.row] == panel.row]
            log10_axis(ax, [*shown["low"], *shown["high"]])
            ax.set_xlim(0, max(1.0, float(frame["step"].max())))
            ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            left, top = titles(panel, roles, left=figure.names[1])
            outer_labels(panel, left=left, top=top, bottom=figure.names[0])
        legend_above(figure, [handle(style[name], name) for name in names])
    return figure


def norms(records: Records, roles: Roles) -> pd.DataFrame:
    """log10 of the norm of each parameter's gradient, its gates together, over training.

    Returns:
        The axes, `parameter, step, median, low, high, n`; parameters in the order of the record.
    """
    chosen = roles.within(records)
    rows = chosen.parameters[["cell", "step", "parameter", "grad_norm"]]
    whole = rows["parameter"].astype(str).str.partition(".")[0]
    rows = rows.assign(parameter=pd.Categorical(whole, categories=list(dict.fromkeys(whole))))
    by = ["cell", "step", "parameter"]
    largest = rows.groupby(by, observed=True)["grad_norm"].transform("max")  # squares of the norms may leave float64
    rows = rows.assign(square=(rows["grad_norm"] / largest.where(largest > 0)) ** 2, largest=largest)
    gates = rows.groupby(by, observed=True).agg(square=("square", "sum"), largest=("largest", "max")).reset_index()
    frame = chosen.with_axes(gates.assign(norm=log10(gates["largest"]) + log10(gates["square"]) / 2))
    return band(frame[np.isfinite(frame["norm"])], [*roles.drawn, "parameter", "step"], "norm")
