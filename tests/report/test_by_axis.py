"""Outcomes are told by the axes that varied, and a study is never told of what it did not ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps import load
from sweeps.analysis.labels import level_text
from sweeps.analysis.statistics.effects import by_importance
from sweeps.analysis.statistics.outcomes import diverged
from sweeps.report.by_axis import by_level, where
from sweeps.report.captions import captions
from sweeps.report.solved import solved
from sweeps.report.tables import paired

NOT_ASKED = ("tanh RNN", "orthogonal", "clip")
"""Levels of what a study over `init.gain` did not vary."""


def test_the_axis_that_has_the_effect_comes_first_and_its_counts_are_told(tmp_path: Path) -> None:
    records = planted(
        tmp_path, lambda run: run["init__gain"] == 1.5, seeds=4, init=("random", "he"), init__gain=(0.5, 1.5)
    )
    assert by_importance(records) == ["gain", "init"]
    assert by_level(records, "solved") == "gain = 0.5 (0 of 8), gain = 1.5 (8 of 8)"
    assert by_level(records, "solved", "init") == "", "the same share at both levels tells nothing"
    assert "Solved: gain = 0.5 (0 of 8), gain = 1.5 (8 of 8)." in solved(records)[0].text  # type: ignore[union-attr]


def test_of_many_levels_only_the_ends_are_named(tmp_path: Path) -> None:
    levels = tuple(0.1 * step for step in range(1, 13))
    records = planted(tmp_path, lambda run: run["seed"] < 20 * run["optim__lr"] / 3, seeds=4, optim__lr=levels)
    text = by_level(records, "solved")
    assert text == (
        "most at learning rate = 0.5 (4 of 4), learning rate = 0.6 (4 of 4), learning rate = 0.7 (4 of 4) and 5 more, "
        "fewest at learning rate = 0.1 (1 of 4)"
    )


def test_where_runs_diverged_is_a_range_of_numbers(tmp_path: Path) -> None:
    records = planted(
        tmp_path,
        lambda run: "diverged" if run["init__gain"] >= 2.0 else False,
        seeds=2,
        init__gain=(0.5, 1.0, 2.0, 3.0),
    )
    gone = records.cells[diverged(records.cells)]
    assert where(records, gone) == ": gain = 2 to 3 (4 runs)" and where(records, gone.iloc[:0]) == ""


def test_captions_speak_of_what_varied_and_of_nothing_else(tmp_path: Path) -> None:
    records = planted(
        tmp_path,
        lambda run: "diverged" if run["init__gain"] > 2 else run["init__gain"] < 1,
        seeds=3,
        init__gain=(0.5, 1.5, 2.5),
    )
    texts = captions(records)
    by_gain = (
        "3 of 9 runs solved the task (3 at the end): gain = 0.5 (3 of 3), gain = 1.5 (0 of 3), gain = 2.5 (0 of 3)."
    )
    assert by_gain in texts["share_solved"] and by_gain in texts["loss_curves"]
    assert texts["outcomes"].endswith("3 of 9 runs diverged (33%), none of them at update 0: gain = 2.5 (3 runs).")
    for name in ("share_solved", "loss_curves", "outcomes"):
        assert not any(word in texts[name] for word in NOT_ASKED), name


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ({"init__gain": (0.5, 1.5)}, [("gain",)] * 3),
        ({"arch": ("lstm",), "arch__forget_bias": (0.0, 1.0, 2.0)}, [("arch.forget_bias",)] * 3),
        ({"arch": ("gru", "lstm"), "length": (3, 5)}, [("arch", "length"), ("arch",), ("arch", "length")]),
    ],
    ids=["gain", "forget bias", "arch and length"],
)
def test_paired_tables_have_the_axes_that_varied(tmp_path: Path, axes: dict[str, tuple], expected: list[tuple]) -> None:
    records = planted(tmp_path, lambda run: 0.1 * run["seed"], seeds=3, **axes)
    tables = [table for _, table in paired(records, 0)]
    heads = [
        tuple(str(name) for name in table.frame)[: len(want)] for table, want in zip(tables, expected, strict=True)
    ]
    assert heads == expected
    constant = "T = 3" if "length" not in axes else "orthogonal"
    assert all(f"{constant}" in table.caption for table in tables) and len(tables) == 3


def test_a_study_of_nothing_has_no_comparison(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: 0.5, seeds=3)
    assert list(paired(records, 0)) == [] and by_level(records, "solved") == ""


def test_levels_are_written_once_and_alike() -> None:
    assert level_text("arch.forget_bias", 2.0) == "forget bias = 2" and level_text("length", 50) == "T = 50"
    assert level_text("arch", "lstm") == "LSTM" and level_text("threshold", float("nan")) == "no threshold"


def test_lines_that_are_as_far_from_level_are_all_named(tmp_path: Path) -> None:
    for init, slope in (("identity", 0.0), ("random", -0.3), ("he", -0.3)):
        write_cell(tmp_path, init=init, slope=slope, length=60)
    text = captions(load(tmp_path))["gradient_by_lag_start"]
    assert "identity (1.000), random (0.501), He (0.501)." in text
