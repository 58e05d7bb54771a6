"""What the recorder writes of measurements: the rows of metrics.csv, the best step, how the run ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers import make_cells
from sweeps import tasks
from sweeps.engine.train import Measurement
from sweeps.execute.recorder import Recorder, _metrics_row
from sweeps.records.columns import METRICS
from sweeps.records.paths import CellPaths


def measured(step: int, score: float | None = None, norms: tuple[float, ...] = (0.0,)) -> Measurement:
    """A measurement with this score and nothing else of interest; solved at a score of 0.9."""
    solved = score is not None and score >= 0.9
    return Measurement(0, step, 1.0, 1.0, 1.0, 0.1, np.array(norms), None, score, score, solved, None, None)


def recorder_of(*scores: float | None) -> Recorder:
    """A recorder that has been given these scores at steps 0, 10, 20 ..."""
    [cell] = make_cells(())
    recorder = Recorder(cell, CellPaths(Path("nowhere")), tasks.task_of(cell.settings.task))
    for row, score in enumerate(scores):
        recorder.add(measured(10 * row, score))
    return recorder


def test_beyond_float32_counts_what_float32_cannot_hold_and_neither_zeros_nor_nan() -> None:
    m = measured(0, norms=(-np.inf, -600.0, -37.95, -37.9, 0.0, 38.5, 38.6, np.nan))
    row = dict(zip(METRICS, _metrics_row(m), strict=True))
    assert row["beyond_float32"] == 3
    assert np.float32(10.0**-37.9) >= np.finfo(np.float32).tiny > np.float32(10.0**-37.95)


def test_of_equal_scores_the_first_is_the_best() -> None:
    best = recorder_of(0.2, None, 0.5, 0.5, 0.4).best
    assert best is not None
    assert best.step == 20


def test_a_run_is_solved_at_the_first_step_that_solves_it_and_stays_so() -> None:
    recorder = recorder_of(0.2, None, 0.95, 0.99, 0.1)
    assert (recorder.solved_step, recorder.outcome) == (20, "solved")
    recorder = recorder_of(0.2, None, 0.5)
    assert (recorder.solved_step, recorder.outcome) == (None, "finished")
