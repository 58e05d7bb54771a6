"""Records become tidy frames; what cannot be trusted is listed by name and never averaged in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from analysis.make_records import write_cell
from sweeps.analysis import comparison, load
from sweeps.errors import SweepsError


def test_every_row_of_every_file_is_there(tmp_path: Path) -> None:
    cells = [write_cell(tmp_path, seed=seed, length=7, steps=100, log_every=50) for seed in range(3)]
    records = load(tmp_path)
    assert sorted(records.cells["cell"]) == sorted(cells)
    assert len(records.metrics) == 3 * 3  # steps 0, 50, 100
    assert len(records.gradient) == 3 * 3 * 7
    assert len(records.parameters) == 3 * 3 * 2
    assert set(records.cells.loc[0, ["arch", "init", "clip", "length"]]) == {
        "rnn_tanh",
        "orthogonal",
        "none",
        7,
    }
    text = (tmp_path / cells[1] / "metrics.csv").read_text().splitlines()[2].split(",")
    row = records.metrics[records.metrics["cell"] == cells[1]].iloc[1]
    assert (row["step"], row["train_loss"], row["grad_norm"]) == (50, float(text[1]), float(text[4]))


def test_empty_fields_and_non_finite_numbers_keep_their_meaning(tmp_path: Path) -> None:
    cell = write_cell(tmp_path, outcome="diverged", end=90, log_every=30, eval_every=60, length=3)
    path = tmp_path / cell / "gradient_through_time.csv"
    path.write_text(path.read_text().replace("0,0,2,", "0,0,2,-inf#", 1).replace("-inf#", "-inf\n0,0,2,", 1))
    records = load(tmp_path)
    metrics = records.metrics.set_index("step")
    assert list(metrics.loc[[0, 90], "train_loss"] == np.inf) == [False, True]
    assert list(metrics["eval_loss"].isna()) == [False, True, False, True]
    assert list(metrics["clip_scale"].isna()) == [False, False, False, True]
    assert np.isneginf(records.gradient["log10_norm"].iloc[0])
    assert list(records.cells.loc[0, ["diverged_step", "final_loss"]]) == [90, np.inf]


def test_cells_that_cannot_be_trusted_are_listed_and_not_averaged(tmp_path: Path) -> None:
    good = write_cell(tmp_path, seed=0, best_score=0.5)
    bad = [write_cell(tmp_path, seed=seed, best_score=0.99) for seed in range(1, 8)]
    (tmp_path / bad[0] / "summary.json").unlink()
    half = (tmp_path / bad[1] / "summary.json").read_text()
    (tmp_path / bad[1] / "summary.json").write_text(half[: len(half) // 2])
    (tmp_path / bad[2] / "summary.json").unlink()
    (tmp_path / bad[2] / "failure.json").write_text(json.dumps({"outcome": "failed", "reason": "out of memory"}))
    (tmp_path / bad[3] / "metrics.csv").unlink()
    with (tmp_path / bad[4] / "gradient_through_time.csv").open("a") as file:
        file.write("200,1")
    summary = json.loads((tmp_path / bad[5] / "summary.json").read_text())
    (tmp_path / bad[5] / "summary.json").write_text(json.dumps(summary | {"format": 2}))
    (tmp_path / bad[6] / "summary.json").write_text(json.dumps(summary | {"cell": bad[6], "numerics": 0}))
    shutil.copytree(tmp_path / good, tmp_path / "copy_of_it")
    records = load(tmp_path)
    problems = records.problems.set_index("cell")["problem"].to_dict()
    kinds = ["unfinished", "unfinished", "failed", "damaged", "damaged", "other format", "other numerics"]
    assert problems == {**dict(zip(bad, kinds, strict=True)), "copy_of_it": "foreign"}
    assert list(records.cells["cell"]) == [good]
    assert set(records.metrics["cell"]) == set(records.gradient["cell"]) == {good}
    row = comparison(records).iloc[0]
    assert (row["n"], row["failed"], row["unfinished"], row["best_score"]) == (1, 1, 4, 0.5)


def test_a_setting_that_varies_beyond_the_four_axes_becomes_one(tmp_path: Path) -> None:
    for lr in (0.1, 0.01):
        for clip in ("none", "norm"):  # the threshold goes along with clip: no axis
            write_cell(tmp_path, clip=clip, settings={"optim.lr": lr, "train.warmup": int(lr * 100)})
    records = load(tmp_path)
    assert records.extra_axes == ("lr",)  # train.warmup goes along with lr
    assert list(comparison(records)["lr"]) == [0.01, 0.1, 0.01, 0.1]


def test_folders_and_seeds_never_become_axes(tmp_path: Path) -> None:
    for seed in range(3):
        write_cell(tmp_path, seed=seed, settings={"runs_dir": f"runs{seed}", "data.seed": seed + 10})
    assert load(tmp_path).extra_axes == ()


@pytest.mark.parametrize("cells", [0, 1])
def test_nothing_to_load_is_one_clear_sentence(tmp_path: Path, cells: int) -> None:
    for _ in range(cells):
        (tmp_path / write_cell(tmp_path) / "summary.json").unlink()
    with pytest.raises(SweepsError, match=r"no records" if cells == 0 else r"no finished cell \(1 unfinished\)"):
        load(tmp_path)


def test_selection_keeps_frames_together(tmp_path: Path) -> None:
    for length in (5, 9):
        write_cell(tmp_path, length=length)
    part = load(tmp_path).select(length=9)
    assert list(part.cells["length"]) == [9] and part.gradient["t"].max() == 8
    assert set(part.metrics["cell"]) == set(part.cells["cell"])
    with pytest.raises(SweepsError, match="no setting 'lenght'"):
        part.select(lenght=9)
