"""`train.skip_nonfinite`: an update that is not finite is left out, as if its batch had never been; it is counted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from helpers import make_cell, make_cells
from sweeps.engine.checkpoint import restore, state_of
from sweeps.engine.data import Data, Examples
from sweeps.engine.setup import Training, set_up
from sweeps.engine.train import Measurement, train
from sweeps.execute.worker import train_pack
from sweeps.plan.packs import Pack
from sweeps.records.ended import ended
from sweeps.records.paths import CellPaths
from sweeps.records.summary import read_summary

OWN = ("train.steps=8", "train.log_every=1", "train.eval_every=8", "train.skip_nonfinite=true")
EXPLODES = ("arch=rnn_relu", "init=identity", "init.gain=100", "task.length=60")


def nothing(training: Training, lane: int) -> None:
    return None


def losses(*cells: tuple[str, ...]) -> list[list[Measurement]]:
    of_lane: list[list[Measurement]] = [[] for _ in cells]
    for row in train([make_cell(*OWN, *cell) for cell in cells], nothing):
        for m in row:
            of_lane[m.position].append(m)
    return of_lane


@pytest.mark.parametrize("optim", ["optim=adam", "optim=sgd"])
def test_a_step_that_is_left_out_leaves_nothing_behind(optim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lane 0 meets a batch of no numbers between its third and fourth: later losses are those of a run without it."""
    [undisturbed] = losses((optim,))
    calls, original = [0], Data.next

    def with_one_more(self: Data) -> Examples:
        calls[0] += 1
        if calls[0] != 4:
            return original(self)
        self.batch.x[0] = math.nan
        return self.batch

    monkeypatch.setattr(Data, "next", with_one_more)
    disturbed, other = losses((optim,), (optim, "seed=1"))
    assert [m.train_loss for m in disturbed[:3] + disturbed[4:]] == [m.train_loss for m in undisturbed[:-1]]
    assert math.isnan(disturbed[3].train_loss) and disturbed[3].diverged is None
    assert [m.skipped for m in disturbed] == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert [m.skipped for m in other] == [0] * 9
    assert all(math.isfinite(m.train_loss) for m in other)


def test_without_the_setting_the_run_has_diverged() -> None:
    [rows] = [[m for row in train([make_cell(*EXPLODES)], nothing) for m in row]]
    assert rows[-1].diverged is not None and rows[-1].skipped == 0


def test_the_record_says_how_many(tmp_path: Path) -> None:
    cells = make_cells((*OWN, *EXPLODES), (*OWN, *EXPLODES, "init.gain=0.5"), (*EXPLODES, "init.gain=0.5"))
    for cell in cells:
        train_pack(Pack((cell,)), tmp_path, lambda kind, content: None)
    never, all_of_them, without = (read_summary(CellPaths(tmp_path / cell.id)) for cell in cells)
    assert (never.outcome, never.skipped, never.diverged_step) == ("finished", 8, None)
    assert ended(never, 8) == "Finished at step 8, not solved; 8 updates left out, not finite."
    assert (all_of_them.skipped, without.skipped) == (0, None)
    assert "skipped" not in json.loads((tmp_path / cells[2].id / "summary.json").read_text())


def test_a_cell_that_goes_on_has_counted() -> None:
    cell = make_cell(*OWN)
    one, other = set_up([cell, cell]), set_up([cell])
    one.skip([1])
    restore(other, [state_of(one, 1)], 1)
    assert other.skipped.tolist() == [1]
    one.skip([0, 1])
    one.end([0])
    assert one.skipped.tolist() == [2]
    assert "skipped" not in state_of(set_up([make_cell()]), 0)


def test_a_stream_goes_on_from_zeros() -> None:
    training = set_up([make_cell(*OWN, "task=char_lm", "task.length=6", f"seed={seed}") for seed in (0, 1)])
    assert training.data.end is not None
    training.data.end.fill_(math.nan)
    training.skip([1])
    assert training.data.end[0].isnan().all() and torch.equal(
        training.data.end[1], torch.zeros_like(training.data.end[1])
    )
