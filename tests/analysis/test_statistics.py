"""Statistics against planted truths and values computed by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps.analysis import load
from sweeps.analysis.statistics.intervals import bootstrap_interval, range_coverage, wilson_interval
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
    found = decay_rates(gradient(value), part).iloc[0]
    assert found["decay_rate"] == pytest.approx(np.polyfit(lag[kept], value[kept], 1)[0], rel=1e-9)
    assert found["change"] == pytest.approx((value[79] - value[0]) / 79) and found["zeros"] == 0


def test_what_is_not_known_is_no_number_and_what_is_zero_is() -> None:
    def found(*value: float) -> tuple[float, ...]:
        return tuple(decay_rates(gradient(np.array(value)))[["decay_rate", "change", "zeros"]].iloc[0])

    assert found(*[-1.0] * 49) == pytest.approx((math.nan, 0.0, 0.0), nan_ok=True), "too short for a rate"
    assert found(*[-1.0] * 50) == pytest.approx((0.0, 0.0, 0.0))
    assert found(*[math.nan] * 60) == pytest.approx((math.nan, math.nan, 0.0), nan_ok=True)
    assert found(math.nan, *[-1.0] * 59) == pytest.approx((0.0, math.nan, 0.0), nan_ok=True)
    assert found(-1.0, -math.inf, -math.inf) == pytest.approx((math.nan, -math.inf, 2 / 3), nan_ok=True)
    assert found(*[-1.0] * 59, -math.inf) == pytest.approx((-math.inf, -math.inf, 1 / 60))
    assert found(-1.0) == pytest.approx((math.nan, math.nan, 0.0), nan_ok=True), "one step has no change"


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


def test_wilson_interval_by_hand() -> None:
    # 3 of 10 at z = 1.959964: centre (0.3 + z²/20)/(1 + z²/10), half width z/(1 + z²/10) sqrt(0.021 + z²/400)
    z = 1.959963984540054
    centre, half = (0.3 + z * z / 20), z * math.sqrt(0.021 + z * z / 400)
    expected = ((centre - half) / (1 + z * z / 10), (centre + half) / (1 + z * z / 10))
    assert wilson_interval(3, 10) == pytest.approx(expected)
    assert wilson_interval(0, 2) == pytest.approx((0.0, z * z / (2 + z * z)))
    assert all(map(math.isnan, wilson_interval(0, 0)))


def test_one_run_has_no_interval() -> None:
    assert all(map(math.isnan, bootstrap_interval([0.7], seed=0)))
    assert all(map(math.isnan, bootstrap_interval([0.7, np.nan, -np.inf], seed=0)))


def test_the_bootstrap_honours_its_seed_and_0_is_one() -> None:
    values = np.random.default_rng(list(b"values")).normal(size=9)
    first = bootstrap_interval(values, np.mean, seed=0)
    np.random.seed(1)  # the global stream must not matter
    assert bootstrap_interval(values, np.mean, seed=0) == first
    assert bootstrap_interval(values, np.mean, seed=1) != first


def test_the_bootstrap_interval_of_the_mean_is_near_the_normal_one() -> None:
    values = np.random.default_rng(list(b"normal")).normal(5.0, 2.0, size=200)
    low, high = bootstrap_interval(values, np.mean, seed=0)
    half = 1.96 * values.std() / math.sqrt(200)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.15 * half)


def test_two_runs_give_their_range_which_holds_the_median_half_of_the_time() -> None:
    assert bootstrap_interval([0.2, 0.6], seed=0) == pytest.approx((0.2, 0.6))
    draws = np.random.default_rng(list(b"coverage")).normal(size=(4000, 5))
    for n in (2, 3, 5):
        held = (draws[:, :n].min(axis=1) < 0) & (draws[:, :n].max(axis=1) > 0)
        assert held.mean() == pytest.approx(range_coverage(n), abs=0.03)
