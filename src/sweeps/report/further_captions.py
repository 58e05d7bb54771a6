"""The captions of the figures that a study asks for: what each shows, in sentences computed from its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from sweeps.analysis.labels import axes_said, level_text
from sweeps.analysis.loading.probed import probed
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import Roles
from sweeps.analysis.statistics.measures import MEASURES, per_run
from sweeps.analysis.text import number
from sweeps.figures.catalogue import roles_of
from sweeps.figures.ends import END, START, at_both_ends
from sweeps.figures.further import FURTHER, beside_theory
from sweeps.figures.gate_histograms import TENTHS
from sweeps.report.how_many import how_many, lines_said


def further_captions(
    records: Records, names: Iterable[str], preferred: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A caption for those of `further.FURTHER` that are among the names and were drawn.

    Args:
        records: of one task.
        preferred: slots by axis, with which the figures are drawn.
    """
    captions = {}
    for name in (each for each in names if each in FURTHER):
        drawn = roles_of(name, records, preferred=preferred)
        captions[name] = CAPTIONS[name](drawn.within(records), drawn)
    return captions


def _theory(records: Records, drawn: Roles) -> str:
    measured, theory = beside_theory(records, drawn)
    text = (
        "‖∂L/∂h_t‖ before training over its value at the last time step, against steps back; circles are what theory "
        "says of these settings, with nothing fitted: mean-field theory of wide networks, or the law of the "
        "architecture; where there are none, no theory here is of it."
    )
    both = measured.merge(theory, on=[*drawn.drawn, "lag"], suffixes=("", "_theory"))
    both = both[(both["lag"] > 0) & np.isfinite(both["median"])]
    if both.empty:
        return text + _lines(records, drawn)
    last = both.loc[both.groupby(drawn.drawn, observed=True)["lag"].idxmax()] if drawn.drawn else both.tail(1)
    apart = 10 ** ((last["median"] - last["median_theory"]).abs() / last["lag"]) - 1
    farthest = last.loc[apart.idxmax()]
    of = ", ".join(level_text(axis, farthest[axis]) for axis in drawn.drawn)
    return (
        f"{text} They part by {100 * apart.median():.2g}% per step in the middle case, at most by "
        f"{100 * apart.max():.2g}%{f' ({of})' if of else ''}.{_lines(records, drawn)}"
    )


def _fifty(records: Records, drawn: Roles) -> str:
    values = per_run(records, MEASURES["after_fifty"]).dropna()
    ends = f" It goes from {values.min():.3g} to {values.max():.3g}." if len(values) else ""
    return (
        "log10 of ‖∂L/∂h_t‖ fifty steps before the last time step over its value there, before training: at 0 the "
        f"gradient arrives as it left, at -6 a millionth of it.{ends} A mark is a run, a bar the median over "
        f"{how_many(records.cells, drawn.drawn, drawn.pooled)}."
    )


def _parameters(records: Records, drawn: Roles) -> str:
    return "Norm of the gradient of each parameter before clipping, all of its gates together, over training." + _lines(
        records, drawn
    )


def _graph(records: Records, drawn: Roles) -> str:
    return (
        "The network unrolled over time, before training: a red arrow carries the gradient to the state that it points "
        "to, with the norm ‖∂L/∂h_t‖ that arrives there; the thinner, the less is left. States between are left out."
        + _one_run(drawn)
    )


def _singular(records: Records, drawn: Roles) -> str:
    frame = at_both_ends(probed(records, "jacobian"))
    top = frame[frame["i"] == frame["i"].min()]
    far = top[top["lag"] == top.groupby("cell", observed=True)["lag"].transform("max")]
    ends = far.groupby("when", observed=True)["log10_sigma"].median()
    told = [f"10^{ends[when]:.1f} {when}" for when in (START, END) if when in ends and np.isfinite(ends[when])]
    middle = f" The largest over the longest lag is {' and '.join(told)}, in the middle." if told else ""
    return (
        "Singular values of ∂h_T/∂h_t against lag, both axes logarithmic: by how much a change of the state arrives "
        f"at the end, in its best and its worst direction; the median over sequences and runs.{middle}" + _pooled(drawn)
    )


def _eigenvalues(records: Records, drawn: Roles) -> str:
    frame = at_both_ends(probed(records, "spectrum"))
    radius = (
        (frame["re"] ** 2 + frame["im"] ** 2)
        .pow(0.5)
        .groupby([frame["cell"], frame["matrix"], frame["when"]], observed=True)
    )
    largest = radius.max().groupby("when", observed=True).agg(["min", "max"])
    told = [f"{number(row['min'], 3)} to {number(row['max'], 3)} {when}" for when, row in largest.iterrows()]
    return (
        "Eigenvalues λ of the recurrent matrices, of all runs of a panel together, and the circle |λ| = 1. Spectral "
        f"radii: {', '.join(told)}."
    )


def _gates(records: Records, drawn: Roles) -> str:
    frame = at_both_ends(probed(records, "gates"))
    shut = frame[[TENTHS[0], TENTHS[-1]]].sum(axis=1).groupby(frame["when"], observed=True).mean()
    told = [f"{shut[when]:.0%} {when}" for when in (START, END) if when in shut]
    return (
        "Share of the values of each gate in each tenth of 0 to 1, the mean over time steps, units, sequences and "
        f"runs. In the outermost tenths lie {' and '.join(told)}."
    )


def _states(records: Records, drawn: Roles) -> str:
    return (
        "Hidden states of the highest layer over the first sequence of a batch: a row is a unit, grey is 0."
        + _one_run(drawn)
    )


def _one_run(drawn: Roles) -> str:
    pooled = f", and of the first level of {axes_said(list(drawn.pooled))}" if drawn.pooled else ""
    return f" One run for each: that of the lowest seed{pooled}."


def _pooled(drawn: Roles) -> str:
    return f" Runs are pooled over {axes_said(list(drawn.pooled))}." if drawn.pooled else ""


def _lines(records: Records, drawn: Roles) -> str:
    return lines_said(how_many(records.cells, drawn.drawn, drawn.pooled))


CAPTIONS: dict[str, Callable[[Records, Roles], str]] = {
    "gradient_and_theory": _theory,
    "gradient_after_fifty_steps": _fifty,
    "parameter_norms": _parameters,
    "backpropagation_graph": _graph,
    "singular_values": _singular,
    "eigenvalues": _eigenvalues,
    "gate_histograms": _gates,
    "hidden_states": _states,
}
