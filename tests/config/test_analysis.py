"""What a study says under `analysis:` is checked as a whole, and is no part of any cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import SMALL
from sweeps.config import places
from sweeps.config.analysis import NOTHING, Analysis, parse_analysis
from sweeps.config.command_line import grid_of, load
from sweeps.config.compose import Composer, settings_of
from sweeps.config.identity import cell_id
from sweeps.errors import ConfigError, SweepsError
from sweeps.main import main
from sweeps.report.study import analysis_of, analysis_problems

METRICS = {"best_score": True, "solved": True, "grad_norm": False}
FIGURES = ("loss_curves", "share_solved")
STUDY: dict[str, Any] = {"hydra": {"sweeper": {"params": {"seed": "0,1", "init.gain": "0.5,1"}}}}


def problems_of(node: Any) -> list[str]:
    return parse_analysis(node, METRICS, FIGURES)[1]


def test_a_whole_section_is_read_and_every_name_of_an_axis_is_the_same() -> None:
    node = {
        "question": " Does gain help?\n",
        "axes": {"init.gain": "colour", "forget_bias": "panel", "length": "x", "arch": "row", "lr": "pooled"},
        "metrics": ["solved", "grad_norm"],
        "tuned": ["optim.lr"],
        "figures": ["share_solved", "loss_curves"],
    }
    read, problems = parse_analysis(node, METRICS, FIGURES)
    slots = {"gain": "colour", "arch.forget_bias": "column", "length": "x", "arch": "row", "lr": "pooled"}
    assert problems == []
    assert read == Analysis("Does gain help?", slots, ("solved", "grad_norm"), ("lr",), ("share_solved", "loss_curves"))
    assert parse_analysis(None, METRICS, FIGURES) == (NOTHING, [])


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ([1], "analysis: given [1], must hold some of question, axes, metrics, tuned, figures"),
        ({"axis": {}}, "analysis, key: 'axis' is not known; did you mean 'axes'?"),
        ({"question": 3}, "analysis.question: given 3, must be a text"),
        ({"axes": ["gain"]}, "analysis.axes: given ['gain'], must be a role for each axis, like init.gain: colour"),
        ({"axes": {"init.gian": "x"}}, "analysis.axes, axis: 'init.gian' is not known; did you mean 'init.gain'?"),
        (
            {"axes": {"gain": "hue"}},
            "analysis.axes.gain, role: 'hue' is not known (allowed: colour, panel, pooled, row",
        ),
        ({"axes": {"gain": ["x"]}}, "role: \"['x']\" is not known"),
        ({"axes": {"gain": "x", "init.gain": "row"}}, "analysis.axes.init.gain: the axis is named twice"),
        ({"axes": {"gain": "x", "lr": "x"}}, "analysis.axes.lr: given 'x', which another axis is already"),
        ({"axes": {"seed": "x"}}, "analysis.axes, axis: 'seed' is not known"),
        ({"axes": {"tracker.mode": "x"}}, "analysis.axes, axis: 'tracker.mode' is not known"),
        ({"metrics": "solved"}, "analysis.metrics: given 'solved', must be a list of names, like [a, b]"),
        ({"metrics": ["best"]}, "analysis.metrics, metric: 'best' is not known; did you mean 'best_score'?"),
        ({"metrics": ["solved", "solved"]}, "analysis.metrics: 'solved' is named twice"),
        ({"metrics": ["grad_norm"]}, "given 'grad_norm' first, must begin with one of which more or less is better"),
        ({"tuned": ["lrr"]}, "analysis.tuned, axis: 'lrr' is not known; did you mean 'lr'?"),
        ({"figures": ["loss"]}, "analysis.figures, figure: 'loss' is not known; did you mean 'loss_curves'?"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(node: Any, expected: str) -> None:
    [problem] = problems_of(node)
    assert expected in problem


def test_all_problems_are_one_list() -> None:
    node = {"axes": {"gian": "x", "lr": "up"}, "metrics": ["speed"], "figures": ["map"], "tuned": [1], "plots": 1}
    assert len(problems_of(node)) == 6


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Write `experiments/mine/sweep.yaml`."""

    def written(content: Any) -> None:
        (tmp_path / "experiments" / "mine").mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (tmp_path / "experiments" / "mine" / "sweep.yaml").write_text(text)
        places.choices.cache_clear()

    monkeypatch.setattr(places, "EXPERIMENTS", tmp_path / "experiments")
    yield written
    places.choices.cache_clear()


def test_it_is_no_setting_and_changes_no_id(write: Any) -> None:
    ids = []
    for section in ({}, {"analysis": {"axes": {"init.gain": "colour"}, "question": "${oc.env:NOTHING} ?"}}):
        write(STUDY | section)
        jobs = grid_of(["experiment=mine"]).jobs
        settings, _, problems = settings_of(jobs, Composer(load))
        assert problems == [] and "analysis" not in Composer(load)(jobs[0])
        ids.append([cell_id(each) for each in settings])
    assert ids[0] == ids[1] and len(set(ids[0])) == 4


def test_the_file_is_checked_against_the_measures_and_figures_there_are(write: Any) -> None:
    write(STUDY | {"analysis": {"metrics": ["loss", "seconds", "decay"], "figures": ["outcomes"]}})
    assert analysis_of("mine").metrics == ("loss", "seconds", "decay")
    assert analysis_of("of_no_file") == NOTHING
    write(STUDY | {"analysis": {"metrics": ["seconds"], "figures": ["outcome"]}})
    first, second = analysis_problems("mine")
    assert "must begin with one of which more or less is better" in first
    assert "did you mean 'outcomes'" in second
    with pytest.raises(ConfigError, match="2 problems"):
        analysis_of("mine")
    write("analysis: [")
    with pytest.raises(SweepsError, match="is no YAML"):
        analysis_of("mine")


def test_it_is_refused_before_anything_is_trained(
    write: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(STUDY | {"analysis": {"axes": {"init.gian": "x"}, "metrics": ["speed"]}})
    assert main(["-m", "experiment=mine", *SMALL, f"runs_dir={tmp_path / 'runs'}", "sede=1"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "3 problems in the settings; nothing was trained or written." in said
    assert "'init.gian' is not known" in said and "'speed' is not known" in said and "'sede' is not known" in said
    assert not (tmp_path / "runs").exists()
