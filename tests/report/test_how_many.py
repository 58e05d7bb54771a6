"""A caption says what the runs of a median are: seeds, and levels of the axes that are pooled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps import load
from sweeps.report.before_training import at_initialisation
from sweeps.report.captions import captions
from sweeps.report.gradient_kept import kept
from sweeps.report.how_many import how_many

AXES: dict[str, Any] = {"arch": ("lstm", "gru"), "init__gain": (0.5, 1.0, 2.0)}


@pytest.mark.parametrize(
    ("hole", "drawn", "pooled", "text"),
    [
        (None, ["arch"], ["gain"], "24 runs (8 seeds × 3 levels of the gain)"),
        (None, ["arch", "gain"], [], "8 runs (one for each seed)"),
        (None, [], ["arch", "gain"], "48 runs (8 seeds × 2 levels of the architecture × 3 levels of the gain)"),
        ((0.5, 3), ["arch"], ["gain"], "23 runs (of 8 seeds, pooled over the gain)"),
        ((0.5, 3), ["arch", "gain"], [], "7 to 8 runs (one for each seed)"),
    ],
)
def test_what_the_runs_are(tmp_path: Path, hole: Any, drawn: list[str], pooled: list[str], text: str) -> None:
    def rule(run: Mapping[str, Any]) -> float | None:
        return None if (run["init__gain"], run["seed"]) == hole else 0.5

    assert how_many(planted(tmp_path, rule, seeds=8, **AXES).cells, drawn, pooled) == text


def test_a_line_of_one_run_is_no_median(tmp_path: Path) -> None:
    axes: dict[str, Any] = {"arch": ("lstm", "gru")}
    one, two = (planted(tmp_path / str(n), lambda run: 0.5, seeds=n, **axes) for n in (1, 2))
    for name in ("score_by_level", "loss_curves", "gradient_by_lag_start"):
        assert "median over" not in captions(one)[name].replace("medians", "median"), name
        assert "over 2 runs" in captions(two)[name], name


def test_the_first_figure_is_by_an_axis_that_varied(tmp_path: Path) -> None:
    """A study that asks for colours and panels leaves the length on the x axis, of which there is one."""
    axes: dict[str, Any] = {"arch": ("lstm", "gru"), "arch__hidden": (4, 16)}
    records = planted(tmp_path, lambda run: run["seed"] / 10, seeds=2, **axes)
    text = captions(records, {"arch": "colour", "hidden": "column"})["score_by_level"]
    assert " of every run by architecture: " in text


def test_a_caption_refers_to_another_only_where_that_is_shown(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: 0.5, seeds=2, arch=("lstm",))
    start, end = "gradient_by_lag_start", "gradient_by_lag_end"
    beside, alone = (captions(records, shown=names)[end] for names in ((start, end), ("loss_curves", end)))
    assert beside.startswith("The same at the last logged update")
    assert alone.startswith("Norm of the gradient that reaches the hidden state, ‖∂L/∂h_t‖, against steps back")
    assert "The LSTM's is that of h_t alone" in alone


def test_captions_say_of_which_loss_the_gradient_is_where_every_step_has_an_answer(tmp_path: Path) -> None:
    write_cell(tmp_path / "every", length=5, settings={"task.name": "copy"})
    write_cell(tmp_path / "last", length=5)
    every, last = (captions(load(tmp_path / name))["gradient_by_lag_start"] for name in ("every", "last"))
    assert "L is here the loss of each sequence's last one" in every and "answer" not in last


def test_captions_say_it_of_their_medians(tmp_path: Path) -> None:
    axes = {"optim__lr": (0.01, 0.1), "train__batch": (8, 16), "init": ("random", "he"), **AXES}
    records = planted(tmp_path, lambda run: run["seed"] / 10, seeds=2, **axes)
    text = captions(records)["score_by_level"]
    assert " 8 runs (2 seeds × 2 levels of the " in text or " 16 runs (2 seeds × 2 levels of the " in text, text
    one = records.select(init="he", **{"optim.lr": 0.1, "train.batch": 8}).drop_unused_levels()
    captioned = [getattr(each, "caption", "") for each in kept(one, at_initialisation(one))[1:]]
    assert captioned and all(each.endswith("medians over 2 networks (one for each seed).") for each in captioned)
