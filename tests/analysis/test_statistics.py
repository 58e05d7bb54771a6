"""Statistics against planted truths and values computed by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.statistics.summaries import decay_rates, per_cell


@pytest.mark.parametrize("slope", [-1.1, -0.02, 0.0, 0.05])
def test_the_planted_slope_is_the_decay_rate_and_the_change(tmp_path: Path, slope: float) -> None:
    write_cell(tmp_path, slope=(slope, 2 * slope), length=60, steps=100, log_every=50)
    records = load(tmp_path)
    cell = per_cell(records.metrics, records.gradient).iloc[0]
    for name in ("decay", "change"):
        assert cell[f"{name}_start"] == pytest.approx(slope, abs=1e-12)
        assert cell[f"{name}_training"] == pytest.approx(1.75 * slope, abs=1e-12)  # median of 1.5 and 2 times it


def gradient(value: np.ndarray) -> pd.DataFrame:
    """One cell at one step, by lag."""
    lag = np.arange(len(value))
    return pd.DataFrame({"cell": "a", "step": 0, "t": lag[::-1], "lag": lag, "log10_norm": value})


@pytest.mark.parametrize(("part", "lags"), [((0.0, 1.0), (20, 60)), ((0.0, 0.5), (20, 40)), ((0.5, 1.0), (40, 60))])
def test_the_slope_is_least_squares_between_the_ends(part: tuple[float, float], lags: tuple[int, int]) -> None:
    rng = np.random.default_rng(list(b"slope"))
    lag = np.arange(80)
    value = -600.0 - 3.0 * lag + rng.normal(0, 1, 80)
    value[[23, 57]] = np.nan
    kept = np.isfinite(value) & (lag >= lags[0]) & (lag < lags[1])
    rates = decay_rates(gradient(value), part).iloc[0]
    assert rates["decay_rate"] == pytest.approx(np.polyfit(lag[kept], value[kept], 1)[0], rel=1e-9)
    assert rates["change"] == pytest.approx((value[79] - value[0]) / 79) and rates["zeros"] == 0


def test_what_is_not_known_is_no_number_and_what_is_zero_is() -> None:
    def numbers(*value: float) -> tuple[float, ...]:
        return tuple(decay_rates(gradient(np.array(value)))[["decay_rate", "change", "zeros"]].iloc[0])

    assert numbers(*[-1.0] * 49) == pytest.approx((math.nan, 0.0, 0.0), nan_ok=True), "too short for a rate"
    assert numbers(*[-1.0] * 50) == pytest.approx((0.0, 0.0, 0.0))
    assert numbers(*[math.nan] * 60) == pytest.approx((math.nan, math.nan, 0.0), nan_ok=True)
    assert numbers(math.nan, *[-1.0] * 59) == pytest.approx((0.0, math.nan, 0.0), nan_ok=True)
    assert numbers(-1.0, -math.inf, -math.inf) == pytest.approx((math.nan, -math.inf, 2 / 3), nan_ok=True)
    assert numbers(*[-1.0] * 59, -math.inf) == pytest.approx((-math.inf, -math.inf, 1 / 60))
    assert numbers(-1.0) == pytest.approx((math.nan, math.nan, 0.0), nan_ok=True), "one step has no change"


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    value = np.linspace(0.0, -7.0, 70) ** 3
    rows = pd.concat([gradient(value), gradient(value / 2).assign(cell="b"), gradient(value - np.inf).assign(cell="c")])
    whole = decay_rates(rows)
    monkeypatch.setattr("sweeps.analysis.statistics.summaries.BLOCK", 37)
    pd.testing.assert_frame_equal(decay_rates(rows), whole, rtol=1e-12)


def test_the_gradient_norm_of_a_diverged_run_is_that_of_its_finite_steps(tmp_path: Path) -> None:
    write_cell(tmp_path, outcome="diverged", end=20, grad_norm=7.0)
    records = load(tmp_path)
    assert np.isposinf(records.metrics["grad_norm"]).sum() == 1
    assert per_cell(records.metrics, records.gradient)["grad_norm"].iloc[0] == pytest.approx(7.0)
