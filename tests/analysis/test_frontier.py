"""The frontier of mean-field theory over records of gains and lengths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweeps
from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.frontier import frontier, inside
from sweeps.analysis.loading.records import Records
from sweeps.figures.catalogue import figure, why_nothing
from sweeps.report.captions import captions

GAINS = (0.5, 1.0, 1.4, 2.0)


TINY = ("task=adding", "arch.hidden=4", "train.steps=1", "train.batch=2", "train.eval_size=2", "tracker=csv",
        "task.solved_at=-1e9", "task.length=5,20,80", f"init.gain={','.join(map(str, GAINS))}")  # fmt: skip


def study(root: Path, arch: str = "rnn_relu", init: str = "orthogonal", gains: tuple[float, ...] = GAINS) -> Records:
    """Planted records, whose settings are too few to make the task anew."""
    for gain in gains:
        for length in (5, 20, 80):
            solved = {"outcome": "solved", "end": 40} if length == 5 else {}
            write_cell(root, arch=arch, init=init, length=length, settings={"init.gain": gain}, steps=40, log_every=20,
                       **solved)  # type: ignore[arg-type]  # fmt: skip
    return load(root)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """Real records of relu and LSTM networks; every run counts as solved."""
    return sweeps.train(sweeps.compose("arch=rnn_relu,lstm", *TINY), tmp_path_factory.mktemp("frontier"))


def test_the_reach_of_a_relu_network_is_that_of_its_gain(trained: Records) -> None:
    """chi = gain^2 / 2 whatever the drive: half of the units are active."""
    gains = np.array([0.5, 1.0, 1.2, 2.0])
    line = frontier(trained, "rnn_relu", gains)
    assert line is not None
    np.testing.assert_allclose(line["chi"], gains**2 / 2, rtol=1e-6)
    np.testing.assert_allclose(line["length"], 6 / np.abs(np.log(gains**2 / 2)), rtol=1e-6)


def test_runs_are_inside_where_six_time_scales_are_as_long(trained: Records) -> None:
    allowed, cells = inside(trained), trained.cells
    for arch, gain, length, own in zip(cells["arch"], cells["gain"], cells["length"], allowed, strict=True):
        assert pd.isna(own) if arch == "lstm" else own == (length <= 6 / abs(np.log(gain**2 / 2)))
    within = int(allowed.sum())
    text = captions(trained)["trainability_map"]
    assert f"Below it {within} of {within} runs" in text and f"above it {12 - within} of {12 - within}." in text


def test_the_line_is_drawn_for_the_networks_that_theory_is_about(trained: Records) -> None:
    drawn = figure("trainability_map", trained)
    assert drawn is not None and len(drawn.legends) == 1
    assert [len(ax.lines) for ax in drawn.axes[:2]] == [1, 0]


@pytest.mark.parametrize(("arch", "init"), [("lstm", "orthogonal"), ("rnn_tanh", "identity")])
def test_nothing_is_said_of_other_networks(tmp_path: Path, arch: str, init: str) -> None:
    records = study(tmp_path, arch, init)
    assert frontier(records, arch, np.array(GAINS)) is None and inside(records).isna().all()
    drawn = figure("trainability_map", records)
    assert drawn is not None and not drawn.legends, "the map without a line"


def test_the_map_shows_every_field(tmp_path: Path) -> None:
    records = study(tmp_path)
    drawn = figure("trainability_map", records)
    assert drawn is not None
    shares = np.asarray(drawn.axes[0].collections[0].get_array()).reshape(3, 4)
    np.testing.assert_array_equal(shares, [[1] * 4, [0] * 4, [0] * 4])
    assert [tick.get_text() for tick in drawn.axes[0].get_yticklabels()] == ["5", "20", "80"]


def test_two_gains_are_no_map(tmp_path: Path) -> None:
    records = study(tmp_path, gains=(0.5, 1.0))
    assert figure("trainability_map", records) is None
    assert "three gains" in why_nothing("trainability_map", records)
