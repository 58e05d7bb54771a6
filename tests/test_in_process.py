"""Composing and training in this process: the records of a sweep, its refusals, and nothing lost where a cell fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import sweeps
from sweeps.engine.recurrences import choice
from sweeps.errors import ConfigError
from sweeps.main import main

SMALL = ("task=adding", "task.length=6", "arch.hidden=4", "train.steps=4", "train.batch=4", "train.eval_size=4",
         "train.log_every=2", "train.eval_every=2", "tracker=csv")  # fmt: skip


def test_the_records_are_those_of_the_command_line(tmp_path: Path) -> None:
    grid = ("arch=rnn_tanh,lstm", "init=orthogonal", "seed=range(2)")
    threads = torch.get_num_threads()
    records = sweeps.train(sweeps.compose(*grid, *SMALL), tmp_path / "here")
    assert torch.get_num_threads() == threads
    assert main(["-m", *grid, *SMALL, f"runs_dir={tmp_path}"]) == 0
    ids = sorted(records.cells["cell"])
    assert len(ids) == 4 and ids == sorted(sweeps.load(tmp_path / "scratch").cells["cell"])
    for cell in ids:
        for name in ("metrics.csv", "gradient_through_time.csv", "parameters.csv"):
            one, other = (tmp_path / where / cell / name for where in ("here", "scratch"))
            assert one.read_bytes() == other.read_bytes()


def test_an_experiment_and_its_changes_are_composed() -> None:
    cells = sweeps.compose("experiment=first_look", "seed=0", "arch=gru")
    assert len(cells) == 45 and {each.arch.name for each in cells} == {"gru"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("arch=lstmm", "seeds=1"), "2 problems"),
        (("seed=1", "seed=2"), "given 2 times"),
        ((["arch=lstm"],), "must be texts"),
        (("task=digits", "task.length=5"), "must be at least 64"),
    ],
)
def test_what_is_wrong_is_said_at_once(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sweeps.compose(*overrides)


@pytest.mark.parametrize("cells", [[], "arch=lstm", [1]])
def test_only_settings_are_trained(cells: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be what sweeps\.compose gives"):
        sweeps.train(cells, tmp_path / "none")  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()


def test_a_cell_that_fails_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(sizes: object) -> None:
        raise RuntimeError("no such gate")

    monkeypatch.setitem(choice._FAST["gru"], "native", broken)
    monkeypatch.setitem(choice._FAST["gru"], "torch", broken)
    cells = sweeps.compose("arch=gru,rnn_tanh", *SMALL)
    with pytest.raises(sweeps.SweepsError, match=r"1 of 2 cells failed: .*no such gate"):
        sweeps.train(cells, tmp_path / "half")
    records = sweeps.load(tmp_path / "half")
    assert records.cells["arch"].tolist() == ["rnn_tanh"] and records.problems["problem"].tolist() == ["failed"]
    assert repr(records).startswith(f"<Records of {tmp_path / 'half'}: 1 cell,")
