"""Where a task's number of time steps T is not the setting `task.length`, every number and word of T is of T."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sweeps
from analysis.make_records import write_cell
from helpers import make_cell
from sweeps.analysis.loading.records import Records
from sweeps.analysis.run_facts import title
from sweeps.analysis.statistics.effects import effects
from sweeps.analysis.truncation import truncation
from sweeps.dashboard.workspace import study_of
from sweeps.errors import SweepsError
from sweeps.mirror.run_content import run_content
from sweeps.plan.cells import distinct
from sweeps.records.paths import SweepPaths
from sweeps.report.before_training import at_initialisation
from sweeps.report.captions import captions
from sweeps.report.exploded import exploded
from sweeps.report.first_screen import what_ran_in_short
from sweeps.report.gradients_alive import alive
from sweeps.report.what_varied import what_varied

BEYOND = 20


def _cell(root: Path, typed: int, steps: int, task: str, **more: Any) -> str:
    """A cell that reads `steps` time steps where `task.length` was typed as another number."""
    settings = {"task.name": task, "task.length": typed} | more.pop("settings", {})
    return write_cell(root, length=steps, settings=settings, **more)


def _study(root: Path, task: str = "copy", *lengths: int) -> Records:
    for typed in lengths or (20, 40):
        for seed in (0, 1, 2):
            _cell(root, typed, typed + BEYOND, task, seed=seed, slope=0.03)
    return sweeps.load(root, cache=False)


@pytest.fixture(params=["copy", "of_a_user"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Records:
    """Of a task whose T is known, and of one whose T only the records tell."""
    return _study(tmp_path / "study", request.param)


def test_length_is_the_number_of_time_steps(records: Records) -> None:
    assert list(records.cells["length"].cat.categories) == [40, 60] and records.longest == 60
    assert sorted(records.cells["task.length"].unique()) == [20, 40]
    assert records.axes == ("arch", "init", "clip", "length")  # T tells the setting: no axis of its own


def test_the_setting_is_selected_as_it_was_typed(records: Records) -> None:
    assert set(records.select(**{"task.length": 20}).cells["length"]) == {40}
    with pytest.raises(SweepsError, match=r"allowed: 40, 60\) \(T; what was typed is task.length"):
        records.select(length=20)


def test_the_gradient_is_measured_over_all_steps(records: Records) -> None:
    start = at_initialisation(records)
    total = start.groupby(start["length"].astype(int))["total"].median()
    assert total.to_dict() == pytest.approx({40: 0.03 * 39, 60: 0.03 * 59}, abs=0.05)
    said = " ".join(getattr(block, "text", "") for block in [*alive(records, start), *exploded(records, start)])
    assert "At T = 60, before training" in said and "no init is named" not in said  # 40 alone were too short
    assert "at T = 60: 3 of 3" in said
    shown = captions(records)["gradient_by_lag_start"]
    assert "T = 60 (" in shown and "T = 20" not in shown


def test_what_was_typed_is_said(records: Records, tmp_path: Path) -> None:
    assert "sequence length T (40, 60; task.length=20,40)" in what_ran_in_short(records)
    table, text = what_varied(records).blocks[:2]
    assert "40, 60 (task.length=20,40)" in getattr(table, "text", "")
    assert "Varied along" not in getattr(text, "text", "")
    one = _study(tmp_path / "one", "copy", 5)
    assert "T = 25 (task.length=5)" in what_ran_in_short(one)
    assert "T = 25 (task.length=5)" in getattr(what_varied(one).blocks[1], "text", "")


def test_the_setting_does_not_change_along_with_the_steps(tmp_path: Path) -> None:
    """It is what they are of: an effect of the one is the effect of the other."""
    for typed in (20, 40):
        for seed in range(3):
            _cell(tmp_path, typed, typed + BEYOND, "copy", seed=seed, best_score=typed / 100 + seed / 1000)
    [effect] = effects(sweeps.load(tmp_path, cache=False)).axes
    assert effect.axis == "length" and effect.along == ()


def test_wandb_finds_runs_by_what_was_typed(records: Records) -> None:
    assert study_of(records).levels["task.length"] == [20, 40] and "length" not in study_of(records).levels


def test_names_of_runs_hold_it(tmp_path: Path) -> None:
    assert "T=25" in distinct([make_cell("task=copy", "task.length=5")])[0].name
    assert "T=5 " in distinct([make_cell("task=adding", "task.length=5")])[0].name
    assert title({"task": {"name": "copy", "length": 5}}) == "copy of length 5 (25 steps)"
    assert title({"task": {"name": "adding", "length": 5}}) == "adding of length 5"
    cell = _cell(tmp_path / "study", 5, 25, "of_a_user")
    assert " T25 s0" in run_content(SweepPaths(tmp_path / "study").cell(cell)).name


def test_a_setting_that_changes_no_number_of_steps_is_an_axis(tmp_path: Path) -> None:
    for delay in (5, 10):
        for seed in (0, 1):
            _cell(tmp_path, delay, 30, "of_a_user", seed=seed)
    records = sweeps.load(tmp_path, cache=False)
    assert records.varied == ["task.length"] and set(records.cells["length"]) == {30}
    assert "Varied: task.length (5, 10)" in what_ran_in_short(records) and "T = 30" in what_ran_in_short(records)


def test_a_task_of_as_many_steps_as_typed_has_one_column(tmp_path: Path) -> None:
    for task in ("adding", "of_a_user"):
        _cell(tmp_path, 20, 20, task)
    records = sweeps.load(tmp_path, cache=False)
    assert "task.length" not in records.cells and set(records.cells["length"]) == {20}


def test_a_cell_without_a_record_has_the_steps_of_the_others(tmp_path: Path) -> None:
    records = _study(tmp_path, "of_a_user")
    lost = records.cells["cell"].iloc[0]
    (tmp_path / lost / "summary.json").unlink()
    records = sweeps.load(tmp_path, cache=False)
    assert records.problems["length"].tolist() == [40] and records.planned()["length"].value_counts()[40] == 3


def test_each_of_two_tasks_has_its_own_steps(tmp_path: Path) -> None:
    for typed in (20, 40):
        _cell(tmp_path, typed, typed, "adding")
        _cell(tmp_path, typed, typed + BEYOND, "copy")
    records = sweeps.load(tmp_path, cache=False)
    found = {task: sorted(set(part.cells["length"])) for task, part in records.by_task()}
    assert found == {"adding": [20, 40], "copy": [40, 60]}
    assert "4 cells, every combination of the levels." in what_varied(records).blocks[1].text  # type: ignore[union-attr]


@pytest.mark.parametrize(("cut", "said"), [(30, True), (40, False)])
def test_a_cut_beyond_the_typed_length_is_one(tmp_path: Path, cut: int, said: bool) -> None:
    for task in ("copy", "of_a_user"):
        _cell(tmp_path / task, 20, 40, task, settings={"train.truncate": cut})
        assert (truncation(sweeps.load(tmp_path / task, cache=False)) != "") is said
