"""Makes records to mirror, and checks their mirror."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from damage import IN_ITS_PLACE
from sweeps.config.identity import id_of
from sweeps.mirror.replay import MirrorResult, mirror
from sweeps.records.columns import GRADIENT_THROUGH_TIME, METRICS
from sweeps.records.files import write_atomically, write_csv, write_json
from sweeps.records.paths import SweepPaths

KEY = "0123456789" * 4
T = 8


def cell_id(index: int) -> str:
    """The id of a cell; the first ids are in the order of their indices."""
    return id_of(settings_of(index), 3)


@cache
def settings_of(index: int) -> dict[str, Any]:
    """Settings of a cell, with a seed of the task that makes the id begin with the index."""
    candidates = (_settings(index, seed) for seed in itertools.count())
    return next(each for each in candidates if id_of(each, 3).startswith(f"{index % 256:02x}"))


def _settings(index: int, seed: int) -> dict[str, Any]:
    return {
        "arch": {"name": "lstm", "hidden": 32},
        "init": {"name": "orthogonal", "gain": 1.5},
        "clip": {"name": "norm", "threshold": 0.25},
        "task": {"name": "adding", "length": T, "seed": seed},
        "optim": {"name": "adam", "lr": 0.001, "betas.first": [0.9, 0.999]},
        "train": {"steps": 50},
        "seed": index,
        "experiment": "first_look",
        "runs_dir": "/somewhere/private",
        "tracker": {"mode": "offline"},
        "executor": {"name": "local"},
    }


def add_cell(sweep: SweepPaths, index: int, *, rows: int = 5, diverged: bool = False, **extra: Any) -> str:
    """Write the record of one done cell, which ends in inf and nan if it diverged; returns its id."""
    cell = sweep.cell(cell_id(index))
    metrics: list[list[Any]] = []
    gradient: list[list[Any]] = []
    for row in range(rows):
        step = row * 10
        loss, norm = 1 / (3 + row) + index, 5e-324 * (row + 1)
        if diverged and row >= rows - 2:
            loss, norm = (math.inf, -math.inf) if row == rows - 2 else (math.nan, math.inf)
        evaluated = row % 2 == 0
        metrics.append(
            [
                step,
                loss,
                0.1 + 0.2 if evaluated else None,
                -0.0 if evaluated else None,
                norm,
                1e300,
                1.0,
                0.001,
                0,
            ]
        )
        gradient += [[step, t, T - 1 - t, -40.0 * (T - 1 - t) - row - 1 / 3] for t in range(T)]
    write_csv(cell.metrics, METRICS, metrics)
    write_csv(cell.gradient_through_time, GRADIENT_THROUGH_TIME, gradient)
    write_atomically(cell.config, yaml.safe_dump(settings_of(index)))
    summary = {
        "format": 1,
        "cell": cell.root.name,
        "experiment": "first_look",
        "outcome": "diverged" if diverged else "solved",
        "reason": "the loss is nan" if diverged else None,
        "step": step,
        "solved_step": None if diverged else min(30, step),
        "diverged_step": step if diverged else None,
        "final": {"train_loss": loss},
        "best": {"eval_score": 0.9},
        "seconds": 1.25,
        "numerics": 3,
    }
    write_json(cell.summary, summary | extra)
    return cell.root.name


def folders(sweep: SweepPaths, cell: str = "") -> list[Path]:
    return sorted(path.parent for path in (sweep.mirrored_runs).rglob("run-*.wandb") if cell in path.name)


def log_of(sweep: SweepPaths, cell: str) -> Path:
    (folder,) = folders(sweep, cell)
    return folder / f"run-{cell}-n3.wandb"


def run(sweep: SweepPaths, **options: Any) -> MirrorResult:
    return mirror(sweep, project="tests", **options)


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "header only":
        path.write_bytes(content[:7])
    elif how == "truncated":
        path.write_bytes(content[:-40])
    elif how == "half":
        path.write_bytes(content[: len(content) // 2])
    elif how == "another digit":  # only the checksum can tell
        path.write_bytes(content.replace(b"1e+300", b"2e+300", 1))
    elif how == "another header":
        path.write_bytes(b";" + content[1:])
    elif how in IN_ITS_PLACE:
        path.unlink()
        IN_ITS_PLACE[how](path)


def assert_equals_csv(sweep: SweepPaths, cell: str, history: list[dict[str, Any]], *, uploaded: bool = False) -> None:
    """Every field of metrics.csv is in the history, bit for bit, and an empty field is not.

    One exception: in an upload, but not in the file, the client makes -0.0 a 0.
    """
    with sweep.cell(cell).metrics.open() as file:
        rows = list(csv.DictReader(file))
    assert len(history) == len(rows)
    for row, logged in zip(rows, history, strict=True):
        assert logged["_step"] == int(row.pop("step"))
        measured = {column: text for column, text in row.items() if text}
        mirrored = {column: logged[column] for column in METRICS if column in logged}
        assert mirrored.keys() == measured.keys()
        for column, text in measured.items():
            expected = 0.0 if uploaded and text == "-0.0" else float(text)
            assert float(mirrored[column]).hex() == expected.hex(), (cell, row, column)


def timeless(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the times at which the client wrote them; equal rows are equal text."""
    return [
        {
            key: json.dumps(row[key], sort_keys=True)
            for key in sorted(row)
            if key not in ("_timestamp", "_runtime") and not key.startswith("_wandb")
        }
        for row in rows
    ]
