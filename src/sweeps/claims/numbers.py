"""The numbers of a run that claims are about: the measures of tables, and some that only claims need."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from sweeps.analysis.cell_theory import expected, settings_of
from sweeps.analysis.loading.probed import probed, probes_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.measures import MEASURES, SHORT, measure_named, per_run
from sweeps.config.schema import Settings
from sweeps.errors import SweepsError, unknown
from sweeps.theory import carry

Values = Callable[[Records], pd.Series]
FIRST, LAST = 2, 22
"""Lags between which the gradient is compared with theory; before them it turns from the readout's direction."""


@dataclass(frozen=True)
class Number:
    """A number of each run.

    Attributes:
        label: in a sentence, after "the".
        better: 1 if more shows that more was learned, -1 if less does, 0 if it is not about learning.
        values: of every run, in the order of `records.cells`; NaN for none.
        chosen_by: the measure by which hyperparameters are tuned for it; empty for one that shows no learning.
    """

    label: str
    better: int
    values: Values
    chosen_by: str = ""


def number_named(name: str) -> Number:
    """The number of that name.

    Raises:
        SweepsError: there is none; the message names the nearest.
    """
    if name in NUMBERS:
        return NUMBERS[name]
    if name not in MEASURES and name not in SHORT:
        raise SweepsError(unknown("number", name, (*NUMBERS, *MEASURES, *SHORT)))
    measure = measure_named(name)
    label = measure.label.format(score="score")
    better = measure.better if measure.reached or measure.share else 0
    return Number(label, better, lambda each: per_run(each, measure), measure.name)


def _loss_over_chance(records: Records) -> pd.Series:
    return per_run(records, MEASURES["lowest_loss"]) / records.cells["chance_loss"]


def at_start(records: Records) -> dict[str, pd.Series]:
    """log10 ||dL/dh_t|| by lag before training, of each cell."""
    rows = records.gradient[records.gradient["step"] == 0]
    return {str(cell): part.set_index("lag")["log10_norm"] for cell, part in rows.groupby("cell", observed=True)}


def _of_gradient(records: Records, number: Callable[[pd.Series, str], float]) -> pd.Series:
    curves, cells = at_start(records), records.cells["cell"].astype(str)
    return pd.Series([number(curves[cell], cell) if cell in curves else math.nan for cell in cells], cells.index)


def _left(curve: pd.Series, cell: str) -> float:
    """log10 of the squared norm at the first time step over that at the last."""
    return float(2 * (curve[curve.index.max()] - curve[0]))


def _straightness(curve: pd.Series, cell: str) -> float:
    """The share of the variation of log10 of the norm that a straight line over lag explains."""
    known = curve[np.isfinite(curve)]
    return float(np.corrcoef(known.index, known)[0, 1] ** 2) if len(known) > 2 else math.nan


def _over_theory(records: Records) -> pd.Series:
    def ratio(curve: pd.Series, cell: str) -> float:
        settings = settings_of(records, cell)
        theory = None if settings is None or LAST not in curve.index else expected(settings, len(curve))
        if theory is None:
            return math.nan
        apart = (curve[LAST] - curve[FIRST]) - (theory[LAST] - theory[FIRST])
        return float(10 ** (2 * apart / (LAST - FIRST)))

    return _of_gradient(records, ratio)


def _over_exponent(records: Records) -> pd.Series:
    """The factor per step back of the gradient over that of the largest Lyapunov exponent, both as logarithms."""
    if "lyapunov" not in probes_of(records):
        return pd.Series(math.nan, records.cells.index)
    frame = probed(records, "lyapunov")
    largest = frame[frame["step"] == 0].groupby("cell", observed=True)["exponent"].max()
    slope = per_run(records, MEASURES["decay_start"]) * math.log(10)
    return slope / records.cells["cell"].map(largest).astype(float)


