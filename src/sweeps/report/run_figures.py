"""What the page of a run draws, as numbers: curves with their axes and keys. `page/run.js` draws whatever is here.

Values of a logarithmic axis are log10 throughout, so that they may lie beyond the range of float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.run_facts import Reach
from sweeps.config.cards import card
from sweeps.records.files import jsonable
from sweeps.records.summary import Summary
from sweeps.report.heat_map import heat_map

STEP, LAG, GRADIENT = "training step (updates)", "lag (steps back)", "‖∂L/∂h_{t}‖"
"""Labels of axes."""
LOWEST = -0.5
"""Where the axis of scores ends: a score far below 0 says only that the network has not started."""
MANY = 400
"""Lags that a curve over lags holds; more than it has pixels."""


@dataclass(frozen=True)
class Drawn:
    """A figure of the page: its title, a caption, and what the script draws, ready for JSON."""

    title: str
    caption: str
    numbers: dict[str, Any] = field(repr=False)


def run_figures(
    config: Mapping[str, Any], summary: Summary, metrics: pd.DataFrame, norms: np.ndarray, parameters: pd.DataFrame,
    reaches: Sequence[Reach],
) -> list[Drawn]:  # fmt: skip
    """The figures that the record of a run has something to draw for, in order.

    Args:
        metrics, parameters: frames of this cell, as in `Records`.
        norms: [S, T], log10 ||dL/dh_t|| by logged step and lag.
        reaches: from `run_facts.reaches`.
    """
    clip, task = config.get("clip", {}), summary.task
    cross = " A cross: not finite." if summary.outcome == "diverged" else ""
    clips, by_norm = clip.get("name") != "none", clip.get("threshold") if clip.get("name") == "norm" else None
    figures = [_loss(metrics, task.chance_loss, cross)]
    if metrics["eval_score"].notna().any():
        figures.append(_score(metrics, task.score or "score", task.solved_at))
    figures.append(_gradient(metrics, clips, by_norm, cross))
    own = card("arch", str(config.get("arch", {}).get("name"))).caption
    figures.append(_through_time(metrics["step"].to_numpy(), norms, own))
    if reaches:
        figures.append(_by_lag(reaches))
    matrices = parameters[parameters["sigma_max"].notna() | parameters["spectral_radius"].notna()]
    if len(matrices):
        figures.append(_spectra(matrices))
    return figures


def _loss(metrics: pd.DataFrame, chance: float | None, cross: str) -> Drawn:
    lines = [_line("training", 3, metrics["step"], _log10(metrics["train_loss"]), thin=True)]
    evaluated = metrics[metrics["eval_loss"].notna()]
    lines.append(_line("evaluation", 0, evaluated["step"], _log10(evaluated["eval_loss"])))
    levels = [_level("chance", math.log10(chance))] if chance and chance > 0 else []
    numbers = _curves(STEP, "loss", lines, levels, log=True, crosses=_broken(metrics, "train_loss"))
    return Drawn("Loss", f"On a logarithmic scale.{cross}", numbers)


def _score(metrics: pd.DataFrame, name: str, solved_at: float | None) -> Drawn:
    rows = metrics[metrics["eval_score"].notna()]
    finite = rows.loc[np.isfinite(rows["eval_score"]), "eval_score"]
    low, high = min([0.0, *finite]), max([1.0, *finite])
    below = f" The axis ends at {LOWEST:g}; the lowest is {low:.3g}." if low < LOWEST else ""
    levels = [] if solved_at is None else [_level("counts as solved", solved_at)]
    lines = [_line("evaluation", 0, rows["step"], _rounded(rows["eval_score"]))]
    crosses = [int(step) for step in rows.loc[~np.isfinite(rows["eval_score"]), "step"]]
    numbers = _curves(STEP, name, lines, levels, within=[max(low, LOWEST), high], crosses=crosses)
    return Drawn(name[:1].upper() + name[1:], f"Over the evaluation set, higher is better.{below}", numbers)


def _gradient(metrics: pd.DataFrame, clips: bool, threshold: float | None, cross: str) -> Drawn:
    before = _log10(metrics["grad_norm"])
    lines = [_line("before clipping", 3, metrics["step"], before, dashed=True)] if clips else []
    after = _line("after clipping", 1, metrics["step"], _log10(metrics["grad_norm_clipped"]))
    lines.append(after if clips else _line("not clipped", 0, metrics["step"], before))
    levels = [_level("threshold", math.log10(threshold))] if threshold and 0 < threshold < math.inf else []
    crosses = _broken(metrics, "grad_norm")
    numbers = _curves(STEP, "gradient norm", lines, levels, log=True, crosses=crosses)
    told = "before and after clipping" if clips else "not clipped"
    return Drawn("Gradient of the parameters", f"Its global norm, {told}.{cross}", numbers)


def _through_time(steps: np.ndarray, norms: np.ndarray, own: str) -> Drawn:
    numbers = {"kind": "map", "xLabel": STEP, "yLabel": LAG, "barLabel": GRADIENT, **heat_map(steps, norms)}
    told = ["‖∂L/∂h_t‖ by training step and lag, the steps back from the end of the sequence."]
    told += ["Black: exactly zero."] * bool((norms == -math.inf).any())
    told += ["Grey: not finite."] * bool((np.isnan(norms) | (norms == math.inf)).any())
    kept = [f"{_nth(every)} {what}" for every, what in zip(numbers["every"], ("step", "lag"), strict=True) if every > 1]
    told += [f"Of this record every {' and every '.join(kept)} is drawn."] if kept else []
    return Drawn("Gradient through time, over training", " ".join([*told, *filter(None, [own])]), numbers)


def _by_lag(reaches: Sequence[Reach]) -> Drawn:
    lags = np.arange(len(reaches[0].norms))
    kept = np.unique([*lags[:: -(-len(lags) // MANY)], lags[-1]])
    styles = ({"colour": 1, "dashed": True}, {"colour": 0})[-len(reaches) :]
    lines = [
        _line(f"step {reach.step}", x=kept, y=np.round(reach.norms[kept], 4), **style)
        for reach, style in zip(reaches, styles, strict=True)
    ]
    told = [f"Step {each.step}: {each.per_step()}; {each.far()}." for each in reaches]
    told += [f"Every {_nth(int(kept[1]))} lag is drawn."] if len(kept) < len(lags) else []
    numbers = _curves(LAG, GRADIENT, lines, [], log=True, at="lag")
    return Drawn("Gradient through time, first and last", " ".join(told), numbers)


def _spectra(matrices: pd.DataFrame) -> Drawn:
    names = sorted(set(matrices["parameter"].astype(str)))
    lines = []
    for place, name in enumerate(names):
        rows, short = matrices[matrices["parameter"] == name], name.removeprefix("weight_hh").lstrip(".")
        for column, what, dashed in (("spectral_radius", "ρ", False), ("sigma_max", "σ_{max}", True)):
            measured = rows[rows[column].notna()]
            told = f"{what} of {short}" if len(names) > 1 else what
            values = _rounded(measured[column])
            lines.append(_line(told, (0, 1, 2, 4)[place % 4], measured["step"], values, dashed=dashed))
    numbers = _curves(STEP, "ρ, σ_{max}", lines, [_level("1", 1.0)], within=[0.0, None])
    caption = (
        "Spectral radius ρ and largest singular value σ_max of each recurrent matrix. "
        "Above 1 a linear recurrence would let something grow."
    )
    return Drawn("Spectra of the recurrent matrices", caption, numbers)


def _curves(x: str, y: str, lines: list[Any], levels: list[Any], **more: Any) -> dict[str, Any]:
    """What the script draws as curves.

    Args:
        more: `log`, whether y is log10 of what is shown; `within`, ends of the y axis that are given (None: from the
            data); `crosses`, places on x where a value was not finite; `at`, what a place on x is called.
    """
    return {"kind": "curves", "xLabel": x, "yLabel": y, "at": "step", "lines": lines, "levels": levels, **more}


def _line(
    name: str, colour: int, x: Any, y: np.ndarray, *, dashed: bool = False, thin: bool = False
) -> dict[str, Any]:
    style = {key: True for key, given in (("dashed", dashed), ("thin", thin)) if given}
    return {"name": name, "colour": colour, **style, "x": np.asarray(x).tolist(), "y": jsonable(y.tolist())}


def _level(name: str, y: float) -> dict[str, Any]:
    return {"name": name, "y": float(f"{y:.5g}")}


def _log10(values: pd.Series) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log10(values.to_numpy(dtype=float)).round(4))


def _rounded(values: pd.Series) -> np.ndarray:
    """The values to four significant digits, as many as anyone can see."""
    return np.array([float(f"{value:.4g}") for value in values], dtype=float)


def _broken(metrics: pd.DataFrame, column: str) -> list[int]:
    return [int(step) for step in metrics.loc[~np.isfinite(metrics[column].to_numpy(dtype=float)), "step"]]


def _nth(count: int) -> str:
    return {2: "second", 3: "third"}.get(count, f"{count}th")
