"""A level that is no limit: a truncation of 0 is beyond every other one, no clipping is no threshold."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps import load
from sweeps.analysis.finding import find
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import effects
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.analysis.statistics.one_axis import Effect
from sweeps.figures.catalogue import figure
from sweeps.report.first_screen import what_ran_in_short
from sweeps.report.in_words import in_words
from sweeps.report.what_mattered import what_mattered
from sweeps.report.what_varied import what_varied

SCORES = {2: 0.1, 5: 0.3, 20: 0.5, 0: 0.7}
"""By truncation: the later the cut the better, and best without one."""


def truncated(root: Path) -> Records:
    return planted(root, lambda run: SCORES[run["train__truncate"]], seeds=8, train__truncate=tuple(SCORES))


def clipped(root: Path, *, without: bool) -> Records:
    """Three thresholds, the smaller the better, with eight seeds; and runs without clipping, which are worst."""
    for seed in range(8):
        for threshold in (0.5, 1.0, 2.0):
            more: dict[str, Any] = {"settings": {"clip.threshold": threshold}, "best_score": 0.8 - threshold / 5}
            write_cell(root, clip="norm", seed=seed, **more)
        if without:
            write_cell(root, clip="none", seed=seed, best_score=0.1, settings={"clip.threshold": math.inf})
    return load(root)


def effect_of(records: Records, axis: str) -> Effect:
    return next(each for each in effects(records, MEASURES["best_score"]).axes if each.axis == axis)


def test_without_a_cut_is_the_last_level_and_is_called_never(tmp_path: Path) -> None:
    records = truncated(tmp_path)
    assert list(records.cells["train.truncate"].cat.categories) == [2, 5, 20, math.inf]
    found = effects(records, MEASURES["best_score"])
    assert (found.axes[0].shape, found.axes[0].best) == ("rises", (math.inf,)), "as the number 0 it would be a V"
    text = "\n".join(getattr(block, "text", "") for block in what_mattered(records, found, "", ""))
    assert "Best is never (median 0.7, n = 8)" in text and "inf" not in text
    drawn = figure("score_by_level", records)
    assert drawn is not None
    assert [tick.get_text() for tick in drawn.axes[0].get_xticklabels()] == ["2", "5", "20", "never"]
    assert "2, 5, 20, never" in what_varied(records).blocks[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["train.truncate", "truncate"])
def test_it_is_chosen_by_the_value_that_is_typed(tmp_path: Path, name: str) -> None:
    records = truncated(tmp_path)
    never = records.cells.loc[records.cells["train.truncate"] == math.inf, "cell"]
    assert set(records.select(**{name: 0}).cells["cell"]) == set(never)
    found = find(tmp_path, {name: "0"})
    assert {row[0] for row in found.rows} == set(never)
    assert {row[found.heads.index("train.truncate")] for row in found.rows} == {"0"}, "what can be typed"


def test_records_from_before_the_setting_were_never_cut(tmp_path: Path) -> None:
    old = write_cell(tmp_path)
    cut = write_cell(tmp_path, settings={"train.truncate": 5})
    levels = load(tmp_path).cells.set_index("cell")["train.truncate"]
    assert (levels[old], levels[cut]) == (math.inf, 5)


def test_no_clipping_is_neither_a_level_of_the_shape_nor_of_the_correction(tmp_path: Path) -> None:
    alone, beside = (clipped(tmp_path / str(without), without=without) for without in (False, True))
    ours, theirs = effect_of(alone, "threshold"), effect_of(beside, "threshold")
    assert theirs.levels == ours.levels == (0.5, 1.0, 2.0) and theirs.shape == "falls"
    assert theirs.p == ours.p == pytest.approx(3 * 2 ** (1 - 8)), "three pairs of levels, signs of eight seeds"


def test_the_grid_of_thresholds_and_no_clipping_is_full(tmp_path: Path) -> None:
    records = clipped(tmp_path, without=True)
    text = "\n".join(block.text for block in what_varied(records).blocks)  # type: ignore[union-attr]
    assert "0.5, 1, 2 (clip by norm alone)" in text
    assert "32 cells, every combination of the levels that there are: threshold only with clip by norm." in text
    assert "threshold (0.5, 1, 2)" in what_ran_in_short(records)


def test_a_run_without_clipping_says_it_once_and_a_place_on_an_uneven_axis_is_no_number_of_it(tmp_path: Path) -> None:
    records = clipped(tmp_path, without=True)
    words = in_words(records)
    none = records.cells.loc[records.cells["clip"] == "none", "cell"]
    assert all(words[cell].startswith("no clipping, seed") for cell in none)
    uneven = figure("gradient_norm_by_level", records, {"x": "threshold"})
    even = figure("gradient_norm_by_level", records.select(clip="norm").drop_unused_levels(), {"x": "threshold"})
    assert uneven is not None and even is not None
    assert (uneven.names[0], even.names[0]) == ("", "threshold")
