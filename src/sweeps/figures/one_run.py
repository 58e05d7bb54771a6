"""Figures of one run, each one column wide: its curves, its gradient through time, the spectra of its matrices."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sweeps.analysis.run_facts import Reach
from sweeps.figures.gradient import BEFORE, SHOWN, THRESHOLD
from sweeps.figures.learning import CHANCE
from sweeps.figures.panels import crosses, legend_above, log10_axis, note
from sweeps.figures.style import COLUMN, Line, house, lines

HEIGHT = 2.3
"""Of every figure, inches."""
MAIN, OTHER = Line("#0072B2", "-", "o"), Line("#D55E00", "-", "s")
FEW = 25
"""Most points of a curve that are marked."""


def loss(metrics: pd.DataFrame, chance: float | None) -> Figure:
    """Training and evaluation loss over training; a cross where a loss is not finite.

    Args:
        metrics: of one cell, here and below.
        chance: loss of the best constant answer, a thin line.
    """
    with house():
        figure, ax = _panel(metrics, "loss")
        level = math.log10(chance) if chance else math.nan
        train, evaluated = _log10(metrics["train_loss"]), _log10(metrics["eval_loss"])
        _curve(ax, metrics["step"], train, color="#808080", linewidth=0.9)
        _curve(ax, metrics["step"], evaluated, MAIN)
        ax.axhline(level, **CHANCE)
        log10_axis(ax, [*train, *evaluated, level])
        crosses(ax, metrics.loc[_broken(metrics["train_loss"]), "step"], Line("#000000", "-", "x"), 0)
        key = [Line2D([], [], color="#808080", linewidth=0.9, label="training"), _key(MAIN, "evaluation")]
        legend_above(figure, [*key, *([Line2D([], [], label="chance", **CHANCE)] if chance else [])])
        return figure


def score(metrics: pd.DataFrame, name: str, solved_at: float | None) -> Figure | None:
    """Evaluation score over training, with the score that counts as solved; None for a run without scores.

    A score far below 0 says only that the network has not started: the axis ends at -0.5, and a note says how far.
    """
    rows = metrics.dropna(subset=["eval_score"])
    if rows.empty:
        return None
    with house():
        figure, ax = _panel(metrics, name)
        _curve(ax, rows["step"], rows["eval_score"], MAIN)
        finite = rows.loc[np.isfinite(rows["eval_score"]), "eval_score"]
        low, high = finite.min(), max([1.0, *finite])
        bottom = max(min([0.0, *finite]), -0.5)
        note(ax, "" if len(finite) else "not finite")
        ax.set_ylim(bottom - 0.04, high + 0.04)
        note(ax, f"lowest: {low:.3g}" if low < bottom else "", x=0.97, y=0.05, ha="right", va="bottom")
        handles = [_key(MAIN, "evaluation")]
        if solved_at is not None:
            ax.axhline(solved_at, **THRESHOLD)
            handles.append(Line2D([], [], label="counts as solved", **THRESHOLD))
        legend_above(figure, handles)
        return figure


def gradient_norm(metrics: pd.DataFrame, clipped: bool, threshold: float | None) -> Figure:
    """Norm of the gradient of all parameters over training, before and after clipping.

    Args:
        clipped: whether the run clips; without clipping there is one curve.
        threshold: of clipping by norm, a thin line; None for any other.
    """
    with house():
        figure, ax = _panel(metrics, "gradient norm")
        before, after = _log10(metrics["grad_norm"]), _log10(metrics["grad_norm_clipped"])
        level = math.log10(threshold) if threshold else math.nan
        if clipped:
            _curve(ax, metrics["step"], after, OTHER)
            _curve(ax, metrics["step"], before, **BEFORE)
        else:
            _curve(ax, metrics["step"], before, MAIN)
        ax.axhline(level, **THRESHOLD)
        log10_axis(ax, [*before, *after, level])
        crosses(ax, metrics.loc[_broken(metrics["grad_norm"]), "step"], Line("#000000", "-", "x"), 0)
        handles = [Line2D([], [], label="before clipping", **BEFORE), _key(OTHER, "after")] if clipped else []
        legend_above(figure, [*handles, *([Line2D([], [], label="threshold", **THRESHOLD)] if threshold else [])])
        return figure


def through_time(gradient: pd.DataFrame) -> Figure:
    """The gradient through time over training as a heat map: colour is ||dL/dh_t||, over training step and lag.

    Black is exactly zero, grey was not finite; colours end at the range of float32.

    Args:
        gradient: of one cell.
    """
    norms = gradient.pivot_table(index="lag", columns="step", values="log10_norm", dropna=False, aggfunc="last")
    values = norms.to_numpy(dtype=float)
    finite = values[np.isfinite(values)]
    low, high = (max(finite.min(), SHOWN[0]), min(finite.max(), SHOWN[1])) if len(finite) else (-1.0, 0.0)
    low, high = (low, high) if high > low else (low - 0.5, low + 0.5)
    shown = np.where(np.isfinite(values), np.clip(values, low, high), np.where(values == -np.inf, low - 1.0, np.nan))
    with house():
        figure = Figure(figsize=(COLUMN, HEIGHT), layout="constrained")
        ax = figure.subplots()
        colours = matplotlib.colormaps["viridis"].with_extremes(under="black", bad="#d0d0d0")
        edges = _edges(norms.columns.to_numpy(dtype=float)), _edges(norms.index.to_numpy(dtype=float))
        masked = np.ma.masked_invalid(shown)
        mesh = ax.pcolormesh(*edges, masked, cmap=colours, vmin=low, vmax=high, rasterized=True)
        ax.grid(visible=False)
        ax.set_xlabel("training step (updates)")
        ax.set_ylabel("lag (steps back)")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        if norms.shape[1] == 1:
            ax.set_xticks(norms.columns)
        power = FuncFormatter(lambda value, _: f"$10^{{{value:.3g}}}$")
        bar = figure.colorbar(mesh, ax=ax, format=power, ticks=MaxNLocator(nbins=5), pad=0.02)
        bar.set_label(r"$\Vert\partial L/\partial h_t\Vert$")
        bar.outline.set_linewidth(0.6)
        return figure


def by_lag(reaches: Sequence[Reach]) -> Figure | None:
    """The gradient through time at the start and at the end of training, against lag; None if none is finite."""
    if not reaches:
        return None
    with house():
        figure = Figure(figsize=(COLUMN, HEIGHT), layout="constrained")
        ax = figure.subplots()
        styles = (Line(OTHER.colour, (0, (5, 1.5)), "s"), MAIN)[-len(reaches) :]
        for reach, line in zip(reaches, styles, strict=True):
            inside = np.isfinite(reach.norms) & (reach.norms > SHOWN[0]) & (reach.norms < SHOWN[1])
            ax.plot(np.where(inside, reach.norms, np.nan), color=line.colour, linestyle=line.dashes)
        log10_axis(ax, [value for reach in reaches for value in reach.norms], within=SHOWN)
        ax.set_xlim(0, max(1, len(reaches[0].norms) - 1))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        ax.set_xlabel("lag (steps back)")
        ax.set_ylabel(r"$\Vert\partial L/\partial h_t\Vert$")
        keys = [Line2D([], [], color=line.colour, linestyle=line.dashes) for line in styles]
        for key, reach in zip(keys, reaches, strict=True):
            key.set_label(f"step {reach.step}")
        legend_above(figure, keys)
        return figure


def spectra(parameters: pd.DataFrame) -> Figure | None:
    """Spectral radius and largest singular value of each recurrent matrix over training; None without such a matrix.

    Args:
        parameters: of one cell.
    """
    rows = parameters[parameters["sigma_max"].notna() | parameters["spectral_radius"].notna()]
    if rows.empty:
        return None
    names = sorted(set(rows["parameter"].astype(str)))
    with house():
        figure, ax = _panel(rows, "of each recurrent matrix")
        style = {name: MAIN for name in names} if len(names) == 1 else lines("parameter", names)
        for name in names:
            part, line = rows[rows["parameter"] == name], style[name]
            _curve(ax, part["step"], part["spectral_radius"], Line(line.colour, "-", line.marker))
            _curve(ax, part["step"], part["sigma_max"], Line(line.colour, (0, (3, 1)), "none"))
        ax.axhline(1.0, color="#999999", linewidth=0.8, zorder=1)
        ax.set_ylim(bottom=0.0)
        kinds = [Line2D([], [], color="#444444", label="spectral radius")]
        kinds.append(Line2D([], [], color="#444444", linestyle=(0, (3, 1)), label="largest singular value"))
        gates = [_key(style[name], name.removeprefix("weight_hh.")) for name in names] if len(names) > 1 else []
        legend_above(figure, [*kinds, *gates])
        return figure


def svg(figure: Figure) -> bytes:
    """A figure as SVG, its letters as outlines; the same figure gives the same bytes."""
    drawn = io.BytesIO()
    with house():
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": "sweeps"})
    return drawn.getvalue()


def _panel(rows: pd.DataFrame, what: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(COLUMN, HEIGHT), layout="constrained")
    ax = figure.subplots()
    last = max(1.0, float(rows["step"].max()))
    ax.set_xlim(-0.02 * last, 1.02 * last)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    ax.set_xlabel("training step (updates)")
    ax.set_ylabel(what)
    return figure, ax


def _curve(ax: Axes, steps: pd.Series, values: pd.Series, line: Line | None = None, **style: Any) -> None:
    """Draw the finite values, joined where values between them were not measured; marked where they are few."""
    known = np.isfinite(values.to_numpy(dtype=float))
    marker = line.marker if line and known.sum() <= FEW else "o" if known.sum() == 1 else "none"
    options = ({"color": line.colour, "linestyle": line.dashes} if line else {}) | {"marker": marker} | style
    ax.plot(steps.to_numpy(dtype=float)[known], values.to_numpy(dtype=float)[known], **options)


def _key(line: Line, text: str) -> Line2D:
    return Line2D([], [], color=line.colour, linestyle=line.dashes, marker=line.marker, label=text)


def _log10(values: pd.Series) -> pd.Series:
    with np.errstate(divide="ignore", invalid="ignore"):
        return pd.Series(np.log10(values.to_numpy(dtype=float)), index=values.index)


def _broken(values: pd.Series) -> pd.Series:
    """Where a measured value is infinite, or the last one no number: a run that diverged."""
    return np.isinf(values) | (values.isna() & (values.index == values.index[-1]))


def _edges(centres: np.ndarray) -> np.ndarray:
    """The borders of cells around these places, half-way between them."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.array([2 * centres[0] - middle[0], *middle, 2 * centres[-1] - middle[-1]])
