"""Statistics against planted truths and values computed by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps.analysis import load
from sweeps.analysis.statistics.summaries import decay_rates, per_cell


@pytest.mark.parametrize("slope", [-1.1, -0.02, 0.0, 0.05])
def test_the_planted_slope_is_the_decay_rate(tmp_path: Path, slope: float) -> None:
    write_cell(tmp_path, slope=(slope, 2 * slope), length=40, steps=100, log_every=50)
    records = load(tmp_path)
    cell = per_cell(records.metrics, records.gradient).iloc[0]
    assert cell["decay_start"] == pytest.approx(slope, abs=1e-12)
    assert cell["decay_training"] == pytest.approx(1.75 * slope, abs=1e-12)  # median of 1.5 and 2 times it


def test_the_slope_is_least_squares_over_finite_values() -> None:
    rng = np.random.default_rng(list(b"slope"))
    lag = np.arange(30)
    value = -600.0 - 3.0 * lag + rng.normal(0, 1, 30)
    value[[3, 7]], value[11] = -np.inf, np.nan
    frame = pd.DataFrame({"cell": "a", "step": 0, "lag": lag, "log10_norm": value})
    kept = np.isfinite(value)
    found = decay_rates(frame).iloc[0]
    assert found["decay_rate"] == pytest.approx(np.polyfit(lag[kept], value[kept], 1)[0], rel=1e-9)
    assert found["zeros"] == pytest.approx(2 / 30)


def test_too_few_finite_values_have_no_slope() -> None:
    frame = pd.DataFrame({"cell": "a", "step": 0, "lag": [0, 1, 2], "log10_norm": [-1.0, -np.inf, np.nan]})
    assert math.isnan(decay_rates(frame)["decay_rate"].iloc[0])


def test_the_gradient_norm_of_a_diverged_run_is_that_of_its_finite_steps(tmp_path: Path) -> None:
    write_cell(tmp_path, outcome="diverged", end=20, grad_norm=7.0)
    records = load(tmp_path)
    assert np.isposinf(records.metrics["grad_norm"]).sum() == 1
    assert per_cell(records.metrics, records.gradient)["grad_norm"].iloc[0] == pytest.approx(7.0)
