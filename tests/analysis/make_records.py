"""Synthetic records with known truths: one cell made to measure, or a whole sweep that looks like a real one.

`python tests/analysis/make_records.py FOLDER` writes the sweep, to look at figures and reports without
training.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sweeps.config.identity import id_of
from sweeps.records.columns import GRADIENT_THROUGH_TIME, METRICS, PARAMETERS
from sweeps.records.files import field, jsonable

THRESHOLD = {"none": None, "norm": 1.0, "value": 0.1}
DECAY = {  # planted: (at initialisation, after training), log10 of ||dL/dh_t|| per step of lag
    ("rnn_tanh", "random"): (-1.05, -0.9),
    ("rnn_tanh", "xavier"): (-0.13, -0.09),
    ("rnn_tanh", "orthogonal"): (-0.012, -0.02),
    ("rnn_tanh", "identity"): (-0.015, -0.03),
    ("rnn_relu", "random"): (-1.25, -1.1),
    ("rnn_relu", "xavier"): (-0.21, -0.12),
    ("rnn_relu", "orthogonal"): (-0.15, -0.08),
    ("rnn_relu", "identity"): (0.02, 0.035),
    ("lstm", "random"): (-0.14, -0.05),
    ("lstm", "xavier"): (-0.12, -0.04),
    ("lstm", "orthogonal"): (-0.11, -0.03),
    ("lstm", "identity"): (-0.08, -0.03),
    ("gru", "random"): (-0.30, -0.06),
    ("gru", "xavier"): (-0.22, -0.03),
    ("gru", "orthogonal"): (-0.18, -0.02),
    ("gru", "identity"): (-0.10, -0.02),
}


def write_cell(
    root: Path,
    *,
    arch: str = "rnn_tanh",
    init: str = "orthogonal",
    clip: str = "none",
    length: int = 20,
    seed: int = 0,
    slope: float | tuple[float, float] = -0.1,
    outcome: str = "finished",
    end: int = 200,
    steps: int = 200,
    log_every: int = 20,
    eval_every: int = 40,
    best_score: float | None = 0.5,
    grad_norm: float = 1.0,
    noise: float = 0.0,
    curve: Callable[[int], float] | None = None,
    settings: dict[str, Any] | None = None,
    summary: dict[str, Any] | None = None,
) -> str:
    """Write the record of one done cell and return its id.

    Args:
        slope: log10 per step of lag; a pair moves from the first at step 0 to the second at the last step.
        end: step at which the cell diverged or was solved; it is `steps` for a cell that finished.
        best_score: None for a task without a score.
        grad_norm: median over the logged steps, before clipping.
        noise: standard deviation of the scatter of log10 quantities over steps.
        curve: log10 of ||dL/dh_t|| at a lag, at every logged step, in place of `slope`.
        settings: further settings by dotted name, `{"optim.lr": 0.1}`.
        summary: entries of summary.json to replace; what is `final` there ends metrics.csv too.
    """
    config = settings_of(arch, init, clip, length, seed, steps, settings or {})
    config["train"] |= {"log_every": log_every, "eval_every": eval_every}
    cell = id_of(config, (summary or {}).get("numerics", 1))
    luck = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:12]  # whatever ids are made of
    rng = np.random.default_rng([seed, int(luck, 16)])
    last = steps if outcome == "finished" else end
    logged = sorted({*range(0, last + 1, log_every), last})
    start, stop = slope if isinstance(slope, tuple) else (slope, slope)
    metrics: list[list[Any]] = []
    gradient: list[tuple[Any, ...]] = []
    parameters: list[tuple[Any, ...]] = []
    chance = 1.0 / 6.0
    best: dict[str, Any] = {"step": None, "eval_loss": None, "eval_score": None}
    for index, step in enumerate(logged):
        share = step / steps
        blown = outcome == "diverged" and step == last
        progress = (best_score or 0.0) * min(1.0, 1.2 * step / last) if outcome != "diverged" else 0.0
        loss = math.inf if blown else chance * (1.0 - 0.98 * progress) * 10 ** rng.normal(0.0, noise / 4)
        if outcome == "diverged" and not blown:
            loss *= 10 ** (6.0 * (step / last) ** 8)
        norm = math.inf if blown else grad_norm * 10 ** (noise * math.sin(index) + rng.normal(0.0, noise))
        threshold = config["clip"]["threshold"]
        after = norm if threshold is None else min(norm, threshold * (12.0 if clip == "value" else 1.0))
        scale = math.nan if blown or norm == 0.0 else after / norm
        evaluated = (step % eval_every == 0 or step == last) and not blown
        score = progress if best_score is not None else None
        if evaluated and best_score is not None:
            best = {"step": step, "eval_loss": loss, "eval_score": best_score if step == last else score}
        metrics.append(
            [step, loss, loss if evaluated else None, score if evaluated else None, norm, after, scale, 0.01, 0]
        )
        here = start + (stop - start) * share
        level = -2.0 + rng.normal(0.0, noise)
        for t in range(length):
            lag = length - 1 - t
            value = math.nan if blown else level + here * lag + rng.normal(0.0, noise / 4)
            value = value if curve is None or blown else curve(lag)
            gradient.append((step, t, lag, value))
        parameters.append((step, "weight_hh", norm, 8.0, 1.0, 1.1))
        parameters.append((step, "bias", norm / 10, 0.1, None, None))
    _end_with(metrics, (summary or {}).get("final", {}))
    folder = root / cell
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    _csv(folder / "metrics.csv", METRICS, metrics)
    _csv(folder / "gradient_through_time.csv", GRADIENT_THROUGH_TIME, gradient)
    _csv(folder / "parameters.csv", PARAMETERS, parameters)
    step, train_loss, eval_loss, eval_score, norm, *_ = metrics[-1]
    content: dict[str, Any] = {
        "format": 1,
        "cell": cell,
        "experiment": root.name,
        "outcome": outcome,
        "reason": f"the loss was inf at step {last}" if outcome == "diverged" else None,
        "step": step,
        "solved_step": last if outcome == "solved" else None,
        "diverged_step": last if outcome == "diverged" else None,
        "final": {
            "step": step,
            "train_loss": train_loss,
            "eval_loss": eval_loss,
            "eval_score": eval_score,
            "grad_norm": norm,
        },
        "best": best if outcome != "diverged" else {"step": 0, "eval_loss": chance, "eval_score": best_score},
        "task": {"score": "explained variance", "chance_loss": chance, "solved_at": 0.9},
        "seconds": 1.5,
        "pack": {"size": 4, "lane": 0},
        "versions": {"sweeps": "0.1.0", "torch": "2.13.0"},
        "commit": "0123456789abcdef",
        "numerics": 1,
        "device": "cpu",
    }
    (folder / "summary.json").write_text(json.dumps(jsonable(content | (summary or {})), indent=2))
    return cell


def _end_with(metrics: list[list[Any]], final: dict[str, Any]) -> None:
    """Have the columns of metrics.csv end with what the summary is to call final."""
    for name in final.keys() & set(METRICS[1:]):
        place = METRICS.index(name)
        last = [row for row in metrics if row[place] is not None][-1:]
        for row in last:
            row[place] = None if final[name] is None else float(final[name])


def settings_of(
    arch: str, init: str, clip: str, length: int, seed: int, steps: int, settings: dict[str, Any]
) -> dict[str, Any]:
    """The nested settings of a cell, as config.yaml holds them."""
    config: dict[str, Any] = {
        "arch": {"name": arch, "hidden": 32} | ({"forget_bias": 1.0} if arch == "lstm" else {}),
        "init": {"name": init, "gain": 1.0} | ({"std": 0.01} if init == "random" else {}),
        "clip": {"name": clip, "threshold": THRESHOLD.get(clip, 1.0)},
        "task": {"name": "adding", "length": length, "solved_at": 0.9},
        "optim": {"name": "adam", "lr": 0.01, "betas": [0.9, 0.999]},
        "train": {"steps": steps, "batch": 32, "eval_size": 256},
        "seed": seed,
        "experiment": "synthetic",
        "runs_dir": "runs",
    }
    for name, value in settings.items():
        part = config
        *groups, leaf = name.split(".")
        for group in groups:
            part = part.setdefault(group, {})
        part[leaf] = value
    return config


def write_sweep(
    root: Path,
    *,
    archs: tuple[str, ...] = ("rnn_tanh", "rnn_relu", "lstm", "gru"),
    inits: tuple[str, ...] = ("random", "xavier", "orthogonal", "identity"),
    clips: tuple[str, ...] = ("none", "norm", "value"),
    lengths: tuple[int, ...] = (20, 50, 100),
    seeds: tuple[int, ...] = (0, 1),
    **more: Any,
) -> list[str]:
    """A sweep like `first_look`: vanishing, exploding, fewer cells solved at the long lengths."""
    cells = []
    for arch in archs:
        for init in inits:
            for clip in clips:
                for length in lengths:
                    for seed in seeds:
                        cells.append(_typical(root, arch, init, clip, length, seed, more))
    return cells


def _typical(root: Path, arch: str, init: str, clip: str, length: int, seed: int, more: dict[str, Any]) -> str:
    slope = DECAY.get((arch, init), (-0.05, -0.05))
    reach = -0.5 * (slope[0] + slope[1]) * length  # decades lost on the way back
    rng = np.random.default_rng([seed, length, len(arch + init + clip)])
    luck = rng.normal(0.0, 0.15)
    explodes = arch == "rnn_relu" and init == "identity"
    outcome, end, score = "finished", 600, float(np.clip(1.0 - reach / 8 + luck, 0.01, 0.85))
    if explodes and (clip == "none" or (clip == "value" and length == 100 and seed == 0)):
        outcome, end, score = "diverged", 120 + 20 * seed, 0.02
    elif reach + 6 * luck < 4.0:
        outcome, end, score = "solved", 300 + 2 * length + 20 * seed, 0.95
    return write_cell(
        root,
        arch=arch,
        init=init,
        clip=clip,
        length=length,
        seed=seed,
        slope=slope,
        outcome=outcome,
        end=end,
        steps=600,
        best_score=score,
        grad_norm=10 ** (2.0 + length / 25) if explodes else 10 ** (0.3 - min(reach, 20) / 20),
        noise=0.25,
        **more,
    )


def _csv(path: Path, columns: tuple[str, ...], rows: list[Any]) -> None:
    """As records.files.write_csv, without waiting for the disk."""
    lines = [",".join(columns), *(",".join(map(field, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    print(f"{len(write_sweep(Path(sys.argv[1])))} cells in {sys.argv[1]}")
