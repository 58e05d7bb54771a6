"""What is expected of the best of k tries, for each side of a comparison of tuned settings."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from sweeps.analysis.logarithm import log10
from sweeps.analysis.roles import Kind, Roles, roles
from sweeps.analysis.tuning import Tuned
from sweeps.figures.curves import on_log_axis
from sweeps.figures.facets import by_colour, facets, legend_of, part_of, styles, titles
from sweeps.figures.panels import Grid, legend_above, log10_axis, note, outer_labels
from sweeps.figures.style import house


def best_of_tries(tuned: Tuned) -> Grid:
    """A line for each combination, pooled over axes beyond three: the expected number against the number of tries.

    A number that is infinite, because a run of the worst rank may be chosen, leaves a gap.

    Args:
        tuned: of one task.
    """
    first = next(iter(tuned.records.varied), None)
    drawn = roles(tuned.records, Kind({"colour": first, "column": None, "row": None}))
    frame = _curves(tuned, drawn)
    name = tuned.measure.label.format(score=tuned.records.score_name)
    with house():
        figure, panels = facets(frame, drawn, height=1.9 if drawn.row is None else 1.5, sharey=True)
        style = styles(frame, drawn)
        figure.names = ("tries k", f"expected {name}")
        for panel in panels:
            part = part_of(frame, drawn, panel)
            for level, curve in by_colour(part, drawn):
                line = style[level]
                panel.ax.plot(curve["k"], curve["value"], line.marker, color=line.colour, linestyle=line.dashes)
            if part.empty:
                note(panel.ax, "no run")
            panel.ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
            left, top = titles(panel, drawn, left="\n".join(wrap(figure.names[1], 24)))
            outer_labels(panel, left=left, top=top, bottom=figure.names[0])
        if on_log_axis(tuned.measure):
            log10_axis(panels[0].ax, frame["value"])
        legend_above(figure, legend_of(style, drawn, markers=True))
    return figure


def _curves(tuned: Tuned, drawn: Roles) -> pd.DataFrame:
    """`k, value` and the axes that are drawn, the median over the others; log10 of a loss."""
    frame = tuned.curve.assign(value=tuned.curve["value"].where(np.isfinite(tuned.curve["value"])))
    if on_log_axis(tuned.measure):
        frame = frame.assign(value=log10(frame["value"]))
    grouped = frame.groupby([*drawn.drawn, "k"], observed=True)["value"]
    return grouped.median().reset_index()
