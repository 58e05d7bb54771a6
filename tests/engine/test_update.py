"""Updates on a GPU: their halves are captured and replayed, and lanes that have ended stay in the pack for a while.

Without a GPU a stand-in for CUDA graphs replays the halves: warm-up, capture without effect, results in the same
tensors every time. With a GPU the last tests train the same cells with real CUDA graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.config.schema import Settings
from sweeps.engine import update
from sweeps.engine.train import Measurement, train
from sweeps.probes.weights import parameter_rows

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def six_settings(arch: str) -> list[Settings]:
    """Settings of six cells of one shape; three of them diverge at different updates, if the architecture allows it."""
    common = (
        f"arch={arch}",
        "arch.hidden=12",
        "task.length=20",
        "train.steps=30",
        "train.log_every=5",
        "train.eval_every=10",
    )
    wild = ("init=identity", "init.gain=1.5", "clip=none", "optim.lr=1e30")
    calm = ("init=orthogonal", "clip=norm", "optim.lr=0.01")
    first = [make_cell(*common, *calm, f"seed={seed}") for seed in range(3)]
    return [*first, *(make_cell(*common, *wild, f"seed={seed}") for seed in range(3))]


def by_cell(rows: Iterator[list[Measurement]]) -> dict[int, list[Measurement]]:
    measured: dict[int, list[Measurement]] = {}
    for measurements in rows:
        for m in measurements:
            measured.setdefault(m.position, []).append(m)
    return measured


def replayed(work: Callable[[], object], changed: Sequence[Tensor]) -> Callable[[], object]:
    """A stand-in for a CUDA graph: its results are the same tensors at every replay, its making has no effect."""
    before = [tensor.clone() for tensor in changed]
    for _ in range(3):
        result = work()
    for tensor, value in zip(changed, before, strict=True):
        tensor.copy_(value)
    results = result if isinstance(result, tuple) else () if result is None else (result,)

    def replay() -> object:
        again = work()
        for tensor, value in zip(results, again if isinstance(again, tuple) else (again,), strict=False):
            tensor.copy_(value)
        return result

    return replay


@pytest.mark.parametrize("arch", ARCHS)
def test_replayed_parts_train_as_the_plain_step_does(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = by_cell(train(six_settings(arch), parameter_rows, "torch"))
    made: list[int] = []
    init = update.Update.__init__

    def counted(self: update.Update, training: update.Training, captured: bool | None = None) -> None:
        made.append(len(training.positions))
        init(self, training, captured)

    monkeypatch.setattr(update, "on_gpu", lambda training: True)
    monkeypatch.setattr(update, "capture", replayed)
    monkeypatch.setattr(update.Update, "__init__", counted)
    device = by_cell(train(six_settings(arch), parameter_rows, "torch"))

    diverged = [k for k, rows in plain.items() if rows[-1].diverged]
    assert len(diverged) == 3
    assert made == [6] or made == [6, 3], "three of six may stay, as ended lanes, until fewer than half are left"
    assert device.keys() == plain.keys()
    for k, rows in plain.items():
        assert [m.step for m in device[k]] == [m.step for m in rows]
        for ours, theirs in zip(rows, device[k], strict=True):
            np.testing.assert_array_equal(theirs.log10_norm, ours.log10_norm)
            for name in ("train_loss", "grad_norm", "grad_norm_clipped", "eval_loss", "lr", "diverged"):
                left, right = getattr(ours, name), getattr(theirs, name)
                assert left == right or (left != left and right != right), (k, ours.step, name)
            assert ours.probed == theirs.probed


def test_replayed_recipes_train_as_plain_ones_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates that change between updates, several batches an update, penalties: what a graph holds is read in place."""
    shared = ("train.accumulate=2", "stack.input_dropout=0.2", "optim=adamw", "train.steps=12")
    own = (("schedule=cosine", "schedule.warmup=3"), ("penalty=l2",), ("schedule=plateau", "schedule.patience=0"))
    cells = [make_cell(*shared, *each, f"seed={k}") for k, each in enumerate(own)]
    plain = by_cell(train(cells, parameter_rows, "torch"))
    monkeypatch.setattr(update, "on_gpu", lambda training: True)
    monkeypatch.setattr(update, "capture", replayed)
    device = by_cell(train(cells, parameter_rows, "torch"))
    for k, rows in plain.items():
        assert [(m.step, m.lr, m.train_loss, m.grad_norm) for m in device[k]] == [
            (m.step, m.lr, m.train_loss, m.grad_norm) for m in rows
        ]
        for ours, theirs in zip(rows, device[k], strict=True):
            np.testing.assert_array_equal(theirs.log10_norm, ours.log10_norm)


def test_a_pack_keeps_ended_lanes_until_fewer_than_half_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four of five diverge at once: then it shrinks; two of five: it does not."""
    monkeypatch.setattr(update, "on_gpu", lambda training: True)
    monkeypatch.setattr(update, "capture", replayed)
    sizes: list[int] = []
    init = update.Update.__init__

    def counted(self: update.Update, training: update.Training, captured: bool | None = None) -> None:
        sizes.append(len(training.positions))
        init(self, training, captured)

    monkeypatch.setattr(update.Update, "__init__", counted)
    common = ("arch=rnn_relu", "init=identity", "init.gain=1.5", "task.length=20", "train.steps=30")
    for wild, expected in ((4, [5, 1]), (2, [5])):
        sizes.clear()
        rates = ["1e30"] * wild + ["1e-6"] * (5 - wild)
        measured = by_cell(
            train([make_cell(*common, f"optim.lr={lr}", "seed=1") for lr in rates], parameter_rows, "torch")
        )
        assert sizes == expected
        assert [bool(measured[k][-1].diverged) for k in range(5)] == [True] * wild + [False] * (5 - wild)
        assert [measured[k][-1].step for k in range(wild, 5)] == [30] * (5 - wild)


@gpu
@pytest.mark.parametrize("arch", ARCHS)
def test_a_gpu_records_what_the_cpu_records(arch: str) -> None:
    """The first steps, to float32 rounding; later ones may part where a trajectory is chaotic."""
    few = [make_cell(f"arch={arch}", "task.length=40", "train.steps=4", f"seed={seed}") for seed in range(3)]
    cpu, there = (by_cell(train(few, parameter_rows, "torch", device)) for device in ("cpu", "cuda"))
    for k, rows in cpu.items():
        for ours, theirs in zip(rows, there[k], strict=True):
            assert theirs.train_loss == pytest.approx(ours.train_loss, rel=1e-4)
            assert theirs.grad_norm == pytest.approx(ours.grad_norm, rel=1e-3)
            np.testing.assert_allclose(theirs.log10_norm, ours.log10_norm, atol=1e-3)


@gpu
@pytest.mark.parametrize("arch", ARCHS)
def test_cuda_graphs_change_nothing(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    captured = by_cell(train(six_settings(arch), parameter_rows, "torch", "cuda"))
    monkeypatch.setattr(update, "capture", lambda work, changed: work)
    eager = by_cell(train(six_settings(arch), parameter_rows, "torch", "cuda"))
    for k, rows in eager.items():
        assert [(m.step, m.train_loss, m.diverged) for m in captured[k]] == pytest.approx(
            [(m.step, m.train_loss, m.diverged) for m in rows], nan_ok=True
        )
