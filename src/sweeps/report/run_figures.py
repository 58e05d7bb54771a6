"""What the page of a run draws, as numbers: curves with their axes and keys. `page/run.js` draws whatever is here.

Values of a logarithmic axis are log10 throughout, so that they may lie beyond the range of float64.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.logarithm import log10
from sweeps.analysis.run_facts import Reach, part_shown
from sweeps.analysis.truncation import truncation_of
from sweeps.config.cards import card
from sweeps.records.files import jsonable
from sweeps.records.summary import Summary
from sweeps.report.heat_map import heat_map

STEP, LAG, GRADIENT = "training step (updates)", "lag (steps back)", "‖∂L/∂h_{t}‖"
"""Labels of axes."""
LOWEST = -0.5
"""Where the axis of scores ends: a score far below 0 says only that the network has not started."""
COLOURS = (0, 1, 2, 4)
"""Of the recurrent matrices, as classes of `page/run.css`; 3 is grey."""
MANY = 400
"""Lags that a curve over lags holds; more than it has pixels."""
MOST_LAYERS = 4
"""Layers and directions whose spectra are drawn."""
Columns = Mapping[str, np.ndarray]
"""Columns of a frame by name, [R] each."""


@dataclass(frozen=True)
class Drawn:
    """A figure of the page: its title, a caption, and what the script draws, ready for JSON."""

    title: str
    caption: str
    numbers: dict[str, Any] = field(repr=False)


def run_figures(
    config: Mapping[str, Any],
    summary: Summary,
    metrics: pd.DataFrame,
    gradient: pd.DataFrame,
    parameters: pd.DataFrame,
    reaches: Sequence[Reach],
) -> list[Drawn]:
    """The figures that the record of a run has something to draw for, in order.

    Args:
        metrics, gradient, parameters: frames of this cell, as in `Records`.
        reaches: from `run_facts.reaches`.
    """
    clip, task = config.get("clip", {}), summary.task
    logged = _columns(metrics, "step", "train_loss", "eval_loss", "eval_score", "grad_norm", "grad_norm_clipped")
    cross = " A cross: not finite." if summary.outcome == "diverged" else ""
    clips, by_norm = clip.get("name") != "none", clip.get("threshold") if clip.get("name") == "norm" else None
    figures = [_loss(logged, task.chance_loss, cross)]
    if not np.isnan(logged["eval_score"]).all():
        figures.append(_score(logged, task.score or "score", task.solved_at))
    figures.append(_gradient(logged, clips, by_norm, cross))
    norms = gradient["log10_norm"].to_numpy(dtype=float).reshape(len(metrics), -1)[:, ::-1]  # by lag, not by time
    layer = f"It is that of {part}." if (part := part_shown(config)) else ""
    own = " ".join(filter(None, (layer, card("arch", str(config.get("arch", {}).get("name"))).caption)))
    figures.append(_through_time(logged["step"], norms, own))
    if reaches:
        figures.append(_by_lag(reaches, truncation_of(config), layer))
    spectra = _columns(parameters, "step", "spectral_radius", "sigma_max")
    names = np.where(
        np.isnan(spectra["spectral_radius"]) & np.isnan(spectra["sigma_max"]), "", parameters["parameter"].to_numpy()
    )
    figures += _spectra(names, spectra)
    return figures


def _columns(frame: pd.DataFrame, *names: str) -> Columns:
    return {name: frame[name].to_numpy() for name in names}


def _loss(logged: Columns, chance: float | None, cross: str) -> Drawn:
    lines = [_line("training", 3, logged["step"], log10(logged["train_loss"]).round(4), "thin")]
    evaluated = ~np.isnan(logged["eval_loss"])
    lines.append(_line("evaluation", 0, logged["step"][evaluated], log10(logged["eval_loss"][evaluated]).round(4)))
    levels = [_level("chance", math.log10(chance))] if chance and chance > 0 else []
    numbers = _curves(STEP, "loss", lines, levels, log=True, crosses=_broken(logged, "train_loss"))
    return Drawn("Loss", f"On a logarithmic scale.{cross}", numbers)


def _score(logged: Columns, name: str, solved_at: float | None) -> Drawn:
    measured = ~np.isnan(logged["eval_score"])
    steps, scores = logged["step"][measured], logged["eval_score"][measured]
    finite = scores[np.isfinite(scores)]
    low, high = min([0.0, *finite]), max([1.0, *finite])
    below = f" The axis ends at {LOWEST:g}; the lowest is {low:.3g}." if low < LOWEST else ""
    levels = [] if solved_at is None else [_level("counts as solved", solved_at)]
    lines, crosses = [_line("evaluation", 0, steps, _rounded(scores))], steps[~np.isfinite(scores)].tolist()
    numbers = _curves(STEP, name, lines, levels, within=[max(low, LOWEST), high], crosses=crosses)
    return Drawn(name[:1].upper() + name[1:], f"Over the evaluation set, higher is better.{below}", numbers)


def _gradient(logged: Columns, clips: bool, threshold: float | None, cross: str) -> Drawn:
    steps, before = logged["step"], log10(logged["grad_norm"]).round(4)
    after = log10(logged["grad_norm_clipped"]).round(4)
    if clips:
        lines = [_line("before clipping", 3, steps, before, "dashed"), _line("after clipping", 1, steps, after)]
    else:
        lines = [_line("not clipped", 0, steps, before)]
    levels = [_level("threshold", math.log10(threshold))] if threshold and 0 < threshold < math.inf else []
    numbers = _curves(STEP, "gradient norm", lines, levels, log=True, crosses=_broken(logged, "grad_norm"))
    told = "before and after clipping" if clips else "not clipped"
    return Drawn("Gradient of the parameters", f"Its global norm, {told}.{cross}", numbers)


def _through_time(steps: np.ndarray, norms: np.ndarray, own: str) -> Drawn:
    numbers = {"kind": "map", "xLabel": STEP, "yLabel": LAG, "barLabel": GRADIENT, **heat_map(steps, norms)}
    told = ["‖∂L/∂h_t‖ by training step and lag, the steps back from the end of the sequence."]
    kept = [f"{_nth(every)} {what}" for every, what in zip(numbers["every"], ("step", "lag"), strict=True) if every > 1]
    told += [f"Of this record every {' and every '.join(kept)} is drawn."] if kept else []
    return Drawn("Gradient through time, over training", " ".join([*told, *filter(None, [own])]), numbers)


def _by_lag(reaches: Sequence[Reach], cut: str, layer: str) -> Drawn:
    lags = np.arange(len(reaches[0].norms))
    kept = np.unique([*lags[:: -(-len(lags) // MANY)], lags[-1]])
    styles = ((1, "dashed"), (0, ""))[-len(reaches) :]
    lines = [
        _line(f"step {reach.step}", colour, kept, np.round(reach.norms[kept], 4), style)
        for reach, (colour, style) in zip(reaches, styles, strict=True)
    ]
    told = [f"Step {each.step}: {each.per_step()}; {each.far()}." for each in reaches]
    told += [cut] if cut else []
    told += [f"Every {_nth(int(kept[1]))} lag is drawn."] if len(kept) < len(lags) else []
    told += [layer] if layer else []
    numbers = _curves(LAG, GRADIENT, lines, [], log=True, at="lag")
    return Drawn("Gradient through time, first and last", " ".join(told), numbers)


def _spectra(names: np.ndarray, spectra: Columns) -> list[Drawn]:
    """A figure for each layer and direction, the lowest first; of more than `MOST_LAYERS` for some at equal distances.

    Args:
        names: of the recurrent matrix that each row is of, "" for any other row.
    """
    groups: dict[tuple[int, bool], list[str]] = {}
    for name in sorted({*names} - {""}):
        groups.setdefault(_layer_of(name), []).append(name)
    order = sorted(groups)
    places = np.unique(np.linspace(0, len(order) - 1, min(len(order), MOST_LAYERS)).round().astype(int))
    figures = []
    for layer, backwards in (order[place] for place in places):
        title = "Spectra of the recurrent matrices"
        if order[-1][0] > 0:
            end = {0: " (the lowest)", order[-1][0]: " (the highest)"}.get(layer, "")
            title += f" of layer {layer}{end}"
        title += ", reading backwards" if backwards else ""
        figures.append(_spectra_of(groups[layer, backwards], names, spectra, title))
    return figures


def _layer_of(name: str) -> tuple[int, bool]:
    """The layer of a recurrent matrix, and whether it reads backwards: (2, False) of `weight_hh_l2.f`."""
    found = re.match(r"weight_hh(?:_l(\d+))?(_reverse)?", name)
    return (int(found[1] or 0), found[2] is not None) if found else (0, False)


def _spectra_of(matrices: Sequence[str], names: np.ndarray, spectra: Columns, title: str) -> Drawn:
    """Args: matrices: the names of those that are drawn; names, spectra: as for `_spectra`."""
    lines = []
    for place, name in enumerate(matrices):
        of = f" of {name.partition('.')[2] or name}" if len(matrices) > 1 else ""
        for column, what, style in (("spectral_radius", "ρ", ""), ("sigma_max", "σ_{max}", "dashed")):
            rows = (names == name) & ~np.isnan(spectra[column])
            values = _rounded(spectra[column][rows])
            lines.append(_line(f"{what}{of}", COLOURS[place % 4], spectra["step"][rows], values, style))
    numbers = _curves(STEP, "ρ, σ_{max}", lines, [_level("1", 1.0)], within=[0.0])
    caption = "Solid: the spectral radius ρ. Dashed: the largest singular value. "
    caption += "Above 1 a linear recurrence would let something grow."
    return Drawn(title, caption, numbers)


def _curves(x: str, y: str, lines: list[Any], levels: list[Any], **more: Any) -> dict[str, Any]:
    """What the script draws as curves.

    Args:
        more: `log`, whether y is log10 of what is shown; `within`, values that the y axis shows in any case, the first
            of them its lower end; `crosses`, places on x where a value was not finite; `at`, what a place on x is.
    """
    usual = {"at": "step", "log": False, "within": [], "crosses": []}
    return {"kind": "curves", "xLabel": x, "yLabel": y, "lines": lines, "levels": levels, **usual, **more}


def _line(name: str, colour: int, x: np.ndarray, y: np.ndarray, style: str = "") -> dict[str, Any]:
    """A curve.

    Args:
        x, y: [N]; a y that is -inf is exactly zero on a logarithmic axis, any other that is not finite a gap.
        style: dashed or thin.
    """
    return {
        "name": name,
        "colour": colour,
        "style": style,
        "x": x.tolist(),
        "y": y.tolist() if np.isfinite(y).all() else jsonable(y.tolist()),
    }


def _level(name: str, y: float) -> dict[str, Any]:
    return {"name": name, "y": float(f"{y:.5g}")}


def _rounded(values: np.ndarray) -> np.ndarray:
    """The values to four significant digits."""
    return np.array([float(f"{value:.4g}") for value in values.tolist()], dtype=float)


def _broken(logged: Columns, column: str) -> list[int]:
    """The steps at which a value is not finite."""
    return list(logged["step"][~np.isfinite(logged[column])].tolist())


def _nth(count: int) -> str:
    return {2: "second", 3: "third"}.get(count, f"{count}th")
