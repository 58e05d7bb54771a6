"""`train.save=final`: the weights of the last row, however a run ended; a cell is done when they are there."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

import sweeps
from helpers import make_cell, make_cells
from sweeps.commands.runs import show
from sweeps.engine import train as module
from sweeps.engine.setup import set_up
from sweeps.execute.done import done
from sweeps.execute.worker import train_pack
from sweeps.launch import plan_for
from sweeps.plan.cells import distinct
from sweeps.plan.packs import Pack
from sweeps.records.checkpoint import Checkpoint, Head, write_checkpoint
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.summary import read_summary

EVERY = ("train.save=final", "train.log_every=1", "train.eval_every=1", "train.steps=12")


def trained(root: Path, *jobs: tuple[str, ...]) -> list[CellPaths]:
    cells = make_cells(*jobs)
    train_pack(Pack(tuple(cells)), root, lambda kind, content: None)
    return [SweepPaths(root).cell(cell.id) for cell in cells]


def last_norms(paths: CellPaths) -> dict[str, float]:
    """The norm of every parameter in the last row of metrics.csv, by the probe's record."""
    step = read_summary(paths).step
    with paths.parameters.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) == step]
    return {row["parameter"]: float(row["weight_norm"]) for row in rows}


@pytest.mark.parametrize("arch", ["rnn_tanh", "lstm", "gru"])
def test_they_are_those_of_the_last_row_by_the_names_of_the_record(arch: str, tmp_path: Path) -> None:
    shape = (f"arch={arch}", "stack.layers=2", "optim.lr=0.3", *EVERY)
    found = trained(tmp_path, *((*shape, f"seed={seed}") for seed in range(3)))
    for paths in found:
        weights = sweeps.weights(tmp_path, paths.root.name[:8])
        norms = last_norms(paths)
        assert weights.keys() == norms.keys() and all(each.dtype == np.float32 for each in weights.values())
        for name, values in weights.items():
            assert np.linalg.norm(values.astype(np.float64)) == pytest.approx(norms[name], rel=1e-12), name


def test_a_run_that_ends_early_has_those_it_ended_with(tmp_path: Path) -> None:
    """Solved: those that solved it; diverged: those whose loss is not finite. Its neighbours go on meanwhile."""
    calm = ("arch=rnn_relu", "optim.lr=0.1", "train.stop_when_solved=true", *EVERY)
    [alone] = trained(tmp_path / "alone", (*calm, "task.solved_at=1e9"))
    with alone.metrics.open(newline="") as file:
        scores = [float(row["eval_score"]) for row in csv.DictReader(file)]
    place = next(at for at in range(2, 12) if scores[at] > max(scores[:at]))
    solved_at = f"task.solved_at={scores[place]!r}"
    wild = ("init=identity", "init.gain=3", "optim=sgd", "optim.lr=1e6")
    jobs = [(*calm, solved_at), (*calm, solved_at, "optim.lr=1e-9", "seed=1")]
    ended = [*trained(tmp_path / "pack", *jobs), *trained(tmp_path / "wild", (*calm, *wild, "task.solved_at=1e9"))]
    outcomes = [(summary.outcome, summary.step) for summary in map(read_summary, ended)]
    assert outcomes[:2] == [("solved", place), ("finished", 12)]
    assert outcomes[2][0] == "diverged" and 0 < outcomes[2][1] < 12
    for paths in ended:
        weights = sweeps.weights(paths.root.parent, paths.root.name)
        for name, norm in last_norms(paths).items():
            assert np.linalg.norm(weights[name].astype(np.float64)) == pytest.approx(norm, rel=1e-12), name


def test_they_are_enough_to_make_the_network_again(tmp_path: Path) -> None:
    """Put into a network that was drawn from another seed, gate by gate, they give the score of the record."""
    [paths] = trained(tmp_path, ("arch=lstm", *EVERY))
    kept = sweeps.weights(tmp_path, paths.root.name)
    made = set_up([make_cell("arch=lstm", *EVERY)])
    made.network.p.flat.zero_()
    for name, parameter in made.network.p.items():
        own = [kept[each] for each in kept if each == name or each.startswith(f"{name}.")]
        parameter[0].copy_(torch.from_numpy(np.concatenate(own, -1)))
    [(loss, score)] = module.evaluate(made)
    final = read_summary(paths).final
    assert (loss, score) == (final.eval_loss, final.eval_score)


def test_a_done_cell_without_the_weights_that_are_asked_for_is_trained_again_to_the_same_bytes(tmp_path: Path) -> None:
    wanted = ["seed=0,1", "train.steps=6", "train.batch=4", "task.length=5", "arch.hidden=4", "train.eval_size=8"]
    plain = sweeps.compose(*wanted, "tracker=csv")
    keeping = sweeps.compose(*wanted, "tracker=csv", "train.save=final")
    root = tmp_path / "study"
    sweeps.train(plain, root)
    paths = SweepPaths(root).cells()
    before = {file: file.read_bytes() for each in paths for file in each.root.glob("*.csv")}
    assert len(before) == 6 and not list(root.rglob("weights.npz"))
    with pytest.raises(sweeps.SweepsError, match=r"has no weights\.npz; train it with train\.save=final"):
        sweeps.weights(root, paths[0].root.name)
    assert len(plan_for(plain, SweepPaths(root), 1).done) == 2
    assert len(plan_for(keeping, SweepPaths(root), 1).to_train) == 2

    sweeps.train(keeping, root)
    assert {file: file.read_bytes() for file in before} == before
    stamps = {each: each.weights.stat().st_mtime_ns for each in paths}
    sweeps.train(keeping, root)
    sweeps.train(plain, root)
    assert {each: each.weights.stat().st_mtime_ns for each in paths} == stamps, "both are done"

    paths[0].weights.unlink()
    cells = {cell.id: cell for cell in distinct(keeping)}
    assert [done(cells[each.root.name], SweepPaths(root)) is None for each in paths] == [True, False]


def test_weights_of_a_record_that_is_gone_do_not_stay_beside_the_next(tmp_path: Path) -> None:
    [paths] = trained(tmp_path, ("train.save=final",))
    assert paths.weights.exists()
    paths.summary.unlink()
    trained(tmp_path, ())
    assert not paths.weights.exists() and read_summary(paths)


def test_damaged_weights_are_said(tmp_path: Path) -> None:
    [paths] = trained(tmp_path, ("train.save=final",))
    paths.weights.write_bytes(paths.weights.read_bytes()[:100])
    with pytest.raises(sweeps.SweepsError, match=r"weights\.npz cannot be read: .*zip"):
        sweeps.weights(tmp_path, paths.root.name)


def test_show_tells_of_weights_and_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [paths] = trained(tmp_path / "scratch", ("train.save=final",))
    show([f"runs_dir={tmp_path}", f"cell={paths.root.name}"])
    assert f"weights     weights.npz, {paths.weights.stat().st_size:,} bytes\n" in capsys.readouterr().out
    paths.summary.unlink()
    write_checkpoint(paths.checkpoint, Checkpoint(Head(paths.root.name, 4, 1.0, {}), {}, {}))
    show([f"runs_dir={tmp_path}", f"cell={paths.root.name}"])
    assert "checkpoint  at update 4 of 6\n" in capsys.readouterr().out
