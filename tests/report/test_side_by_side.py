"""Two sweeps of the same cells side by side: each planted difference is found, of its size, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps.analysis.beside.movement import absolute, difference, relative
from sweeps.errors import SweepsError
from sweeps.report.side_by_side import SideBySide, side_by_side

TINY: dict[str, Any] = {"length": 4, "steps": 40, "log_every": 20, "eval_every": 20}
SOLVED: dict[str, Any] = {"outcome": "solved", "end": 40, "best_score": 0.95}
Rule = Callable[[str, str, int], bool]
"""Whether the run of an architecture, an init and a seed solved its task."""


def cells(root: Path, rule: Rule = lambda arch, init, seed: arch == "gru", seeds: int = 3, **more: Any) -> list[str]:
    """Two architectures x two inits; returns the ids."""
    return [
        write_cell(
            root, **{**TINY, **(SOLVED if rule(arch, init, seed) else {}), **more}, arch=arch, init=init, seed=seed
        )
        for arch in ("lstm", "gru")
        for init in ("random", "orthogonal")
        for seed in range(seeds)
    ]


def edit(path: Path, step: int, column: str, change: Callable[[float], float]) -> None:
    """Change the numbers of a column at one step, and not a byte else."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    here = frame["step"] == str(step)
    frame.loc[here, column] = [repr(change(float(text))) for text in frame.loc[here, column]]
    frame.to_csv(path, index=False, lineterminator="\n")


def row(found: SideBySide, cell: str) -> dict[Any, Any]:
    [only] = found.cells[found.cells["cell_a"] == cell].to_dict("records")
    return only


def test_equal_sweeps_are_equal(tmp_path: Path) -> None:
    cells(tmp_path / "a"), cells(tmp_path / "b")
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    assert len(found.cells) == 12 and found.cells["equal"].all() and found.cells["first_step"].isna().all()
    assert (found.cells[["loss", "best_score", "gradient"]] == 0).all(axis=None)
    assert found.made_with["same"].all() and all(each.same for each in found.conclusions[0].found)
    text = found.to_markdown()
    assert "**All 12 cells are equal, byte for byte.** So is every conclusion." in text
    assert "No outcome changed. Of 6 runs solved in both, 0 were solved at another step." in text
    assert "None: every finished cell of one is finished in the other." in text


def test_a_digit_that_moved_is_found_with_its_size_and_its_step(tmp_path: Path) -> None:
    cell, other = cells(tmp_path / "a")[:2]
    cells(tmp_path / "b")
    edit(tmp_path / "b" / cell / "metrics.csv", 20, "train_loss", lambda value: value * 1.00002)
    edit(tmp_path / "b" / other / "gradient_through_time.csv", 40, "log10_norm", lambda value: value + 0.25)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    assert int(found.cells["equal"].sum()) == 10
    one, two = row(found, cell), row(found, other)
    assert (one["first_step"], two["first_step"]) == (20, 40)
    assert one["loss"] == pytest.approx(2e-5, rel=1e-3) and one["gradient"] == 0 and one["same_gradient"]
    assert two["gradient"] == pytest.approx(0.25) and two["loss"] == 0 and not two["same_gradient"]
    text = found.to_markdown()
    assert (
        "**10 of 12 cells are equal, byte for byte; in 2 a number differs.** The largest difference is 2.0e-5 of a "
        "loss and 0.25 decades of a gradient. No outcome changed (n = 12)." in text
    )
    assert "share solved differs" not in text and "nan" not in text
    assert "**No conclusion changes**: runs solved (6 of 12), runs diverged (0 of 12), median best" in text
    assert "what mattered most (architecture)" in text and "(n = 12 pairs of runs, 3 seeds)" in text
    assert "metrics.csv in 11 of 12 (92%)" in text and "first logged step with another number: 20 in 1 of 2" in text


