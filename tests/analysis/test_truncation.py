"""Where a gradient is cut by truncation, every place that shows its exact zero says so; nowhere else is it said."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.one import find_cell, read_run
from sweeps.analysis.truncation import truncation
from sweeps.records.paths import SweepPaths
from sweeps.report.answer import answer
from sweeps.report.captions import captions
from sweeps.report.part import part_of
from sweeps.report.run_text import run_text
from sweeps.tables.combinations import comparison


def _cut_at(steps: int) -> Callable[[int], float]:
    return lambda lag: -math.inf if steps and lag >= steps else -0.1 * lag


def _sweep(root: Path, *truncate: int, length: int = 20) -> None:
    for steps in truncate:
        for seed in (0, 1):
            settings = {"train.truncate": steps}
            write_cell(root, length=length, seed=seed, settings=settings, curve=_cut_at(steps))


CUT = "Truncation cuts the gradient 5 steps from the end (train.truncate=5): beyond the cut it is exactly zero"


def test_the_answer_the_captions_and_the_run_say_it(tmp_path: Path) -> None:
    _sweep(tmp_path / "cut", 5)
    records = load(tmp_path / "cut")
    sections = answer(part_of(None, records, comparison(records)))
    [alive] = [each for each in sections if each.title == "Does the gradient stay alive?"]
    assert any(CUT in getattr(block, "text", "") for block in alive.blocks)
    texts = captions(records)
    assert CUT in texts["gradient_by_lag_start"] and CUT in texts["gradient_by_lag_end"]
    run = read_run(find_cell(records.cells["cell"].iloc[0], [SweepPaths(tmp_path / "cut")]))
    assert CUT in " ".join(run_text(run, {}, "").split())


@pytest.mark.parametrize("truncate", [(), (0,), (20,), (25,)])
def test_a_cut_that_no_gradient_meets_is_none(tmp_path: Path, truncate: tuple[int, ...]) -> None:
    _sweep(tmp_path, *truncate)
    if not truncate:
        write_cell(tmp_path)
    assert truncation(load(tmp_path)) == ""


def test_every_cut_is_named(tmp_path: Path) -> None:
    _sweep(tmp_path, 0, 10, 5)
    assert "5 or 10 steps from the end (train.truncate=5,10)" in truncation(load(tmp_path))
