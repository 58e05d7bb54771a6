"""Several sweeps as one: nothing is counted twice, nothing is lost, and what contradicts itself is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.load import load
from sweeps.errors import SweepsError
from sweeps.records.plan_file import write_plan
from sweeps.tables.combinations import comparison

TINY: dict[str, Any] = {"length": 3, "steps": 20, "log_every": 20, "eval_every": 20}


def write(root: Path, **more: Any) -> str:
    return write_cell(root, **{**TINY, **more})


def fail(root: Path, cell: str, reason: str = "it ran out of memory") -> None:
    (root / cell / "summary.json").unlink()
    (root / cell / "failure.json").write_text(json.dumps({"reason": reason}))


def test_a_sweep_in_two_halves_is_the_sweep(tmp_path: Path) -> None:
    for arch in ("lstm", "gru"):
        for gain in (0.5, 1.5):
            for seed in range(2):
                cell = write(tmp_path / "whole", arch=arch, seed=seed, settings={"init.gain": gain}, noise=0.1)
                part = tmp_path / ("soft" if gain < 1 else "hard") / cell
                shutil.copytree(tmp_path / "whole" / cell, part)
    whole, halves = load(tmp_path / "whole"), load([tmp_path / "soft", tmp_path / "hard"])
    assert halves.extra_axes == whole.extra_axes == ("gain",), "what differs between the sweeps is an axis"
    pd.testing.assert_frame_equal(halves.cells.drop(columns="sweep"), whole.cells, check_like=True)
    assert (halves.cells["sweep"] == halves.cells["gain"].map({0.5: "soft", 1.5: "hard"})).all()
    for name in ("metrics", "gradient", "parameters"):
        one, other = (
            getattr(records, name).astype({"cell": str}).sort_values("cell", kind="stable", ignore_index=True)
            for records in (whole, halves)
        )
        pd.testing.assert_frame_equal(one, other, check_categorical=False)
    pd.testing.assert_frame_equal(comparison(halves), comparison(whole))


def test_a_cell_of_both_counts_once_and_all_its_files_are_named(tmp_path: Path) -> None:
    both = write(tmp_path / "a", seed=0)
    alone = write(tmp_path / "b", seed=1)
    write(tmp_path / "b", seed=0)
    summary = json.loads((tmp_path / "b" / both / "summary.json").read_text())
    changed = {"seconds": 9.0, "commit": "other"}  # when and where it was trained is no number of it
    (tmp_path / "b" / both / "summary.json").write_text(json.dumps(summary | changed))
    records = load([tmp_path / "a", tmp_path / "b"])
    assert dict(zip(records.cells["cell"], records.cells["sweep"], strict=True)) == {both: "a", alone: "b"}
    assert records.problems.empty and records.shared == 1 and records.experiment == "a,b"
    assert {path for path in records.digests if path.endswith("metrics.csv")} == {
        f"a/{both}/metrics.csv",
        f"b/{both}/metrics.csv",
        f"b/{alone}/metrics.csv",
    }
    assert len(records.metrics) == 4 and "sweep" not in records.settings and "sweep" not in records.axes


def test_other_numbers_of_one_cell_are_refused_or_left_out(tmp_path: Path) -> None:
    cell = write(tmp_path / "a", seed=0, grad_norm=1.0)
    write(tmp_path / "b", seed=0, grad_norm=1.00001)
    for name in ("a", "b"):
        write(tmp_path / name, seed=1)
    roots = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(SweepsError, match=rf"1 cell \(cell={cell}\) has the same settings in a and b") as error:
        load(roots)
    assert f"python -m sweeps compare {roots[0]} {roots[1]}" in str(error.value)
    records = load(roots, contradictory="leave out")
    assert list(records.cells["seed"]) == [1]
    kinds = records.problems[["cell", "sweep", "problem"]].to_numpy().tolist()
    assert kinds == [[cell, "a", "contradictory"], [cell, "b", "duplicate"]], "one hole in the grid, not two"
    with pytest.raises(SweepsError, match="did you mean 'leave out'"):
        load(roots, contradictory="leave")  # type: ignore[arg-type]


def test_another_outcome_in_the_summary_alone_is_a_contradiction(tmp_path: Path) -> None:
    cell = write(tmp_path / "a", seed=0)
    write(tmp_path / "b", seed=0)
    path = tmp_path / "b" / cell / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"outcome": "solved", "solved_step": 20}))
    with pytest.raises(SweepsError, match="and other numbers"):
        load([tmp_path / "a", tmp_path / "b"])


def test_a_hole_of_one_sweep_that_another_fills_is_none(tmp_path: Path) -> None:
    write(tmp_path / "a", seed=9)
    write(tmp_path / "b", seed=9)
    done, lost, torn = (write(tmp_path / "b", seed=seed) for seed in (0, 1, 2))
    for cell in (done, lost):
        shutil.copytree(tmp_path / "b" / cell, tmp_path / "a" / cell)
        fail(tmp_path / "a", cell)
    fail(tmp_path / "b", lost, "the same again")
    fail(tmp_path / "b", torn)
    write_plan(tmp_path / "a" / "plan.csv", {done: {}, lost: {}, torn: {}, "0" * 12: {}})
    records = load([tmp_path / "a", tmp_path / "b"])
    assert done in set(records.cells["cell"])
    rows = {(row["cell"], row["sweep"]): (row["problem"], row["reason"]) for _, row in records.problems.iterrows()}
    assert rows[done, "a"] == (
        "duplicate",
        "the same cell as in b, which is counted; here: failed, it ran out of memory",
    )
    assert (
        rows[lost, "a"][0] == "failed" and rows[lost, "b"][0] == "duplicate" and "which is listed" in rows[lost, "b"][1]
    )
    assert rows[torn, "b"][0] == "failed" and (torn, "a") not in rows, "not even a folder there"
    assert rows["0" * 12, "a"][0] == "missing"
    assert len(records.planned()) == 4, "two done, two of the grid without numbers whose settings are known"


def test_the_plans_of_both_say_what_counts(tmp_path: Path) -> None:
    asked, older = write(tmp_path / "a", seed=0), write(tmp_path / "a", seed=1)
    write_plan(tmp_path / "a" / "plan.csv", {asked: {}})
    every = [write(tmp_path / "b", seed=seed) for seed in (2, 3)]  # no plan: all of them
    records = load([tmp_path / "a", tmp_path / "b"])
    part = records.in_plan()
    assert set(part.cells["cell"]) == {asked, *every} and part.others == 1
    assert not any(older in path for path in part.digests) and len(part.digests) == 3 * 5
    write_plan(tmp_path / "b" / "plan.csv", {older: {}})  # what b asks for and a has done
    assert set(load([tmp_path / "a", tmp_path / "b"]).in_plan().cells["cell"]) == {asked, older}


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for place, seed in (("here", 0), ("there", 1)):
        write(tmp_path / place / "first", seed=seed)
    records = load([tmp_path / "here" / "first", tmp_path / "there" / "first"])
    assert list(records.cells["sweep"]) == ["here/first", "there/first"]
    assert len(records.select(sweep="there/first").cells) == 1
    assert records.in_plan if records.plan else records.root.name == "here-first+there-first"
    assert {path.rsplit("/", 2)[0] for path in records.digests} == {"here/first", "there/first"}


def test_nonsense_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    fail(tmp_path / "lost", write(tmp_path / "lost"))
    write(tmp_path / "new", seed=1, summary={"numerics": 2})
    for others, message in (
        (["a"], "a is given twice"),
        (["../" + tmp_path.name + "/a"], "a is given twice"),
        (["empty"], "empty holds no records"),
        (["nowhere"], "nowhere holds no records"),
        (["lost"], r"lost holds no finished cell \(1 failed\)"),
        (["new"], "numerics: a has 1, new has 2; numbers of two versions are never in one table"),
    ):
        with pytest.raises(SweepsError, match=message):
            load([tmp_path / "a", *(tmp_path / name for name in others)])
    with pytest.raises(SweepsError, match="the list of folders is empty"):
        load([])
    assert load([tmp_path / "a"]).sweeps == {}, "a list of one is that one"
