"""A cell's records are the same bytes whatever its pack, its neighbours and its place in it.

Sixteen cells per architecture and optimiser, clips, inits and learning rates mixed, odd sizes: trained alone and in
packs of 2, 3, 7 and 16 in shuffled orders, every CSV file is compared byte for byte.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers import RECIPES, make_cells
from sweeps.config import places
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
    ("arch", "inits"),
    [
        ("gru", ("chrono", "sparse", "diagonal", "rotations", "chrono", "identity")),
        ("rnn_tanh", ("critical", "sparse", "rotations", "critical", "diagonal", "random")),
    ],
)
def test_further_initialisations_and_ways_to_clip_are_the_same_bytes_in_every_pack(
    tmp_path: Path, arch: str, inits: tuple[str, ...]
) -> None:
    clips = itertools.cycle(
        (
            ("clip=adaptive", "clip.window=3", "clip.percentile=50"),
            ("clip=per_parameter", "clip.threshold=0.02"),
            ("clip=adaptive", "clip.window=5", "clip.threshold=0.5"),
            ("clip=norm", "clip.threshold=0.2"),
        )
    )
    shape = (f"arch={arch}", "arch.hidden=11", "train.batch=9", "task.length=7", "train.steps=8", "stack.layers=2")
    cells = make_cells(*((f"init={init}", *next(clips), f"seed={k % 3}", *shape) for k, init in enumerate(2 * inits)))
    assert len(cells) == 12
    train_in_packs(cells, 1, tmp_path / "alone")
    alone = read(cells, tmp_path / "alone")
    for size in (3, 12):
        shuffled = random.Random(size).sample(cells, len(cells))
        train_in_packs(shuffled, size, tmp_path / str(size))
        packed = read(cells, tmp_path / str(size))
        assert not [name for name in alone if alone[name] != packed[name]], f"in packs of {size}"


def test_a_penalty_of_the_pass_is_the_same_bytes_in_every_pack(tmp_path: Path) -> None:
    """Beside lanes without it, whose bytes it does not change either."""
    penalties = itertools.cycle((("penalty=omega", "penalty.strength=2"), ("penalty=none",), ("penalty=omega",)))
    shape = ("arch=rnn_tanh", "arch.hidden=11", "train.batch=9", "task.length=7", "train.steps=8", "stack.layers=2")
    cells = make_cells(*(("optim=sgd", f"seed={k}", *next(penalties), *shape) for k in range(6)))
    train_in_packs(cells, 1, tmp_path / "alone")
    alone = read(cells, tmp_path / "alone")
    train_in_packs(random.Random(0).sample(cells, 6), 6, tmp_path / "packed")
    packed = read(cells, tmp_path / "packed")
    assert not [name for name in alone if alone[name] != packed[name]]


NETWORKS = (
    ("stack.layers=2", "stack.bidirectional=true", "stack.start=learned", "task=copy", "task.length=3"),
    ("stack.bidirectional=true", "stack.start=random", "stack.readout=mean", "task=adding", "task.length=7"),
    (
        "stack.layers=3",
        "stack.start=learned",
        "stack.readout=mean",
        "task=binary_sum",
        "task.length=11",
        "train.truncate=3",
    ),
    ("stack.start=random", "task=copy", "task.length=1", "train.truncate=4"),
    (
        "stack.bidirectional=true",
        "stack.embedding=3",
        "stack.readout=mean",
        "task=binary_sum_variable",
        "task.length=9",
    ),
    ("stack.layers=2", "stack.embedding=2", "stack.start=learned", "task=unpack", "task.length=5"),
    (
        "stack.kind=encoder_decoder",
        "stack.attention=dot",
        "stack.layers=2",
        "stack.start=learned",
        "task=dates",
        "task.length=18",
    ),
    ("stack.attention=dot", "stack.start=random", "task=dates", "task.length=19"),
)


@pytest.mark.parametrize(
    ("arch", "network"),
    [
        pytest.param(
            arch, network, marks=() if n == m % len(ARCHS) else pytest.mark.slow, id=f"{arch}-{','.join(network[:2])}"
        )
        for n, arch in enumerate(ARCHS)
        for m, network in enumerate(NETWORKS)
    ],
)
def test_every_kind_of_network(arch: str, network: tuple[str, ...], kernel: str, tmp_path: Path) -> None:
    """Layers, directions, start states, readouts and answers at every time step."""
    hidden = 17 if {"task=copy", "task=dates"} & set(network) else 40
    cells = sixteen(arch, "adam", f"arch.hidden={hidden}", "train.batch=9", "train.steps=3", "train.log_every=1",
                    "train.eval_every=3", "train.eval_size=11", f"executor.kernel={kernel}", *network)  # fmt: skip
    train_in_packs(cells, 1, tmp_path / "alone")
    alone = read(cells, tmp_path / "alone")
    for size in (2, 7, 16):
        shuffled = random.Random(size).sample(cells, 16)
        train_in_packs(shuffled, size, tmp_path / str(size))
        packed = read(cells, tmp_path / str(size))
        different = [name for name in alone if alone[name] != packed[name]]
        assert not different, f"in packs of {size}"


HIDDEN = (8, 16, 17, 32, 37, 64, 96, 100, 128, 256)
BATCH = (8, 9, 32)
TASKS = {"adding": 6, "binary_sum": 7, "digits": 64}
"""Length of each."""
OPTIMISERS = ("sgd", "rmsprop", "adam")


def pairwise(*axes: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Combinations of the axes' levels in which every two levels of two axes meet, chosen greedily."""
    everything = list(itertools.product(*axes))
    together = {each: set(itertools.combinations(enumerate(each), 2)) for each in everything}
    missing, chosen = set().union(*together.values()), []
    while missing:
        best = max(everything, key=lambda each: len(missing & together[each]))
        missing -= together[best]
        chosen.append(best)
    return chosen


