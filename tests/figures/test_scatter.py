"""The figure of gradient and learning puts every run where its records say, with a mark that says how it ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.load import load
from sweeps.figures.catalogue import figure
from sweeps.report.captions import captions


def test_a_mark_for_every_run_at_its_factor_and_score(tmp_path: Path) -> None:
    write_cell(tmp_path, arch="gru", length=60, slope=(-0.2, 0.0), outcome="solved", end=200, best_score=0.95)
    write_cell(tmp_path, arch="lstm", length=60, slope=-0.1, best_score=0.5)
    write_cell(tmp_path, arch="lstm", length=60, slope=0.3, seed=1, outcome="diverged", end=60, best_score=-4.0)
    write_cell(tmp_path, arch="lstm", length=20, slope=0.0)  # too short for a factor
    records = load(tmp_path)
    drawn = figure("gradient_and_learning", records)
    assert drawn is not None
    start, training = drawn.axes
    marks = [line for line in start.lines if np.size(line.get_xdata()) == 1]
    points = {(line.get_marker(), line.get_markerfacecolor()): line.get_xydata()[0] for line in marks}  # type: ignore[index]
    filled, opened, crossed = sorted(points, key=lambda key: (key[0] == "x", key[1] == "none"))
    assert points[filled] == pytest.approx([10**-0.2, 0.95]) and filled[1] != "none"
    assert points[opened] == pytest.approx([10**-0.1, 0.5]) and opened[1] == "none"
    assert points[crossed] == pytest.approx([1.5, -0.2]), "at the edge: 10^0.3 and -4"
    assert crossed[0] == "x" and "1 beyond 1.5, 1 below -0.2" in start.get_title()
    assert [text.get_text() for text in drawn.legends[0].get_texts()][:2] == ["LSTM", "GRU"]
    assert training.get_ylim() == start.get_ylim()
    caption = captions(records)["gradient_and_learning"]
    assert "T = 60, n = 3 runs" in caption and "at the start" not in caption, "none has a factor near 1 there"


def test_one_architecture_is_coloured_by_what_varied_and_a_task_without_score_by_its_loss(tmp_path: Path) -> None:
    for init in ("he", "identity"):
        write_cell(tmp_path, init=init, length=9, best_score=None)
    drawn = figure("gradient_and_learning", load(tmp_path))
    assert drawn is not None
    assert [text.get_text() for text in drawn.legends[0].get_texts()][:2] == ["He", "identity"]
    assert drawn.axes[0].get_ylabel() == "loss of the best evaluation, T = 9"
    assert drawn.axes[0].get_xlabel() == "end-to-end factor per step back in time"
