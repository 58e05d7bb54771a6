"""What a figure says beside its data: what all panels share, what lies off an axis, and why there is no figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps.analysis.loading.load import load
from sweeps.figures.catalogue import figure, why_nothing
from sweeps.figures.panels import PAPER, PHONE, Grid, Room, drawn_for
from sweeps.report.captions import captions


def _notes(drawn: Grid) -> list[str]:
    return [text.get_text() for ax in drawn.axes for text in ax.texts]


def test_what_all_panels_share_stands_over_the_figure(tmp_path: Path) -> None:
    records = planted(
        tmp_path, lambda run: 0.5, seeds=2, init__gain=(0.5, 1.0), optim__lr=(0.1, 0.2), task__length=(5,)
    )
    drawn = figure("loss_curves", records, row="gain", panel="lr")
    assert drawn is not None
    assert drawn.legends[0].get_title().get_text() == drawn.title == "tanh RNN, orthogonal"
    assert not any("tanh" in ax.get_title() for ax in drawn.axes)


@pytest.mark.parametrize("room", [PAPER, PHONE], ids=["paper", "phone"])
def test_scores_below_the_axis_are_counted_in_the_title_where_they_cover_no_mark(tmp_path: Path, room: Room) -> None:
    records = planted(tmp_path, lambda run: -3.0 if run["seed"] == 0 else 0.5, seeds=4, init__gain=(0.5, 1.0))
    with drawn_for(room):
        drawn = figure("score_by_level", records)
    assert drawn is not None
    assert [ax.get_title().split("\n")[-1] for ax in drawn.axes] == ["2 below -0.2, lowest -3"]
    assert _notes(drawn) == []


@pytest.mark.parametrize(("high", "said"), [(1.0, []), (1e4, ["a band goes off the scale"])])
def test_a_band_that_the_axis_cuts_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, high: float, said: list[str]
) -> None:
    """The largest loss of three runs is far above the others late in training; the median is not."""
    for seed in range(3):
        write_cell(tmp_path, seed=seed)
    from sweeps.figures import curves

    known = curves.loss_of_runs

    def lifted(*given: object) -> object:
        runs = known(*given)  # type: ignore[arg-type]
        late = (runs["step"] == runs["step"].max()) & (runs["cell"] == runs["cell"].iloc[0])
        return runs.assign(loss=runs["loss"] + np.log10(high) * late)

    monkeypatch.setattr(curves, "loss_of_runs", lifted)
    drawn = figure("loss_curves", load(tmp_path))
    assert drawn is not None and _notes(drawn) == said


def test_a_figure_of_zeros_alone_is_a_sentence(tmp_path: Path) -> None:
    write_cell(tmp_path / "none")
    records = load(tmp_path / "none")
    assert figure("share_solved", records) is None and figure("outcomes", records) is None
    assert why_nothing("share_solved", records) == "no run solved the task"
    assert why_nothing("outcomes", records) == "no run solved the task, and none diverged"


@pytest.mark.parametrize(("outcome", "map_of"), [("diverged", "share diverged"), ("solved", "share solved")])
def test_a_map_of_zeros_alone_is_left_out(tmp_path: Path, outcome: str, map_of: str) -> None:
    write_cell(tmp_path, outcome=outcome, end=120)
    write_cell(tmp_path, seed=1)
    for room in (PAPER, PHONE):
        with drawn_for(room):
            drawn = figure("outcomes", load(tmp_path))
        assert drawn is not None
        assert [ax.get_title() for ax in drawn.axes] == [f"{map_of}, T = 20"]


def test_no_caption_says_where_a_panel_lies(tmp_path: Path) -> None:
    """On a small screen the panels of a figure are below each other."""
    records = planted(tmp_path, lambda run: 0.5, seeds=2, init__gain=(0.5, 1.0), clip=("none", "norm"))
    for name, text in captions(records).items():
        assert not {"(left)", "(right)", "left:", "right:"} & set(text.replace(",", " ").split()), name
