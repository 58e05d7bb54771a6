"""Points of a grid that a cut beyond the sequence makes the same cell are counted, and said to be skipped."""

from __future__ import annotations

import pytest

from helpers import compose, make_cell
from sweeps.config.compose import settings_of
from sweeps.config.grid import expand
from sweeps.config.identity import cell_id
from sweeps.config.same_cells import without_idle_cuts

WHY = "train.truncate from the length of a sequence on cuts nothing: such points are those of train.truncate=0"


@pytest.mark.parametrize(
    ("axes", "kept", "sentence"),
    [
        (["train.truncate=0,5,20,100"], 2, f"{WHY}, trained once, so that 2 of the 4 points of the grid are skipped."),
        (["train.truncate=5,20,100"], 2, f"{WHY}, trained once, so that 1 of the 3 points of the grid is skipped."),
        (["train.truncate=5,20"], 2, f"{WHY}."),
        (["train.truncate=0,5,19"], 3, ""),
        (["train.truncate=0,50", "task.length=20,100"], 3, f"{WHY}, trained once, so that 1 of the 4 points of the "
         "grid is skipped."),
        (["seed=0,0"], 2, ""),
    ],
)  # fmt: skip
def test_each_cell_is_there_once_and_what_is_left_out_is_said(axes: list[str], kept: int, sentence: str) -> None:
    jobs = expand({"task.length": 20}, axes).jobs
    settings, _, problems = settings_of(jobs, compose)
    found, said = without_idle_cuts(jobs, settings)
    assert not problems and (len(found), said) == (kept, sentence)
    assert {cell_id(each) for each in found} == {cell_id(each) for each in settings}


def test_nothing_stands_between_the_layers_of_one() -> None:
    plain = cell_id(make_cell())
    for override in ("stack.norm=layer", "stack.dropout=0.5", "stack.residual=true"):
        assert cell_id(make_cell(override)) == plain
        assert cell_id(make_cell(override, "stack.layers=2")) != cell_id(make_cell("stack.layers=2"))
