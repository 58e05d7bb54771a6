"""Thousands of synthetic records in seconds, as large as those of `first_look`: the curves of a combination are
written once and shared by its seeds, whose numbers differ in the summary and in the first rows of metrics.csv.

`python tests/analysis/many_records.py FOLDER [CELLS]` writes them.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from analysis.make_records import DECAY, THRESHOLD
from sweeps.config.identity import id_of
from sweeps.records.columns import FORMAT, GRADIENT_THROUGH_TIME, METRICS, PARAMETERS

ARCHS, INITS, CLIPS = ("rnn_tanh", "rnn_relu", "lstm", "gru"), ("random", "xavier", "orthogonal", "identity"), THRESHOLD
LENGTHS = (10, 50, 200)
STEPS, LOG_EVERY, EVAL_EVERY = 1200, 20, 100
LOGGED = range(0, STEPS + 1, LOG_EVERY)
CONFIG = """\
arch:
  name: {arch}
  hidden: 32
init:
  name: {init}
  gain: 1.0
clip:
  name: {clip}
  threshold: {threshold}
task:
  name: adding
  length: {length}
  solved_at: 0.9
optim:
  name: adam
  lr: 0.01
  beta1: 0.9
  beta2: 0.999
  eps: 1.0e-08
train:
  steps: 1200
  batch: 32
  log_every: 20
  eval_every: 100
  eval_size: 512
  stop_when_solved: false
tracker:
  name: csv
executor:
  name: local
  workers: 0
seed: {seed}
experiment: many
runs_dir: runs
"""
Choice = tuple[str, str, str, int, int]


def choices(count: int) -> Iterator[Choice]:
    """arch, init, clip, length, seed of `count` cells; the seed varies slowest."""
    combinations = list(itertools.product(ARCHS, INITS, CLIPS, LENGTHS))
    for place in range(count):
        seed, combination = divmod(place, len(combinations))
        yield (*combinations[combination], seed)


def write_many(root: Path, count: int) -> None:
    """Write `count` done cells, about 260 kB each; every fifth seed of one combination diverged at step 600."""
    for choice in choices(count):
        _write(root, choice)


def _write(root: Path, choice: Choice) -> None:
    arch, init, clip, length, seed = choice
    gone = diverged(choice)
    last = 600 if gone else STEPS
    text = CONFIG.format(arch=arch, init=init, clip=clip, length=length, seed=seed, threshold=THRESHOLD[clip] or "null")
    folder = root / id_of(_settings(*choice[:-1]) | {"seed": seed}, 1)
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(text)
    (folder / "metrics.csv").write_text(_metrics(clip, last, gone, seed))
    (folder / "gradient_through_time.csv").write_text(_gradient(arch, init, length, last))
    (folder / "parameters.csv").write_text(_parameters(4 if arch == "lstm" else 3 if arch == "gru" else 1, last))
    score = None if gone else 0.5 + seed % 100 / 1000
    summary = {
        "format": FORMAT,
        "cell": folder.name,
        "experiment": root.name,
        "outcome": "diverged" if gone else "solved" if length == 10 else "finished",
        "reason": "the loss was inf" if gone else None,
        "step": last,
        "solved_step": 300 if length == 10 and not gone else None,
        "diverged_step": last if gone else None,
        "final": {"step": last},
        "best": {"step": last, "eval_loss": 0.1, "eval_score": score},
        "task": {"score": "explained variance", "chance_loss": 1 / 6, "solved_at": 0.9},
        "seconds": 1.5,
        "versions": {"sweeps": "0.1.0"},
        "commit": "0123456789abcdef",
        "numerics": 1,
        "device": "cpu",
    }
    (folder / "summary.json").write_text(json.dumps(summary))


@cache
def _settings(arch: str, init: str, clip: str, length: int) -> dict[str, Any]:
    """What `CONFIG` says of a combination; reading it anew for every seed would take minutes."""
    text = CONFIG.format(arch=arch, init=init, clip=clip, length=length, seed=0, threshold=THRESHOLD[clip] or "null")
    return dict(yaml.safe_load(text))


def diverged(choice: Choice) -> bool:
    """Whether that cell diverged: the ReLU RNN with identity init and no clipping, every fifth seed."""
    arch, init, clip, _, seed = choice
    return (arch, init, clip) == ("rnn_relu", "identity", "none") and seed % 5 == 0


def _metrics(clip: str, last: int, gone: bool, seed: int) -> str:
    head, *rows = _metrics_rows(clip, last, gone)
    return "\n".join([head, f"0,{1.0 + seed!r}{rows[0][5:]}", *rows[1:]]) + "\n"


@cache
def _metrics_rows(clip: str, last: int, gone: bool) -> list[str]:
    rng = np.random.default_rng([last, len(clip)])
    rows = [",".join(METRICS)]
    for step in (step for step in LOGGED if step <= last):
        loss, norm = 0.17 * 10 ** rng.normal(-step / 1200, 0.1), 10 ** rng.normal(0.3, 0.5)
        after = min(norm, THRESHOLD[clip] or np.inf)
        evaluated = f"{loss!r},{1.0 - loss!r}" if step % EVAL_EVERY == 0 else ","
        blown = gone and step == last
        values = "inf,,,inf,inf,nan" if blown else f"{loss!r},{evaluated},{norm!r},{after!r},{after / norm!r}"
        rows.append(f"{step},{values},0.009999999776482582,0".replace("np.float64(", "").replace(")", ""))
    rows[1] = "0,1.0," + rows[1].split(",", 2)[2]
    return rows


@cache
def _gradient(arch: str, init: str, length: int, last: int) -> str:
    rng = np.random.default_rng([length, *map(ord, arch + init)])
    start, end = DECAY[arch, init]
    rows = [",".join(GRADIENT_THROUGH_TIME)]
    for step in (step for step in LOGGED if step <= last):
        slope = start + (end - start) * step / STEPS
        lag = np.arange(length - 1, -1, -1)
        values = (-2.0 + slope * lag + rng.normal(0.0, 0.02, length)).tolist()
        rows.extend(f"{step},{t},{length - 1 - t},{value!r}" for t, value in enumerate(values))
    return "\n".join(rows) + "\n"


@cache
def _parameters(gates: int, last: int) -> str:
    rows = [",".join(PARAMETERS)]
    for step in range(0, last + 1, EVAL_EVERY):
        for gate in "rzno"[:gates]:
            rows.append(f"{step},weight_hh.{gate},0.10287345200777054,5.599095821380615,1.12483900416172,1.82687719")
            rows.append(f"{step},weight_ih.{gate},0.10287345200777054,5.599095821380615,,")
        rows.extend(f"{step},{name},0.10287345200777054,5.599095821380615,," for name in ("bias", "readout", "offset"))
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    cells = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    write_many(Path(sys.argv[1]), cells)
    print(f"{cells} cells in {sys.argv[1]}")