def _carry_over_theory(records: Records) -> pd.Series:
    """log10 of what an LSTM's forget gates leave from the first step to the last, over that of constant gates."""
    cells = records.cells
    if "gates" not in probes_of(records):
        return pd.Series(math.nan, cells.index)
    frame = probed(records, "gates")
    first = frame[(frame["step"] == 0) & (frame["t"] == 0)].dropna(subset=["log10_carry"])
    measured = cells["cell"].map(first.groupby("cell", observed=True)["log10_carry"].min()).astype(float)
    return measured / [_constant_gates(settings_of(records, str(cell))) for cell in cells["cell"]]


def _over_error(records: Records, *parameters: str) -> pd.Series:
    """Mean over evaluations of (||dL/dp|| / ||dL/dc||)^2, c the readout's bias, p the first of these parameters that a
    run has: of one sequence and a loss of one number, ||dy/dp||^2."""
    rows = records.parameters
    square = rows.set_index(["cell", "step", "parameter"])["grad_norm"].unstack("parameter") ** 2
    found = square.reindex(columns=list(parameters)).bfill(axis=1).iloc[:, 0] / square["bias_out"]
    return records.cells["cell"].map(found.groupby("cell", observed=True).mean()).astype(float)


def _weights(records: Records, parameter: str) -> pd.Series:
    """The squared norm of a parameter before training."""
    rows = records.parameters
    norm = rows[(rows["step"] == 0) & (rows["parameter"] == parameter)].set_index("cell")["weight_norm"]
    return records.cells["cell"].map(norm).astype(float) ** 2


def _input_over_recurrent(records: Records) -> pd.Series:
    """log10 of ||dL/dU|| / ||dL/dW|| before training, U the input weights, W the recurrent matrix."""
    rows = records.parameters
    norm = rows[rows["step"] == 0].set_index(["cell", "parameter"])["grad_norm"].unstack("parameter")
    ratio = norm["weight_ih"] / norm.get("weight_hh", math.nan)
    return records.cells["cell"].map(ratio).astype(float).map(math.log10)


def _state_power(records: Records) -> pd.Series:
    return _over_error(records, "weight_out") / _weights(records, "weight_ih")


def _sensitivity(records: Records) -> pd.Series:
    read = _weights(records, "weight_ih") * _weights(records, "weight_out")
    return _over_error(records, "weight_hh", "nu") / read


def _constant_gates(settings: Settings | None) -> float:
    if settings is None or settings.arch.name != "lstm":
        return math.nan
    lag = settings.task.length - 1
    if settings.init.name == "chrono":
        return float(carry.log10_chrono_carry(float(settings.init.options["t_max"]) or settings.task.length, lag))
    return float(carry.log10_carry(float(settings.arch.options["forget_bias"]), lag))


NUMBERS: Mapping[str, Number] = {
    "loss_over_chance": Number(
        "lowest evaluation loss over that of the best constant answer", -1, _loss_over_chance, chosen_by="lowest_loss"
    ),
    "left": Number(
        "log10 of the squared gradient at the first time step over that at the last",
        0,
        partial(_of_gradient, number=_left),
    ),
    "straightness": Number(
        "share of log10 of the gradient that a line over lag explains", 0, partial(_of_gradient, number=_straightness)
    ),
    "over_theory": Number("factor per step of the squared gradient over that of theory", 0, _over_theory),
    "carry_over_theory": Number(
        "log10 of what forget gates leave over a sequence, over that of constant gates", 0, _carry_over_theory
    ),
    "input_over_recurrent": Number(
        "log10 of the gradient of the input weights over that of the recurrent matrix", 0, _input_over_recurrent
    ),
    "state_power": Number("power of the last state over that of what is read", 0, _state_power),
    "sensitivity": Number("squared derivative of the state by the recurrent weights", 0, _sensitivity),
    "over_exponent": Number("slope of the gradient over the largest Lyapunov exponent", 0, _over_exponent),
}
"""Beside the measures of tables; all of them but the first are of networks before training."""
