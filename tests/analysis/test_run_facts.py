"""What is told of a run follows from its record: where a planted gradient dies, which settings are told."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.one import read_run
from sweeps.analysis.run_facts import IDLE, Reach, reaches, settings_of, title
from sweeps.records.ended import ended
from sweeps.records.paths import SweepPaths


def planted(root: Path, **cell: object) -> list[Reach]:
    run = read_run(SweepPaths(root).cell(write_cell(root, **cell)))  # type: ignore[arg-type]
    assert run.records is not None
    return reaches(run.records.gradient)


def test_a_planted_decay_is_told_as_its_factor_and_dies_where_a_thousandth_is_left(tmp_path: Path) -> None:
    first, last = planted(tmp_path, length=80, slope=(-0.1, -0.011), steps=200)
    assert (first.step, last.step) == (0, 200)
    assert first.rate == pytest.approx(-0.1) and last.rate == pytest.approx(-0.011)
    assert first.per_step() == "× 0.794 per step (lags 20 to 59)", "of 0 to 79, 20 left out at either end"
    assert first.gone == 31 and first.far() == "below a thousandth from lag 31 on", "10^-0.1*30 is the thousandth"
    assert last.gone is None and last.far() == f"{10 ** (-0.011 * 79):.3g} of it left at lag 79"


def test_a_gradient_that_grows_is_exactly_zero_or_is_short_is_told_so(tmp_path: Path) -> None:
    assert planted(tmp_path, length=80, slope=0.05)[0].far() == "8910 times as large at lag 79"
    zero = planted(tmp_path, length=60, seed=1, curve=lambda lag: -2.0 if lag < 9 else -math.inf)[0]
    assert zero.far() == "exactly zero from lag 9 on"
    short = planted(tmp_path, length=20, seed=2, slope=-0.1)[0]
    assert short.per_step().startswith("-0.100 decades per step back")


def test_a_gradient_that_dips_and_comes_back_is_not_gone(tmp_path: Path) -> None:
    dip = planted(tmp_path, length=60, curve=lambda lag: -9.0 if 20 < lag < 30 else 0.0)[0]
    assert dip.gone is None


def test_the_end_of_a_run_that_diverged_is_its_last_finite_step(tmp_path: Path) -> None:
    assert [each.step for each in planted(tmp_path, outcome="diverged", end=60)] == [0, 40]


def test_how_a_run_ended_is_one_sentence(tmp_path: Path) -> None:
    told = []
    for seed, outcome in enumerate(("finished", "solved", "diverged")):
        cell = write_cell(tmp_path, seed=seed, outcome=outcome, end=200 if outcome == "finished" else 60)
        run = read_run(SweepPaths(tmp_path).cell(cell))
        assert run.summary is not None
        told.append(ended(run.summary, run.config["train"]["steps"]))
    assert told == [
        "Finished at step 200, not solved.",
        "Solved at step 60, ended at step 60 of 200.",
        "Diverged at step 60 of 200: the loss was inf at step 60.",
    ]


def test_every_setting_is_told_once_and_marked_where_it_differs(tmp_path: Path) -> None:
    run = read_run(SweepPaths(tmp_path).cell(write_cell(tmp_path, arch="lstm", seed=4)))
    groups = settings_of(run.config, {"arch", "seed"})
    assert {*groups} == {"arch", "init", "clip", "task", "optim", "schedule", "penalty", "train", "stack", "seed", IDLE}
    assert [*groups][-1] == IDLE
    told = [each for group in groups.values() for each in group]
    assert len({each.name for each in told}) == len(told)
    assert {each.name for each in told if each.changed} == {"arch", "seed"}
    assert {each.name for each in groups[IDLE]} == {"experiment", "probe", "runs_dir", "train.checkpoint", "train.save"}
    assert title(run.config) == "LSTM, orthogonal, no clipping, adding of length 20, seed 4"
