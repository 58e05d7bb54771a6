"""Records become tidy frames; what cannot be trusted is listed by name and never averaged in."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.make_records import write_cell
from sweeps import comparison, load
from sweeps.analysis.loading.cellfiles import config_of
from sweeps.analysis.loading.csvfiles import parse
from sweeps.config.identity import completed
from sweeps.errors import SweepsError
from sweeps.records.plan_file import write_plan


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
    path.write_text(path.read_text().replace("0,0,2,-2.2", "0,0,2,-inf", 1))
    records = load(tmp_path)
    metrics = records.metrics.set_index("step")
    assert list(metrics.loc[[0, 90], "train_loss"] == np.inf) == [False, True]
    assert list(metrics["eval_loss"].isna()) == [False, True, False, True]
    assert list(metrics["clip_scale"].isna()) == [False, False, False, True]
    assert np.isneginf(records.gradient["log10_norm"].iloc[0])
    assert list(records.cells.loc[0, ["diverged_step", "final_loss"]]) == [90, np.inf]


def test_cells_that_cannot_be_trusted_are_listed_and_not_averaged(tmp_path: Path) -> None:
    good = write_cell(tmp_path, seed=0, best_score=0.5)
    bad = [write_cell(tmp_path, seed=seed, best_score=0.99) for seed in range(1, 7)]
    bad.append(write_cell(tmp_path, seed=7, best_score=0.99, summary={"numerics": 0}))
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
    shutil.copytree(tmp_path / good, tmp_path / "copy_of_it")
    records = load(tmp_path)
    problems = records.problems.set_index("cell")["problem"].to_dict()
    kinds = ["unfinished", "unfinished", "failed", "damaged", "damaged", "other format", "other numerics"]
    assert problems == {**dict(zip(bad, kinds, strict=True)), "copy_of_it": "duplicate"}
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
    with pytest.raises(SweepsError, match="'lenght' is not known; did you mean 'length'"):
        part.select(lenght=9)
    with pytest.raises(SweepsError, match="arch: 'rnn_tan' is not known; did you mean 'rnn_tanh'"):
        part.select(arch=["rnn_tanh", "rnn_tan"])


def test_selection_by_outcome(tmp_path: Path) -> None:
    write_cell(tmp_path, seed=0)
    gone = write_cell(tmp_path, seed=1, outcome="diverged", end=100)
    (tmp_path / write_cell(tmp_path, seed=2) / "summary.json").unlink()
    part = load(tmp_path).select(outcome="diverged")
    assert list(part.cells["cell"]) == [gone] and set(part.metrics["cell"]) == {gone} and part.problems.empty
    assert load(tmp_path).select(outcome="solved").cells.empty


def test_what_the_last_sweep_asked_for_and_never_got_is_missing(tmp_path: Path) -> None:
    requested = [write_cell(tmp_path, seed=seed, length=length) for seed in range(2) for length in (5, 9)]
    extra = write_cell(tmp_path, seed=7, length=5)
    assert load(tmp_path).plan is None
    with pytest.raises(SweepsError, match=r"has no plan\.csv"):
        load(tmp_path).in_plan()
    plan = {cell: yaml.safe_load((tmp_path / cell / "config.yaml").read_text()) for cell in requested}
    write_plan(tmp_path / "plan.csv", plan)
    shutil.rmtree(tmp_path / requested[3])
    records = load(tmp_path)
    missing = records.problems.set_index("cell").loc[requested[3]]
    assert (missing["problem"], missing["length"], missing["seed"]) == ("missing", 9, 1)
    assert records.extra_axes == () and len(records.planned()) == 5
    assert set(records.cells["cell"]) == {*requested[:3], extra}
    assert set(records.in_plan().cells["cell"]) == set(requested[:3])
    assert set(records.in_plan().metrics["cell"]) == set(requested[:3])


def test_the_last_sweep_alone_has_its_own_axes_levels_and_files(tmp_path: Path) -> None:
    """A trial with another budget in the same folder is no axis of the study, and none of its files is of it."""
    trial = [write_cell(tmp_path, seed=seed, length=5, steps=40) for seed in range(2)]
    study = [write_cell(tmp_path, seed=seed, length=9, steps=400) for seed in range(2)]
    study += [write_cell(tmp_path, seed=seed, length=5, steps=400) for seed in range(2)]
    plan = {cell: yaml.safe_load((tmp_path / cell / "config.yaml").read_text()) for cell in study}
    write_plan(tmp_path / "plan.csv", plan)
    both = load(tmp_path)
    assert both.extra_axes == ("steps",) and both.others == 0
    part = both.in_plan()
    assert part.extra_axes == () and part.others == 2 and set(part.cells["cell"]) == set(study)
    assert list(part.cells["length"].cat.categories) == [5, 9]
    assert not any(path.startswith(tuple(trial)) for path in part.digests) and len(part.digests) == 4 * 5
    write_plan(tmp_path / "plan.csv", {"0123456789ab": plan[study[0]]})
    with pytest.raises(SweepsError, match="no finished cell of the last sweep"):
        load(tmp_path).in_plan()


@pytest.mark.parametrize("same", [True, False], ids=["the same numbers", "other numbers"])
def test_one_cell_under_two_ids_is_never_counted_twice(tmp_path: Path, same: bool) -> None:
    cell = write_cell(tmp_path, seed=0, best_score=0.9)
    write_cell(tmp_path, seed=1, best_score=0.1)
    other_id = write_cell(tmp_path, seed=0, best_score=0.9, settings={"optim.lr": "0.01"})  # a text: another hash
    if not same:
        metrics = tmp_path / other_id / "metrics.csv"
        metrics.write_text(metrics.read_text().replace(",0.01,", ",0.02,", 1))
    records = load(tmp_path)
    problems = records.problems.set_index("cell")["problem"].to_dict()
    kept, other = sorted((cell, other_id))
    assert problems == ({other: "duplicate"} if same else {kept: "contradictory", other: "contradictory"})
    assert comparison(records).iloc[0]["n"] == (2 if same else 1)


def test_a_record_in_an_inner_folder_is_listed(tmp_path: Path) -> None:
    cell = write_cell(tmp_path)
    shutil.copytree(tmp_path / cell, tmp_path / "old" / "more" / cell)
    shutil.copytree(tmp_path / cell, tmp_path / cell / "backup")
    records = load(tmp_path)
    assert dict(zip(records.problems["cell"], records.problems["problem"], strict=True)) == {
        f"old/more/{cell}": "foreign",
        f"{cell}/backup": "foreign",
    }
    assert len(records.cells) == 1


@pytest.mark.parametrize(
    ("name", "keep", "reason"),
    [
        ("metrics.csv", -1, "metrics.csv ends in the middle of a row"),
        ("metrics.csv", "row", "metrics.csv ends at step 180, the run at step 200"),
        ("metrics.csv", 0, "metrics.csv lacks the column step"),
        ("gradient_through_time.csv", "row", "gradient_through_time.csv ends at lag 1 of step 200"),
        ("gradient_through_time.csv", "header", "gradient_through_time.csv has no rows, the run at step 200"),
    ],
)
def test_a_file_that_was_cut_anywhere_is_damaged(tmp_path: Path, name: str, keep: int | str, reason: str) -> None:
    good, cut = write_cell(tmp_path, seed=0), write_cell(tmp_path, seed=1)
    path = tmp_path / cut / name
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines)[:keep] if isinstance(keep, int) else "".join(lines[: -1 if keep == "row" else 1]))
    records = load(tmp_path)
    assert list(records.problems["cell"]) == [cut] and records.problems.loc[0, "problem"] == "damaged"
    assert str(records.problems.loc[0, "reason"]).startswith(reason)
    assert set(records.metrics["cell"]) == set(records.gradient["cell"]) == set(records.parameters["cell"]) == {good}


def test_every_float_reads_back_to_its_bits() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.integers(0, 2**63, 20_000).view(float), 10.0 ** rng.uniform(-320, 308, 20_000)])
    values = values[np.isfinite(values) & (np.abs(values) >= np.finfo(float).tiny)]  # others may be flushed to 0
    rows = "".join(f"{value!r}\n" for value in values.tolist()).encode()
    ((_, counts, columns),), bad = parse({"a": (b"loss", rows)})
    assert counts == [len(values)] and not bad
    assert np.array_equal(np.asarray(columns["loss"]).view(np.int64), values.view(np.int64))


def test_a_column_that_came_later_may_be_absent(tmp_path: Path) -> None:
    cells = [write_cell(tmp_path, seed=seed) for seed in range(2)]
    path = tmp_path / cells[0] / "metrics.csv"
    header, *rows = path.read_text().splitlines()
    assert header.endswith(",beyond_float32")
    path.write_text("\n".join(row.rsplit(",", 1)[0] for row in (header, *rows)) + "\n")
    metrics = load(tmp_path).metrics
    later = metrics["beyond_float32"].isna().groupby(metrics["cell"], observed=True).mean()
    assert later.to_dict() == {cells[0]: 1.0, cells[1]: 0.0}


@pytest.mark.parametrize(
    "text",
    [
        "arch:\n  name: lstm\n  hidden: 32\noptim:\n  lr: 1.0e-08\n  betas: [0.9, 0.999]\nseed: 0\n",
        "tracker:\n  entity: ''\nclip: {name: none, threshold: null}\nseed: 1",
        "a: &x\n  b: 1\n",
        "note: |\n  seed: 3\nseed: 4\n",
        "seed: 0\nseed: 1\n",
        "- a\n- b\n",
        "arch: [1,\n",
        "'arch':\n  name: gru\nseed: 2\n",
    ],
)
def test_settings_read_key_by_key_are_those_of_the_whole_file(text: str) -> None:
    try:
        whole = yaml.safe_load(text)
    except yaml.YAMLError:
        whole = None
    assert config_of(text.encode()) == (completed(whole) if isinstance(whole, dict) else None)


def test_aliases_which_can_grow_beyond_any_memory_are_no_settings() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghijkl"))
    assert config_of(laughs.encode()) is None


def test_records_from_before_a_setting_existed_have_its_value(tmp_path: Path) -> None:
    """Beside cells that set it, they are those of the value that was always so; alone, it is no axis."""
    for seed in (0, 1):
        write_cell(tmp_path / "old", seed=seed)
        write_cell(tmp_path / "mixed", seed=seed)
        write_cell(tmp_path / "mixed", seed=seed, settings={"train.truncate": 5})
    old, mixed = load(tmp_path / "old"), load(tmp_path / "mixed")
    assert "train.truncate" not in old.varied and set(old.cells["train.truncate"]) == {np.inf}
    assert mixed.varied == ["train.truncate"]
    assert list(mixed.cells["train.truncate"].cat.categories) == [5, np.inf]
