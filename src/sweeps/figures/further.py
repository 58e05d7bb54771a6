"""Figures that a study asks for: of probes, which a report draws where they were taken, and others on request."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from sweeps.analysis.cell_theory import expected_of_runs
from sweeps.analysis.loading.probed import probed, probes_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.recurrent import with_state
from sweeps.analysis.roles import BY_LAG, Kind, Roles
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.figures import curves, gradient
from sweeps.figures.eigenvalues import eigenvalues
from sweeps.figures.ends import at_both_ends
from sweeps.figures.entry import Draw, Prepare
from sweeps.figures.first_run import first_runs
from sweeps.figures.gate_histograms import gate_histograms, shares
from sweeps.figures.hidden_states import hidden_states
from sweeps.figures.parameter_norms import norms, parameter_norms
from sweeps.figures.score import score_by_level
from sweeps.figures.singular_values import ranked, singular_values
from sweeps.figures.unrolled import backpropagation_graph

MAPS = Kind({"row": "arch", "column": "init"}, fixed=("length", "clip"))
"""A network in each panel."""
CURVES = Kind({"column": "arch", "colour": "init"}, fixed=("length", "clip"))
BY_INIT = Kind({"x": "init", "colour": "arch", "column": None}, fixed=("clip",))


def _rows(records: Records, probe: str) -> pd.DataFrame | None:
    """The rows of a probe at both ends of training, with the axes; None where none of the runs drawn has it.

    A level of an axis without a row gets no panel: the probe measures nothing there.
    """
    if probe not in probes_of(records):
        return None
    frame = records.with_axes(at_both_ends(probed(records, probe)))
    return _only_levels_there(frame, records) if len(frame) else None


def _only_levels_there(frame: pd.DataFrame, records: Records) -> pd.DataFrame:
    """The frame without the levels of axes that none of its rows has."""
    return frame.assign(**{axis: frame[axis].cat.remove_unused_categories() for axis in records.axes})


def _highest(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the highest layer of each cell, in the order of time."""
    top = frame.groupby("cell", observed=True)["layer"].transform("max")
    return frame[(frame["layer"] == top) & (frame["direction"] == 0)]


def _eigenvalues(records: Records, drawn: Roles) -> Draw | None:
    frame = _rows(records, "spectrum")
    return None if frame is None else partial(eigenvalues, frame, drawn)


def _gates(records: Records, drawn: Roles) -> Draw | None:
    frame = _rows(records, "gates")
    return None if frame is None else partial(gate_histograms, shares(frame, drawn), drawn)


def _singular(records: Records, drawn: Roles) -> Draw | None:
    frame = _rows(records, "jacobian")
    return None if frame is None else partial(singular_values, ranked(_highest(frame), drawn), drawn)


def _states(records: Records, drawn: Roles) -> Draw | None:
    frame = _rows(replace(records, cells=first_runs(records, drawn)), "hidden_states")
    return None if frame is None else partial(hidden_states, _highest(frame[frame["what"] == "h"]), drawn)


def _parameters(records: Records, drawn: Roles) -> Draw | None:
    frame = norms(records, drawn)
    return partial(parameter_norms, frame, drawn) if len(frame) else None


def _graph(records: Records, drawn: Roles) -> Draw | None:
    records = with_state(records)
    runs = curves.gradient_of_runs(records, drawn, at="start")
    frame = _only_levels_there(runs[runs["cell"].isin(first_runs(records, drawn)["cell"])], records)
    return partial(backpropagation_graph, frame, drawn) if len(frame) else None


def _after_fifty(records: Records, drawn: Roles) -> Draw | None:
    measure = MEASURES["after_fifty"]
    runs, medians = curves.numbers_by_level(with_state(records), drawn, measure)
    return (
        partial(
            score_by_level, runs, medians, drawn, measure, "change over fifty steps\n(decades, at initialisation)", []
        )
        if len(runs)
        else None
    )


def _theory(records: Records, drawn: Roles) -> Draw | None:
    measured, theory = beside_theory(records, drawn)
    return partial(gradient.gradient_by_lag, measured, drawn, theory) if len(measured) and len(theory) else None


def beside_theory(records: Records, drawn: Roles) -> tuple[pd.DataFrame, pd.DataFrame]:
    """log10 of ||dL/dh_t|| over its value at lag 0 before training, as measured and as theory says.

    Returns:
        Both with the axes, `lag, median, low, high, n`, as from `curves.gradient_by_lag`; where theory says nothing
        there are no rows.
    """
    records = with_state(records)
    runs = curves.gradient_of_runs(records, drawn, at="start")
    last = runs[runs["lag"] == 0].set_index("cell")["log10_norm"]
    runs = runs.assign(log10_norm=runs["log10_norm"] - runs["cell"].map(last[np.isfinite(last)]).astype(float))
    measured = curves.band(runs, [*drawn.drawn, "lag"], "log10_norm").assign(diverged=0.0)
    said = records.with_axes(expected_of_runs(drawn.within(records)))
    return measured, curves.band(said, [*drawn.drawn, "lag"], "log10_norm")


OF_PROBES: dict[str, str] = {
    "singular_values": "jacobian",
    "eigenvalues": "spectrum",
    "gate_histograms": "gates",
    "hidden_states": "hidden_states",
}
"""Figures by name, and the probe that each is of."""
FURTHER: dict[str, tuple[Kind, Prepare]] = {
    "gradient_and_theory": (BY_LAG, _theory),
    "gradient_after_fifty_steps": (BY_INIT, _after_fifty),
    "parameter_norms": (MAPS, _parameters),
    "backpropagation_graph": (MAPS, _graph),
    "singular_values": (CURVES, _singular),
    "eigenvalues": (MAPS, _eigenvalues),
    "gate_histograms": (MAPS, _gates),
    "hidden_states": (MAPS, _states),
}
"""The figures by name: the roles that axes can have, and what it shows."""


def of_probes_taken(records: Records) -> list[str]:
    """The figures of the probes that were taken."""
    taken = probes_of(records)
    return [name for name, probe in OF_PROBES.items() if probe in taken]
