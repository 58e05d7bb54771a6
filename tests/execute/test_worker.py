"""The summaries of a trained pack: how its cells ended, when they were solved, how long they took."""

from __future__ import annotations

import csv
import time
from pathlib import Path

from helpers import make_cells
from sweeps.execute.worker import train_pack
from sweeps.plan.packs import Pack
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.summary import Summary, finished


def trained(root: Path, *jobs: tuple[str, ...]) -> list[tuple[CellPaths, Summary]]:
    """The records and summaries of cells that were trained as one pack, in order of the jobs."""
    cells = make_cells(*jobs)
    train_pack(Pack(tuple(cells)), root, lambda kind, content: None)
    found = [(paths, finished(paths)) for cell in cells for paths in [SweepPaths(root).cell(cell.id)]]
    return [(paths, summary) for paths, summary in found if summary is not None]


def test_a_run_that_was_solved_and_then_blew_up_has_diverged(tmp_path: Path) -> None:
    explodes = ("arch=rnn_relu", "init=identity", "init.gain=1.5", "optim=sgd", "optim.lr=10")
    [(_, summary)] = trained(tmp_path, (*explodes, "task.solved_at=-1e9"))
    assert summary.outcome == "diverged"
    assert summary.solved_step == 0 < summary.step == summary.diverged_step


def test_solved_step_is_the_first_row_whose_score_reaches_the_threshold(tmp_path: Path) -> None:
    """Exactly reaches: the threshold is the best score of the same run, which was trained before without one."""
    learns = ("arch=gru", "optim.lr=0.02", "train.steps=40", "task.length=4", "task.solved_at=2")
    [(paths, summary)] = trained(tmp_path, learns)
    assert (summary.outcome, summary.solved_step) == ("finished", None)
    with paths.metrics.open(newline="") as file:
        scores = {int(row["step"]): row["eval_score"] for row in csv.DictReader(file)}
    best = summary.best
    assert best.step is not None
    assert float(scores[best.step]) == max(map(float, scores.values())) == best.eval_score
    assert best.step > 0

    again, stopped = (
        (*learns[:-1], f"task.solved_at={best.eval_score!r}", f"train.stop_when_solved={stop}")
        for stop in ("false", "true")
    )
    [(_, summary)] = trained(tmp_path, again)
    assert (summary.outcome, summary.solved_step, summary.step) == ("solved", best.step, 40)
    [(_, summary)] = trained(tmp_path, stopped)
    assert (summary.outcome, summary.solved_step, summary.step) == ("solved", best.step, best.step)


def test_the_seconds_of_the_cells_are_shares_of_the_time_of_the_pack(tmp_path: Path) -> None:
    before = time.perf_counter()
    found = trained(tmp_path, *((f"seed={seed}", "train.steps=100") for seed in range(6)))
    wall = time.perf_counter() - before
    seconds = [summary.seconds for _, summary in found]
    assert len(seconds) == 6
    assert all(each > 0 for each in seconds)
    assert sum(seconds) <= wall