def assert_same_bytes_in_packs(
    arch: str, hidden: int, batch: int, task: str, optim: str, kernel: str, sizes: tuple[int, ...], root: Path
) -> None:
    shape = (f"arch.hidden={hidden}", f"train.batch={batch}", f"task={task}", f"task.length={TASKS[task]}",
             "train.steps=2", "train.log_every=1", "train.eval_every=2", f"train.eval_size={batch}",
             f"executor.kernel={kernel}")  # fmt: skip
    cells = sixteen(arch, optim, *shape)[: max(sizes)]
    train_in_packs(cells[:3], 1, root / "alone")
    alone = read(cells[:3], root / "alone")
    for size in sizes:
        order = random.Random(size).sample(cells[:size], size)
        train_in_packs(order, size, root / str(size))
        packed = read([cell for cell in cells[:3] if cell in order], root / str(size))
        assert packed == {name: alone[name] for name in packed}, f"in a pack of {size}"


@pytest.mark.parametrize(
    ("arch", "hidden", "batch", "task", "optim"), pairwise(ARCHS, HIDDEN, BATCH, tuple(TASKS), OPTIMISERS)
)
def test_every_shape(arch: str, hidden: int, batch: int, task: str, optim: str, kernel: str, tmp_path: Path) -> None:
    """A library may choose its path by any of these; every two of their levels meet."""
    assert_same_bytes_in_packs(arch, hidden, batch, task, optim, kernel, (2, 3), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_shape_in_large_packs(arch: str, hidden: int, kernel: str, tmp_path: Path) -> None:
    for batch, task in zip(BATCH, ("binary_sum", "adding", "binary_sum"), strict=True):
        optim = OPTIMISERS[(hidden + batch) % 3]
        assert_same_bytes_in_packs(arch, hidden, batch, task, optim, kernel, (2, 7, 16), tmp_path / f"{batch}{task}")


@pytest.mark.parametrize("arch", ARCHS)
def test_the_last_of_a_shrinking_pack(arch: str, kernel: str, tmp_path: Path) -> None:
    """Cells that solve end at an evaluation, one after the other; what is left trains in ever smaller packs."""
    common = (f"arch={arch}", "task=adding", "task.length=4", "arch.hidden=32", "train.steps=60", "train.eval_every=4",
              "train.stop_when_solved=true", "optim.lr=0.02", f"executor.kernel={kernel}")  # fmt: skip
    cells = make_cells(*((*common, "task.solved_at=0.2", f"seed={seed}") for seed in range(6)))
    train_in_packs(cells, len(cells), tmp_path / "packed")
    train_in_packs(cells, 1, tmp_path / "alone")
    assert read(cells, tmp_path / "alone") == read(cells, tmp_path / "packed")
    ends = [len(pd.read_csv(tmp_path / "packed" / cell.id / "metrics.csv")) for cell in cells]
    assert len(set(ends)) > 2, "the pack must shrink more than once to prove anything"


INSTRUCTIONS = {
    "MKL": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "MKL, no AVX": {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    "ATen": {"ATEN_CPU_CAPABILITY": "avx2"},
    "ATen, no AVX": {"ATEN_CPU_CAPABILITY": "default"},
    "kernels": {"SWEEPS_INSTRUCTIONS": "avx2"},
    "kernels, no AVX": {"SWEEPS_INSTRUCTIONS": "baseline"},
    "all": {"MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "SWEEPS_INSTRUCTIONS": "avx2"},
}


@pytest.mark.slow
@pytest.mark.parametrize("forced", list(INSTRUCTIONS))
def test_with_other_instructions(forced: str, tmp_path: Path) -> None:
    """The same holds in a process where the libraries or the kernels are held to other instruction sets."""
    code = (
        "import sys; from pathlib import Path\n"
        "from engine.test_pack_invariance import ARCHS, assert_same_bytes_in_packs\n"
        "for arch in ARCHS:\n"
        "    for hidden, batch in ((32, 8), (64, 32), (17, 9), (128, 9), (100, 32)):\n"
        "        for kernel in ('torch', 'native'):\n"
        "            root = Path(sys.argv[1]) / f'{arch}{hidden}{kernel}'\n"
        "            assert_same_bytes_in_packs(arch, hidden, batch, 'adding', 'adam', kernel, (2, 3, 7), root)\n"
        "print('same')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=places.ROOT / "tests", capture_output=True, text=True,
        env={**os.environ, **INSTRUCTIONS[forced]},
    )  # fmt: skip
    assert done.stdout == "same\n", done.stderr


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


SHARED_RECIPES = {
    "one batch": (),
    "several batches": ("train.accumulate=3", "task=copy", "task.length=2"),
    "dropout": ("train.accumulate=2", "stack.input_dropout=0.2", "stack.output_dropout=0.3", "stack.layers=2",
                "stack.dropout=0.1", "arch=lstm", "stack.bidirectional=true"),
}  # fmt: skip


@pytest.mark.parametrize("shared", SHARED_RECIPES.values(), ids=list(SHARED_RECIPES))
def test_recipes(shared: tuple[str, ...], kernel: str, tmp_path: Path) -> None:
    """Neighbours of other schedules, penalties and patiences; some end early, others go on in a smaller pack."""
    common = ("optim=adamw", "optim.lr=0.05", "train.batch=5", "arch.hidden=17", "train.steps=20", "train.log_every=1",
              "train.eval_every=2", f"executor.kernel={kernel}", *shared)  # fmt: skip
    cells = make_cells(*((*common, *own, f"seed={k % 2}") for k, own in enumerate(RECIPES)))
    train_in_packs(cells, 1, tmp_path / "alone")
    alone = read(cells, tmp_path / "alone")
    for size in (3, len(cells)):
        train_in_packs(random.Random(size).sample(cells, len(cells)), size, tmp_path / str(size))
        packed = read(cells, tmp_path / str(size))
        assert not [name for name in alone if alone[name] != packed[name]], f"in packs of {size}"
    rows = [pd.read_csv(tmp_path / "alone" / cell.id / "metrics.csv") for cell in cells]
    assert len({tuple(each["lr"]) for each in rows}) >= 5, "the rates differ, so the comparison means something"
    assert len({each["step"].iloc[-1] for each in rows}) > 1, "some must end early"