def test_an_outcome_that_flipped_is_listed(tmp_path: Path) -> None:
    cells(tmp_path / "a"), cells(tmp_path / "b", lambda arch, init, seed: (arch, init, seed) == ("gru", "random", 0))
    lost = write_cell(tmp_path / "a", **TINY, **SOLVED, arch="gru", seed=7)
    write_cell(tmp_path / "b", **TINY, outcome="diverged", end=20, arch="gru", seed=7)
    write_cell(tmp_path / "a", **TINY, arch="gru", seed=8)
    write_cell(tmp_path / "b", **TINY, outcome="diverged", end=20, arch="gru", seed=8)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    text = found.to_markdown()
    assert "From a to b, finished to diverged: 1; solved to diverged: 1; solved to finished: 5." in text
    assert row(found, lost)["outcome_b"] == "diverged" and row(found, lost)["first_step"] == 20
    assert "The outcome changed in 7 of 14 (50%)." in text


def test_cells_of_two_numerics_are_paired_by_their_settings(tmp_path: Path) -> None:
    old = cells(tmp_path / "a", summary={"commit": "abc"})
    new = cells(tmp_path / "b", summary={"commit": "def-dirty", "numerics": 2}, settings={"train.warmup": 0})
    assert not set(old) & set(new)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    assert len(found.cells) == 12 and found.cells["cell_b"].isin(new).all() and found.pairing.only_a.empty
    differ = found.made_with[~found.made_with["same"]].set_index("name")
    assert dict(zip(differ.index, zip(differ["a"], differ["b"], strict=True), strict=True)) == {
        "numerics": ("1", "2"),
        "commit": ("abc", "def-dirty"),
    }
    text = found.to_markdown()
    assert "12 pairs of cells have two ids: they were paired by their settings." in text
    assert "Only b names the setting train.warmup (0); the other was taken to have the same." in text
    assert "ends in -dirty does not name the code" in text


def test_a_setting_that_one_side_lacks_and_the_other_varies_pairs_nothing_by_guess(tmp_path: Path) -> None:
    cells(tmp_path / "a")
    for value in (0, 5):
        cells(tmp_path / "b", settings={"train.warmup": value})
    with pytest.raises(SweepsError, match=r"no cell of a .*differ in train.warmup \(unset in a, 0 or 5 in b\)"):
        side_by_side(tmp_path / "a", tmp_path / "b")


def test_cells_that_one_side_lacks_are_told_with_what_became_of_them(tmp_path: Path) -> None:
    ids = cells(tmp_path / "a")
    cells(tmp_path / "b")
    for file in (tmp_path / "b" / ids[0]).iterdir():
        file.unlink()
    (tmp_path / "b" / ids[0]).rmdir()
    (tmp_path / "b" / ids[1] / "summary.json").unlink()
    (tmp_path / "b" / ids[1] / "failure.json").write_text(json.dumps({"reason": "no memory"}))
    extra = write_cell(tmp_path / "b", **TINY, seed=77)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    assert len(found.cells) == 10
    assert dict(zip(found.pairing.only_a["cell"], found.pairing.only_a["other"], strict=True)) == {
        ids[0]: "",
        ids[1]: "failed",
    }
    assert list(found.pairing.only_b["cell"]) == [extra]
    text = found.to_markdown()
    assert "2 cells of a without a finished one in b: 1 failed, 1 not there." in text
    assert found.conclusions[0].n == 10


def test_a_conclusion_that_reverses_is_told_first(tmp_path: Path) -> None:
    cells(tmp_path / "a", seeds=8)
    cells(tmp_path / "b", lambda arch, init, seed: arch == "lstm", seeds=8)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    said = {each.about: each for each in found.conclusions[0].found}
    assert said["what mattered most"].same and said["what mattered most"].a == "architecture"
    best = said["best architecture"]
    assert (best.a, best.b, best.shown) == ("GRU", "LSTM", "in both")
    assert "**A conclusion changes**: best architecture: GRU in a, LSTM in b (shown in both)." in found.to_markdown()
    table = found.conclusions[0].combinations.set_index(["arch", "init"])
    numbers = table[["solved_a", "solved_b", "rank_a", "rank_b"]].to_dict("index")
    assert list(numbers["gru", "random"].values()) == [8, 0, 1, 3]


