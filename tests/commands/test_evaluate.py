"""Trained networks at other lengths: the record's own numbers at their own, a closed form, one clear error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sweeps
from helpers import make_cell
from sweeps.commands.evaluate import evaluate
from sweeps.config.identity import cell_id
from sweeps.engine.trained import trained
from sweeps.errors import ConfigError, SweepsError
from sweeps.execute.worker import train_pack
from sweeps.other_lengths import at_lengths
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import read_summary

OWN = ("train.save=final", "task=adding", "task.length=9", "arch.hidden=9")
NETWORKS = (
    ("arch=rnn_tanh",),
    ("arch=lstm", "stack.layers=2", "stack.start=random"),
    ("arch=gru", "stack.bidirectional=true", "task=copy", "stack.embedding=3"),
)


@pytest.fixture
def sweep(tmp_path: Path) -> SweepPaths:
    """Three cells, trained."""
    paths = SweepPaths(tmp_path / "runs" / "scratch")
    for overrides in NETWORKS:
        settings = make_cell(*OWN, *overrides)
        train_pack(Pack((Cell(cell_id(settings), settings),)), paths.root, lambda kind, content: None)
    return paths


def test_at_its_own_length_a_network_has_the_last_evaluation_of_its_record(
    sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(sweep.root.parents[1])
    assert evaluate(["task.length=9,20"]) == 0
    rows = pd.read_csv(sweep.other_lengths)
    assert len(rows) == 2 * len(NETWORKS)
    for cell in sweep.cells():
        final, own = read_summary(cell).final, rows[rows["cell"] == cell.root.name].set_index("evaluated_at")
        assert final is not None
        assert (own["loss"][9], own["score"][9]) == (final.eval_loss, final.eval_score)
        assert own["loss"][20] != own["loss"][9]
    assert str(sweep.other_lengths) in capsys.readouterr().out


@pytest.mark.parametrize("further", [(), ("arch=gru",), ("seed=1",)])
def test_a_sweep_of_one_task_has_a_row_for_each_network(
    further: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One cell alone, two architectures, two seeds: the median is that of the file that is written."""
    paths = SweepPaths(tmp_path / "runs" / "scratch")
    cells = [make_cell(*OWN), *([make_cell(*OWN, *further)] if further else [])]
    for settings in cells:
        train_pack(Pack((Cell(cell_id(settings), settings),)), paths.root, lambda kind, content: None)
    monkeypatch.chdir(tmp_path)
    assert evaluate(["task.length=9"]) == 0
    first, *lines = (line.split() for line in capsys.readouterr().out.splitlines())
    scores = pd.read_csv(paths.other_lengths).groupby("arch")["score"]
    rows = [[name, str(len(each)), f"{each.median():.3f}"] for name, each in sorted(scores, reverse=True)]
    assert first[:2] == ["arch", "runs"]
    assert [line[:3] for line in lines[: len(rows)]] == rows


def test_the_length_trained_on_is_told_as_those_evaluated_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`copy` has 20 time steps more than its `task.length`, which alone is what can be typed."""
    paths = SweepPaths(tmp_path / "runs" / "scratch")
    for length in (3, 5):
        settings = make_cell(*OWN, "task=copy", f"task.length={length}")
        train_pack(Pack((Cell(cell_id(settings), settings),)), paths.root, lambda kind, content: None)
    monkeypatch.chdir(tmp_path)
    assert evaluate(["task.length=3,5"]) == 0
    first, *lines = (line.split() for line in capsys.readouterr().out.splitlines())
    assert first == ["task.length", "runs", "accuracy", "at", "3", "accuracy", "at", "5"]
    assert [line[0] for line in lines[:2]] == ["3", "5"]


def test_a_network_that_answers_a_constant_has_the_loss_of_one_at_every_length() -> None:
    """All weights 0 and a bias of 1: the mean squared error of the adding problem is 1/6, its variance."""
    settings = make_cell(*OWN, "train.eval_size=4000")
    weights = {name: np.zeros_like(value) for name, value in _weights(settings).items()}
    weights["bias_out"] += 1
    for each in at_lengths(settings, weights, [4, 30]):
        assert each.loss == pytest.approx(1 / 6, abs=4 * 0.2 / 4000**0.5)
        assert each.score == pytest.approx(0, abs=0.005)


def _weights(settings: sweeps.Settings) -> dict[str, np.ndarray]:
    from sweeps.engine.checkpoint import weights_of
    from sweeps.engine.setup import set_up

    return weights_of(set_up([settings]).network, 0)


def test_weights_of_another_network_are_refused() -> None:
    settings, wider = make_cell(*OWN), make_cell(*OWN, "arch.hidden=10")
    with pytest.raises(ValueError, match=r"weight_ih is \[2, 10\], must be \[2, 9\] for these settings"):
        trained(settings, _weights(wider))
    weights = _weights(settings)
    del weights["bias"]
    with pytest.raises(ValueError, match="differ in bias"):
        trained(settings, weights)


def test_a_network_whose_size_is_the_length_has_no_other() -> None:
    settings = make_cell("task=unpack", "task.length=5")
    with pytest.raises(ValueError, match=r"start_from is \[5, 8\], must be \[7, 8\]"):
        list(at_lengths(settings, _weights(settings), [7]))


@pytest.mark.parametrize("text", ["", "task.length=", "task.length=5,x", "task.length=range(3)"])
def test_lengths_are_numbers(text: str) -> None:
    with pytest.raises(ConfigError, match=r"task\.length: .* must be lengths to evaluate at"):
        evaluate([text] if text else [])


def test_a_length_that_the_task_has_not_and_cells_without_weights(
    sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sweep.root.parents[1])
    with pytest.raises(ConfigError, match=r"task\.length: given 1, must be at least 2"):
        evaluate(["task.length=1"])
    assert not sweep.other_lengths.exists()
    for cell in sweep.cells():
        cell.weights.unlink()
    with pytest.raises(SweepsError, match=r"train with train\.save=final"):
        evaluate(["task.length=9"])
