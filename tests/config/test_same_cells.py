"""Points of a grid that differ in what comes to nothing are one cell: they are counted, and said to be skipped."""

from __future__ import annotations

import pytest

from helpers import compose, make_cell
from sweeps.config.compose import settings_of
from sweeps.config.grid import expand
from sweeps.config.identity import cell_id
from sweeps.config.same_cells import without_idle

WHY = "train.truncate from the length of a sequence on cuts nothing: such points are those of train.truncate=0"
THRESHOLD = "clip.threshold without clipping bounds nothing: such points are those of clip=none"
BETWEEN = (
    "stack.norm, stack.dropout and stack.residual stand between layers, and with one layer there is nothing between: "
    "such points are those of"
)


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
        (["clip=none", "clip.threshold=1,2"], 1, f"{THRESHOLD}, trained once, so that 1 of the 2 points of the grid is "
         "skipped."),
        (["clip=norm", "clip.threshold=1,2"], 2, ""),
        (["optim=sgd", "optim.momentum=0,0.9", "optim.nesterov=false,true"], 3, "optim.nesterov without momentum looks "
         "nowhere ahead: such points are those of optim.nesterov=false, trained once, so that 1 of the 4 points of the "
         "grid is skipped."),
        (["stack.norm=none,layer", "stack.layers=1,2"], 3, f"{BETWEEN} stack.norm=none, trained once, so that 1 of the "
         "4 points of the grid is skipped."),
        (["stack.norm=none,layer", "stack.dropout=0,0.5", "stack.residual=false,true", "stack.layers=1,2"], 9,
         f"{BETWEEN} stack.norm=none stack.dropout=0.0 stack.residual=false, trained once, so that 7 of the 16 points "
         "of the grid are skipped."),
        (["stack.norm=layer", "stack.layers=2,3"], 2, ""),
        (["stack.start=zero,random", "stack.start_scale=0.1,1"], 3, "stack.start_scale is of start states that are "
         "drawn: such points are those of stack.start_scale=1.0, trained once, so that 1 of the 4 points of the grid "
         "is skipped."),
        (["clip=none", "clip.threshold=1,2", "train.truncate=0,50"], 1, f"{THRESHOLD}; {WHY}, trained once, so that 3 "
         "of the 4 points of the grid are skipped."),
    ],
)  # fmt: skip
def test_each_cell_is_there_once_and_what_is_left_out_is_said(axes: list[str], kept: int, sentence: str) -> None:
    jobs = expand({"task.length": 20}, axes).jobs
    settings, _, problems = settings_of(jobs, compose)
    found, said = without_idle(jobs, settings)
    assert not problems and (len(found), said) == (kept, sentence)
    assert {cell_id(each) for each in found} == {cell_id(each) for each in settings}


def test_nothing_stands_between_the_layers_of_one() -> None:
    plain = cell_id(make_cell())
    for override in ("stack.norm=layer", "stack.dropout=0.5", "stack.residual=true"):
        assert cell_id(make_cell(override)) == plain
        assert cell_id(make_cell(override, "stack.layers=2")) != cell_id(make_cell("stack.layers=2"))
