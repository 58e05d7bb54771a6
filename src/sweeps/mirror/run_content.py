"""The W&B run of one cell: a pure function of its record, so every replay gives the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from sweeps.config.short_names import SHORT_NAMES
from sweeps.mirror.heat_map import heat_map
from sweeps.mirror.offline_file import ROWS
from sweeps.records.files import jsonable
from sweeps.records.paths import CellPaths
from sweeps.records.plan_file import flat
from sweeps.records.read_cell import read_gradient, read_metrics, read_settings
from sweeps.records.summary import read_summary

NOT_MIRRORED = ("runs_dir", "tracker", "executor")
"""Settings of the machine, not of the cell: the same cell is the same run wherever it was trained."""

KEYS = ("arch", "init", "gain", "clip", "threshold", "length", "hidden", "seed", "task", "optim", "lr")
"""Settings that are in the config of a run under their short names, beside all of them under `settings`."""

HEAT_MAP = "gradient/through_time"
"""History key of the heat map, in the last row."""

_NON_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""Text in summary.json -> text in a W&B summary, where the client would turn the numbers themselves into null."""


@dataclass(frozen=True)
class RunContent:
    """The arguments of `wandb.init`, the rows of `run.log` and the final summary of one cell."""

    id: str
    name: str
    group: str
    job_type: str
    tags: tuple[str, ...]
    config: dict[str, Any]
    history: list[tuple[int, dict[str, float]]]  # (step, row), steps strictly increasing
    heat_map: Image.Image | None  # the gradient through time, for the last row
    summary: dict[str, Any]


def run_id(cell: CellPaths) -> str:
    """The run's id: the cell's and its numerics version, since W&B does not allow the id of a deleted run again.

    Raises:
        SweepsError: summary.json is not complete.
    """
    return f"{cell.root.name}-n{read_summary(cell).numerics}"


def run_content(cell: CellPaths) -> RunContent:
    """Read the record of one done cell as a W&B run.

    History keys are the columns of metrics.csv (an empty field has no key); `nonfinite`, how many values of
    the row are nan or infinite; and from the gradient through time `gradient/log10_norm_lag_0`, `_lag_half`
    (T/2) and `_lag_last` (T-1), and `gradient/log10_slope_per_lag`, the decay rate: the least-squares slope
    of log10 ||dL/dh_t|| over the finite lags (below 0: vanishing; nan: fewer than two are finite).

    Raises:
        SweepsError: a file is missing or malformed; the message names it.
    """
    summary = read_summary(cell)
    settings = read_settings(cell.config, summary.numerics)
    metrics = read_metrics(cell.metrics, summary)
    gradient = read_gradient(cell.gradient_through_time, list(metrics))
    rows, picture = dict(metrics), None
    length = ""
    if gradient is not None:
        steps, norms = gradient
        picture = heat_map(norms, steps)
        length = f" T{norms.shape[1]}"
        scalars = _gradient_scalars(norms)
        for step, *values in zip(steps.tolist(), *scalars.values(), strict=True):
            rows[step] = rows.get(step, {}) | dict(zip(scalars, values, strict=True))
    history = sorted(rows.items())

    short = {SHORT_NAMES[name]: value for name, value in flat(settings).items() if name in SHORT_NAMES}
    experiment, outcome = str(summary.experiment), summary.outcome
    arch, init, clip = (str(short.get(name)) for name in ("arch", "init", "clip"))
    named = {name: short.get(name) for name in KEYS} | {
        "experiment": experiment,
        "outcome": outcome,
        "cell": cell.root.name,
    }
    nested = {key: value for key, value in settings.items() if key not in NOT_MIRRORED}
    nonfinite = sum(row.get("nonfinite", 0) for row in metrics.values())
    latest = {key: value for _, row in history for key, value in row.items()}
    return RunContent(
        id=run_id(cell),
        name=f"{arch} {init} {clip}{length} s{short.get('seed')}"[:128],
        group=experiment,
        job_type=arch[:64],
        tags=tuple(dict.fromkeys(tag[:64] for tag in (experiment, arch, outcome) if tag)),
        config=jsonable(_without_dots({**named, "settings": nested})),
        history=history,
        heat_map=picture,
        summary={
            **_flat_summary(jsonable(latest | summary.as_json())),
            "solved": int(summary.solved_step is not None),
            "diverged": int(outcome == "diverged"),
            "nonfinite_values": nonfinite,
            ROWS: len(history),
        },
    )


def _gradient_scalars(norms: np.ndarray) -> dict[str, list[float]]:
    """History key -> a value per step [S], from `norms` [S, T], log10 ||dL/dh_t|| by step and lag."""
    length = norms.shape[1]
    lags = {"0": 0, "half": length // 2, "last": length - 1}
    scalars = {f"gradient/log10_norm_lag_{name}": norms[:, lag].tolist() for name, lag in lags.items()}
    finite = np.isfinite(norms)
    count = finite.sum(axis=1, keepdims=True)
    x, y = np.where(finite, np.arange(length), 0.0), np.where(finite, norms, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.where(finite, x - x.sum(axis=1, keepdims=True) / count, 0.0)
        slope = (x * y).sum(axis=1) / (x * x).sum(axis=1)  # nan where fewer than two lags are finite
    scalars["gradient/log10_slope_per_lag"] = slope.tolist()
    return scalars


def _flat_summary(summary: dict[str, Any]) -> dict[str, Any]:
    """The content of summary.json without nulls, with nested keys as `final/x`, and `seconds` as `train_seconds`."""
    flat: dict[str, Any] = {}

    def add(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                add(f"{prefix}/{key}", item)
        elif value is not None:
            flat[prefix] = _NON_FINITE.get(value, value) if isinstance(value, str) else value

    for key, value in summary.items():
        if key not in ("format", "cell", "experiment"):
            add("train_seconds" if key == "seconds" else key, value)
    return _without_dots(flat)


def _without_dots(value: Any) -> Any:
    """The value with `_` for every dot in a key, which W&B would read as nesting."""
    if isinstance(value, dict):
        return {str(key).replace(".", "_"): _without_dots(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_dots(item) for item in value]
    return value
