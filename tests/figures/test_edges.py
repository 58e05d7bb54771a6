"""What lies beyond an axis has a mark that says so, or the axis holds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps.analysis.loading.load import load
from sweeps.figures.catalogue import figure
from sweeps.figures.marks import DEEPEST, DOWN, LOWEST, RIGHT, floor_of


def marks(ax: Axes, marker: object) -> list[tuple[float, float]]:
    """Where a panel has marks of a kind."""
    lines = [line for line in ax.lines if line.get_marker() == marker]
    places = [np.asarray(line.get_xydata(), float) for line in lines]
    return [(x, y) for each in places for x, y in each.tolist()]


@pytest.mark.parametrize(
    ("scores", "floor"),
    [
        ([0.5, 0.6, -3.0], LOWEST),
        ([-1.0, -3.0, 0.5], -3.0),
        ([-1.0, -3000.0, 0.5], DEEPEST),
        ([-np.inf, -np.inf, 0.5], LOWEST),
        ([], LOWEST),
    ],
)
def test_the_axis_holds_most_of_the_scores(scores: list[float], floor: float) -> None:
    assert floor_of(pd.Series(scores, dtype=float)) == floor


def test_a_run_and_a_median_below_the_axis_point_down(tmp_path: Path) -> None:
    def rule(run: Mapping[str, Any]) -> float:
        return -30.0 if (run["arch"], run["optim__lr"]) == ("gru", 0.1) else 0.5

    records = planted(tmp_path, rule, seeds=3, arch=("lstm", "gru"), optim__lr=(0.001, 0.01, 0.1))
    drawn = figure("score_by_level", records, x="lr", colour="arch")
    assert drawn is not None
    low = marks(drawn.axes[0], DOWN)
    assert len(low) == 3 + 1 and {y for _, y in low} == {LOWEST}, "three runs and their median"
    paths = [np.asarray(path.vertices) for each in drawn.axes[0].collections for path in each.get_paths()]
    bars = {float(y) for path in paths for y in path[:, 1]}
    assert LOWEST not in bars and "beyond the axis" in [text.get_text() for text in drawn.legends[0].get_texts()]


def test_an_axis_of_low_scores_holds_them(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: -2.0 - run["seed"], seeds=3, arch=("lstm", "gru"))
    drawn = figure("score_by_level", records)
    assert drawn is not None
    assert drawn.axes[0].get_ylim()[0] < -4 and not marks(drawn.axes[0], DOWN)


def test_a_factor_beyond_the_axis_points_right(tmp_path: Path) -> None:
    for seed, slope in enumerate((0.3, -0.1)):
        write_cell(tmp_path, length=60, slope=(slope, -0.1), seed=seed, steps=40, log_every=20)
    drawn = figure("gradient_and_learning", load(tmp_path))
    assert drawn is not None
    assert [len(marks(ax, RIGHT)) for ax in drawn.axes] == [1, 0]
    assert "beyond the axis" in [text.get_text() for text in drawn.legends[0].get_texts()]
