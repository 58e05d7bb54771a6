"""The figures of the page of a run, as numbers: what each of them shows. `page/run.js` draws whatever is here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.last_answer import last_answer
from sweeps.analysis.logarithm import log10
from sweeps.analysis.run_facts import Reach, part_shown
from sweeps.analysis.truncation import truncation_of
from sweeps.config.cards import card
from sweeps.records.summary import Summary
from sweeps.report.heat_map import heat_map
from sweeps.report.run_drawn import GRADIENT, LAG, STEP, Columns, Drawn, curves, level, line, rounded
from sweeps.report.run_spectra import spectra_figures

LOWEST = -0.5
"""Where the axis of scores ends: a score far below 0 says only that the network has not started."""
MANY = 400
"""Lags that a curve over lags holds; more than it has pixels."""


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
    figures = [_loss(logged, {"chance": task.chance_loss, **task.baselines}, cross)]
    if not np.isnan(logged["eval_score"]).all():
        figures.append(_score(logged, task.score or "score", task.solved_at))
    figures.append(_gradient(logged, clips, by_norm, cross))
    norms = gradient["log10_norm"].to_numpy(dtype=float).reshape(len(metrics), -1)[:, ::-1]  # by lag, not by time
    of_layer = f"It is that of {part}." if (part := part_shown(config)) else ""
    layer = " ".join(filter(None, (of_layer, last_answer([str(config.get("task", {}).get("name"))]))))
    own = " ".join(filter(None, (layer, card("arch", str(config.get("arch", {}).get("name"))).caption)))
    figures.append(_through_time(logged["step"], norms, own))
    if reaches:
        figures.append(_by_lag(reaches, truncation_of(config), layer))
    spectra = _columns(parameters, "step", "spectral_radius", "sigma_max")
    names = np.where(
        np.isnan(spectra["spectral_radius"]) & np.isnan(spectra["sigma_max"]), "", parameters["parameter"].to_numpy()
    )
    figures += spectra_figures(names, spectra)
    return figures


def _columns(frame: pd.DataFrame, *names: str) -> Columns:
    return {name: frame[name].to_numpy() for name in names}


def _loss(logged: Columns, baselines: Mapping[str, float | None], cross: str) -> Drawn:
    lines = [line("training", 3, logged["step"], log10(logged["train_loss"]).round(4), "thin")]
    evaluated = ~np.isnan(logged["eval_loss"])
    lines.append(line("evaluation", 0, logged["step"][evaluated], log10(logged["eval_loss"][evaluated]).round(4)))
    levels = [level(name, math.log10(loss)) for name, loss in baselines.items() if loss and loss > 0]
    numbers = curves(STEP, "loss", lines, levels, log=True, crosses=_broken(logged, "train_loss"))
    return Drawn("Loss", f"On a logarithmic scale.{cross}", numbers)


def _score(logged: Columns, name: str, solved_at: float | None) -> Drawn:
    measured = ~np.isnan(logged["eval_score"])
    steps, scores = logged["step"][measured], logged["eval_score"][measured]
    finite = scores[np.isfinite(scores)]
    low, high = min([0.0, *finite]), max([1.0, *finite])
    below = f" The axis ends at {LOWEST:g}; the lowest is {low:.3g}." if low < LOWEST else ""
    levels = [] if solved_at is None else [level("counts as solved", solved_at)]
    lines, crosses = [line("evaluation", 0, steps, rounded(scores))], steps[~np.isfinite(scores)].tolist()
    numbers = curves(STEP, name, lines, levels, within=[max(low, LOWEST), high], crosses=crosses)
    return Drawn(name[:1].upper() + name[1:], f"Over the evaluation set, higher is better.{below}", numbers)


def _gradient(logged: Columns, clips: bool, threshold: float | None, cross: str) -> Drawn:
    steps, before = logged["step"], log10(logged["grad_norm"]).round(4)
    after = log10(logged["grad_norm_clipped"]).round(4)
    if clips:
        lines = [line("before clipping", 3, steps, before, "dashed"), line("after clipping", 1, steps, after)]
    else:
        lines = [line("not clipped", 0, steps, before)]
    levels = [level("threshold", math.log10(threshold))] if threshold and 0 < threshold < math.inf else []
    numbers = curves(STEP, "gradient norm", lines, levels, log=True, crosses=_broken(logged, "grad_norm"))
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
        line(f"step {reach.step}", colour, kept, np.round(reach.norms[kept], 4), style)
        for reach, (colour, style) in zip(reaches, styles, strict=True)
    ]
    told = [f"Step {each.step}: {each.per_step()}; {each.far()}." for each in reaches]
    told += [cut] if cut else []
    told += [f"Every {_nth(int(kept[1]))} lag is drawn."] if len(kept) < len(lags) else []
    told += [layer] if layer else []
    numbers = curves(LAG, GRADIENT, lines, [], log=True, at="lag")
    return Drawn("Gradient through time, first and last", " ".join(told), numbers)


def _broken(logged: Columns, column: str) -> list[int]:
    """The steps at which a value is not finite."""
    return list(logged["step"][~np.isfinite(logged[column])].tolist())


def _nth(count: int) -> str:
    return {2: "second", 3: "third"}.get(count, f"{count}th")