def test_another_axis_that_matters_is_told_and_few_seeds_prove_nothing(tmp_path: Path) -> None:
    cells(tmp_path / "a", seeds=2)
    cells(tmp_path / "b", lambda arch, init, seed: init == "random", seeds=2)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    said = {each.about: each for each in found.conclusions[0].found}
    first = said["what mattered most"]
    assert (first.a, first.b, first.shown) == ("architecture", "init", "") and said["runs solved"].same
    text = found.to_markdown()
    assert "not shown by the runs beyond themselves: what mattered most: architecture in a, init in b" in text
    assert "2 seeds cannot show it, however large; 6 can." in text


@pytest.mark.parametrize(("seeds", "shown"), [(4, ""), (6, "by the pairs")])
def test_what_changes_for_all_runs_is_a_conclusion_where_no_axis_matters(
    tmp_path: Path, seeds: int, shown: str
) -> None:
    cells(tmp_path / "a", lambda arch, init, seed: False, seeds=seeds)
    cells(tmp_path / "b", lambda arch, init, seed: True, seeds=seeds)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    said = {each.about: each for each in found.conclusions[0].found}
    n, level = 4 * seeds, said["runs solved"]
    assert (level.a, level.b, level.shown) == (f"0 of {n}", f"{n} of {n}", shown)
    assert (said["median best explained variance"].a, said["median best explained variance"].b) == ("0.5", "0.95")
    assert said["what mattered most"].same and said["runs diverged"].same
    told = "2 conclusions change" if shown else "not shown by the runs beyond themselves"
    text = found.to_markdown()
    assert told in text and f"runs solved: 0 of {n} in a, {n} of {n} in b" in text


def test_the_level_of_a_side_in_which_most_runs_diverged_is_no_number(tmp_path: Path) -> None:
    for seed in range(3):
        write_cell(tmp_path / "a", **TINY, seed=seed)
        write_cell(tmp_path / "b", **TINY, seed=seed, outcome="diverged", end=20)
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    said = {each.about: (each.a, each.b) for each in found.conclusions[0].found}
    assert said == {
        "runs solved": ("0 of 3", "0 of 3"),
        "runs diverged": ("0 of 3", "3 of 3"),
        "median best explained variance": ("0.5", "diverged"),
    }
    assert "From 3 pairs of runs, 3 seeds; no axis varied." in found.to_markdown()


def test_two_tasks_are_never_pooled(tmp_path: Path) -> None:
    for root in (tmp_path / "a", tmp_path / "b"):
        cells(root)
        cells(root, settings={"task.name": "digits"})
    found = side_by_side(tmp_path / "a", tmp_path / "b")
    assert [(each.task, each.n) for each in found.conclusions] == [("adding", 12), ("digits", 12)]
    assert {path.name for path in found.write(tmp_path / "out")} == {
        *("side_by_side.md", "cells.csv", "adding_combinations.csv", "digits_combinations.csv")
    }
    assert pd.read_csv(tmp_path / "out" / "cells.csv")["equal"].all()


def test_differences_have_their_closed_forms() -> None:
    x, y = np.array([1.0, 0.0, np.inf, np.nan, 2.0, np.nan]), np.array([1.1, 0.0, np.inf, np.nan, np.inf, 1.0])
    assert relative(x, y).tolist() == pytest.approx([0.1 / 1.1, 0.0, 0.0, 0.0, np.inf, np.inf])
    assert absolute(-x, -y)[:3].tolist() == pytest.approx([0.1, 0.0, 0.0])
    one = pd.DataFrame({"step": [0, 20, 40], "train_loss": [1.0, 2.0, 3.0], "eval_loss": [1.0, np.nan, 3.0]})
    shorter = pd.DataFrame({"step": [0, 20], "train_loss": [1.0, 2.0], "eval_loss": [1.0, 5.0]})
    assert difference(one, one) == (pytest.approx(np.nan, nan_ok=True), {"train_loss": 0.0, "eval_loss": 0.0})
    assert difference(one, shorter) == (40.0, {"train_loss": 0.0, "eval_loss": 0.0}), "what is empty is not compared"
    assert difference(one, shorter.assign(train_loss=[2.0, 2.0]))[0] == 0.0
