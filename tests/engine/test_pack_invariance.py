"""A cell's records are the same bytes whatever its pack, its neighbours and its place in it.

Sixteen cells per architecture and optimiser, clips, inits and learning rates mixed, odd sizes: trained alone and in
packs of 2, 3, 7 and 16 in shuffled orders, every CSV file is compared byte for byte.
"""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import make_cells
from sweeps.execute.worker import train_pack
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
FILES = ("metrics.csv", "gradient_through_time.csv", "parameters.csv", "config.yaml")


def sixteen(arch: str, optim: str, *shape: str) -> list[Cell]:
    lane = itertools.cycle(itertools.product(("none", "norm", "value"), ("random", "xavier", "orthogonal", "he")))
    lr = {"sgd": 0.1, "rmsprop": 0.01, "adam": 0.02}[optim]
    jobs = []
    for k, (clip, init) in zip(range(16), lane, strict=False):
        threshold = {"none": 1.0, "norm": 0.2, "value": 0.02}[clip]
        own = (
            f"clip={clip}",
            f"init={init}",
            f"clip.threshold={threshold}",
            f"optim.lr={lr / (1 + k % 3)}",
            f"seed={k % 5}",
        )
        jobs.append((f"arch={arch}", f"optim={optim}", *own, *shape))
    return make_cells(*jobs)


def train_in_packs(cells: list[Cell], size: int, root: Path) -> None:
    for start in range(0, len(cells), size):
        train_pack(Pack(tuple(cells[start : start + size])), root, lambda kind, content: None)


def read(cells: list[Cell], root: Path) -> dict[str, bytes]:
    return {f"{cell.id}/{name}": (root / cell.id / name).read_bytes() for cell in cells for name in FILES}


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("optim", ["sgd", "rmsprop", "adam"])
def test_records_are_the_same_bytes_in_every_pack(arch: str, optim: str, kernel: str, tmp_path: Path) -> None:
    cells = sixteen(arch, optim, "arch.hidden=17", "train.batch=9", "task.length=7", "train.steps=8",
                    f"executor.kernel={kernel}")  # fmt: skip
    assert len(cells) == 16
    train_in_packs(cells, 1, tmp_path / "alone")
    alone = read(cells, tmp_path / "alone")
    assert len(set(alone.values())) > 3 * 16  # the cells differ, so the comparison means something
    for size in (2, 3, 7, 16):
        shuffled = random.Random(size).sample(cells, 16)
        train_in_packs(shuffled, size, tmp_path / str(size))
        packed = read(cells, tmp_path / str(size))
        different = [name for name in alone if alone[name] != packed[name]]
        assert not different, f"in packs of {size}"


@pytest.mark.parametrize(
    ("hidden", "batch", "task"), [(64, 32, "adding"), (8, 8, "adding"), (33, 8, "binary_sum"), (20, 16, "digits")]
)
def test_other_shapes_too(hidden: int, batch: int, task: str, kernel: str, tmp_path: Path) -> None:
    """Ten outputs, a real data set, a length of 64: other products take other kernels."""
    length = 64 if task == "digits" else 12
    shape = (f"arch.hidden={hidden}", f"train.batch={batch}", f"task={task}", f"task.length={length}", "train.steps=4",
             f"executor.kernel={kernel}")  # fmt: skip
    for arch in ARCHS:
        cells = sixteen(arch, "adam", *shape)[:5]
        train_in_packs(cells, 1, tmp_path / arch / "alone")
        train_in_packs(cells[::-1], 5, tmp_path / arch / "packed")
        assert read(cells, tmp_path / arch / "alone") == read(cells, tmp_path / arch / "packed")


@pytest.mark.parametrize("arch", ARCHS)
def test_one_sequence_agrees_to_rounding(arch: str, tmp_path: Path) -> None:
    """B = 1 may take other kernels; after a few steps it agrees to float32 rounding."""
    cells = sixteen(arch, "sgd", "train.batch=1", "arch.hidden=13", "train.steps=4", "train.eval_size=4")[:7]
    train_in_packs(cells, 1, tmp_path / "alone")
    train_in_packs(cells, 7, tmp_path / "packed")
    for cell in cells:
        alone, packed = (pd.read_csv(tmp_path / place / cell.id / "metrics.csv") for place in ("alone", "packed"))
        np.testing.assert_allclose(packed, alone, rtol=1e-5, atol=1e-7)


def test_divergence_is_an_outcome_and_neighbours_never_notice(tmp_path: Path) -> None:
    """Exploding lanes end as diverged, with step and reason, between healthy ones whose bytes do not change."""
    common = ("arch=rnn_relu", "optim=sgd", "task.length=20", "arch.hidden=16", "train.steps=30")
    wild = ("init=identity", "init.gain=1.5", "clip=none", "optim.lr=1.0")
    calm = ("init=orthogonal", "clip=norm", "optim.lr=0.01")
    cells = make_cells(
        *((*common, *(wild if k in (0, 2, 3) else calm), f"seed={k}") for k in range(6)),
    )
    train_in_packs(cells, 6, tmp_path / "packed")
    train_in_packs(cells, 1, tmp_path / "alone")
    assert read(cells, tmp_path / "alone") == read(cells, tmp_path / "packed")
    for k, cell in enumerate(cells):
        summary = pd.read_json(tmp_path / "packed" / cell.id / "summary.json", typ="series")
        metrics = pd.read_csv(tmp_path / "packed" / cell.id / "metrics.csv")
        if k in (0, 2, 3):
            assert summary["outcome"] == "diverged"
            assert summary["diverged_step"] == metrics.step.iloc[-1] < 30
            assert "loss is" in summary["reason"] or "gradient norm is" in summary["reason"]
            assert not np.isfinite(metrics[["train_loss", "grad_norm"]].iloc[-1]).all()
            assert np.isfinite(metrics[["train_loss", "grad_norm"]].iloc[:-1]).all(axis=None)
        else:
            assert summary["outcome"] == "finished"
            assert metrics.step.iloc[-1] == 30
