"""What a sweep has written before it trains."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

import sweeps
from analysis.make_records import write_cell
from helpers import SMALL, make_cell
from sweeps import launch
from sweeps.config.command_line import load
from sweeps.main import main
from sweeps.plan.plan import Plan, make_plan
from sweeps.records.paths import SweepPaths


def test_what_was_asked_for_is_on_disk_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "run", stopped)
    jobs = [[*SMALL, f"runs_dir={tmp_path}", f"seed={seed}"] for seed in range(2)]
    with pytest.raises(KeyboardInterrupt):
        launch.launch(jobs, load, "seed: 0,1\n")
    sweep = SweepPaths(tmp_path / "scratch")
    assert sweep.multirun.read_text() == "seed: 0,1\n"
    assert len(sweep.plan.read_text().splitlines()) == 1 + 2


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    launch.launch([[*SMALL, f"runs_dir={tmp_path}"]], load, "seed: 0\n", dry_run=True)
    assert list(tmp_path.iterdir()) == []


def plan_of(*seeds: int) -> Plan:
    return make_plan([make_cell(f"seed={seed}") for seed in seeds], {}, workers=1)


def test_a_part_of_a_sweep_leaves_its_plan_and_anything_more_replaces_it(tmp_path: Path) -> None:
    sweep = SweepPaths(tmp_path)
    assert launch.write_cells(plan_of(0, 1, 2), sweep, "study")
    study = sweep.plan.read_bytes()
    assert not launch.write_cells(plan_of(1), sweep, "one cell")
    assert not launch.write_cells(plan_of(2, 0), sweep)
    assert launch.write_cells(plan_of(2, 1, 0), sweep, "the study otherwise")
    assert (sweep.plan.read_bytes(), sweep.multirun.read_text()) == (study, "study")
    assert launch.write_cells(plan_of(2, 3), sweep, "another")
    assert (len(sweep.plan.read_text().splitlines()), sweep.multirun.read_text()) == (1 + 2, "another")
    sweep.plan.write_text("no plan\n")
    assert launch.write_cells(plan_of(2), sweep) and not sweep.multirun.exists(), "a plan that cannot be read"


def test_one_cell_of_a_study_asked_for_again_says_that_the_plan_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "train", lambda *given: launch.Result())
    jobs = [[*SMALL, f"runs_dir={tmp_path}", f"seed={seed}"] for seed in range(2)]
    launch.launch(jobs, load, "study")
    assert "a part of the sweep" not in capsys.readouterr().out
    launch.launch(jobs[:1], load, "one cell")
    said = " ".join(capsys.readouterr().out.split())
    assert "a part of the sweep that was asked for before: plan.csv and what a report counts stay as they are." in said
    assert SweepPaths(tmp_path / "scratch").multirun.read_text() == "study"


def test_training_a_part_in_this_process_returns_that_part(tmp_path: Path) -> None:
    cells = [make_cell("seed=0"), make_cell("seed=1")]
    assert len(sweeps.train(cells, tmp_path / "study").cells) == 2
    assert list(sweeps.train(cells[1:], tmp_path / "study").cells["seed"]) == [1]
    assert len(sweeps.load(tmp_path / "study").in_plan().cells) == 2


@pytest.mark.slow
def test_a_report_of_fewer_cells_than_the_one_that_is_there_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cell(tmp_path / "study")
    report = tmp_path / "study" / "report"
    report.mkdir()
    for there, line in (("3", "was made of 3 cells; it is replaced by one of 1."), ("1", ""), ('"3"', "")):
        (report / "provenance.json").write_text(f'{{"cells": {there}}}')
        assert main(["report", "experiment=study", f"runs_dir={tmp_path}"]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert (line in said) and ("is replaced" in said) is bool(line)
