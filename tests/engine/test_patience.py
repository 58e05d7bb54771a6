"""Patience is counted by hand; early stopping ends a run at that evaluation, its neighbours go on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers import make_cell
from sweeps.engine import train as module
from sweeps.engine.patience import Patience
from sweeps.engine.setup import Training


def test_it_runs_out_after_so_many_in_a_row_and_counts_anew() -> None:
    patience = Patience([2, 3, math.inf], [0.0, 0.0, 0.1])
    losses = [5.0, 5.0, 4.0, 4.5, 4.0, 3.9, math.nan, 4.0, 4.0]
    found = np.array([patience.evaluated([loss] * 3) for loss in losses])
    assert np.flatnonzero(found[:, 0]).tolist() == [4, 7], "4.5 and 4.0 are no better than 4; then nan and 4"
    assert np.flatnonzero(found[:, 1]).tolist() == [8], "three in a row: nan, 4, 4"
    assert not found[:, 2].any()
    assert patience.state[:, 0].tolist() == [3.9, 3.9, 4.0], "3.9 is not a tenth below 4"
    assert patience.times == [2.0, 1.0, 0.0]


def test_kept_lanes_go_on_as_they_were() -> None:
    rng = np.random.default_rng(0)
    losses = rng.random((40, 4))
    whole, part = (Patience([2, 3, 4, 5], [0.0, 0.1, 0.0, 0.1]) for _ in range(2))
    for n, row in enumerate(losses):
        if n == 11:
            part.keep([3, 1])
        one, other = whole.evaluated(row), part.evaluated(row if n < 11 else row[[3, 1]])
        assert (one if n < 11 else one[[3, 1]]).tolist() == other.tolist()


def test_a_run_ends_at_the_evaluation_at_which_its_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The losses are planted: better at 0, 2 and 4, never again; three lanes of a pack with patience 2, 4, none."""
    planted = iter([3.0, 2.0, 1.0, 1.5, 1.0, 1.0, 1.2, 1.0, 1.0, 1.0, 1.0])

    def evaluate(training: Training) -> list[tuple[float, float]]:
        return [(next(planted), 0.0)] * len(training.positions)

    monkeypatch.setattr(module, "evaluate", evaluate)
    common = ("train.steps=20", "train.log_every=2", "train.eval_every=2")
    cells = [make_cell(*common, f"train.patience={each}", f"seed={each}") for each in (2, 4, 0)]
    ends = {m.position: m.step for row in module.train(cells, lambda *given: None) for m in row if m.weights}
    assert ends == {0: 8, 1: 12, 2: 20}
