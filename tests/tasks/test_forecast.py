"""The series are the files' own, every target of a part counts once, and the baselines are those of a second route."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.tsa.ar_model import AutoReg

from helpers import make_cell
from sweeps import tasks
from sweeps.check import task_problems
from sweeps.tasks import Batch
from sweeps.tasks.forecast import Forecast
from sweeps.tasks.series import co2, sunspots

SETTINGS: dict[str, Any] = {
    "length": 48, "solved_at": 0.85, "series": "sunspots", "difference": False, "validation": 0.16, "test": 0.2,
}  # fmt: skip
RNG = np.random.default_rng(0)


def forecast(**settings: Any) -> Forecast:
    made = tasks.make("forecast", **(SETTINGS | settings))
    assert isinstance(made, Forecast)
    return made


def test_monthly_sunspots_are_the_yearly_ones_of_statsmodels() -> None:
    """The means over the months of a year are the yearly numbers, which come from another file."""
    monthly, yearly = sunspots(), sm.datasets.sunspots.load_pandas().data
    assert len(monthly) == 3126 and monthly[:2].tolist() == [58.0, 62.6] and monthly[-1] == 2.6
    means = monthly[: 12 * 260].reshape(260, 12).mean(1)  # 1749 to 2008
    given = yearly.loc[(yearly["YEAR"] >= 1749) & (yearly["YEAR"] <= 2008), "SUNACTIVITY"].to_numpy()
    assert np.abs(means - given).max() < 0.5, "one of the two was revised"


def test_monthly_co2_is_what_pandas_makes_of_the_weeks() -> None:
    weeks = sm.datasets.co2.load_pandas().data["co2"]
    months = weeks.resample("MS").mean()
    assert len(co2()) == 526 and np.abs(co2() - months.interpolate().to_numpy()).max() < 1e-9


def test_persistence_and_an_autoregression_are_those_that_are_known() -> None:
    """Of the last 626 months, fitted to the 2,500 before them: 19.46 and 17.71 (reference values of the data set)."""
    task = forecast(test=626 / 3126, validation=0.01)
    rmse = {name: task.deviation * loss**0.5 for name, loss in task.test_baselines.items()}
    assert rmse["persistence"] == pytest.approx(19.463, abs=0.001)
    assert rmse["AR(12)"] == pytest.approx(17.715, abs=0.03), "31 months fewer to fit"


@pytest.mark.parametrize(("series", "difference"), [("sunspots", False), ("co2", True)])
def test_baselines_agree_with_statsmodels(series: str, difference: bool) -> None:
    task = forecast(series=series, difference=difference)
    raw = tasks.series.SERIES[series]()
    raw = np.diff(raw) if difference else raw
    first, last, end = task.ends
    model = AutoReg(raw[:first], 12).fit()
    for begin, stop, found in ((first, last, task.baselines), (last, end, task.test_baselines)):
        history = np.stack([raw[begin - k : stop - k] for k in range(1, 13)], 1)
        error = raw[begin:stop] - model.params[0] - history @ model.params[1:]
        assert found["AR(12)"] == pytest.approx((error**2).mean() / raw[:first].var(), rel=1e-9)
        still = raw[begin:stop] if difference else raw[begin:stop] - raw[begin - 1 : stop - 1]
        assert found["persistence"] == pytest.approx((still**2).mean() / raw[:first].var())
    assert task.chance_loss == pytest.approx(raw[first:last].var() / raw[:first].var())


def ramp(length: int) -> Forecast:
    """The task with the number of each month for its value: a sequence says where it is from."""
    task = forecast(length=length)
    task.values = np.arange(len(task.values), dtype=float)
    return task


@pytest.mark.parametrize("length", [2, 3, 48, 61])
def test_every_target_of_a_part_counts_once_after_the_months_before_it(length: int) -> None:
    task = ramp(length)
    first, last, end = task.ends
    for batch, begin, stop in ((task.evaluation(RNG, 1), first, last), (task.test(RNG), last, end)):
        assert np.array_equal(batch.targets, batch.inputs + 1), "one step ahead"
        assert (np.diff(batch.inputs[:, :, 0], axis=0) == 1).all(), "month after month"
        assert batch.weights is not None and not batch.weights[: length // 2].any(), "some are read before one counts"
        counted = batch.targets[:, :, 0][batch.weights == 1].astype(int)
        assert sorted(counted) == list(range(begin, stop)) and batch.weights.sum() == stop - begin


@pytest.mark.parametrize("batch", [1, 2, 16, 300])
def test_the_stream_reads_the_training_part_in_order(batch: int) -> None:
    task = ramp(24)
    first, stream = task.ends[0], task.stream(np.random.default_rng(5), batch)
    passes: list[list[Batch]] = []
    while len(passes) < 4:
        made = next(stream)
        passes += [] if made.goes_on else [[]]
        passes[-1].append(made)
    for each in passes[:-1]:
        x = np.concatenate([made.inputs[:, :, 0] for made in each])
        y = np.concatenate([made.targets[:, :, 0] for made in each])
        assert np.array_equal(y, x + 1) and (np.diff(x, axis=0) == 1).all(), "a chunk goes on where the last one ended"
        assert x.min() >= 0 and y.max() < first, "of the training part alone"
        assert len(np.unique(x)) > 0.8 * first, "nearly all of it"
        assert x.size == len(np.unique(x)) or batch == 300, "readers overlap only where they must"
    assert len({each[0].inputs[0, 0, 0] for each in passes}) > 1, "every pass begins elsewhere"


def test_standardised_on_the_training_part_alone() -> None:
    task = forecast()
    own = task.values[: task.ends[0]]
    assert (own.mean(), own.std()) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    assert task.deviation * task.values + (58.0 - task.deviation * task.values[0]) == pytest.approx(sunspots())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["task.length=1"], "task.length: given 1, must be at least 2 (one month to read before one that counts)"),
        (["task.length=1001"], "given 1001, must be at most 1000 (half of the 2001 months of the training part of sun"),
        (["task.series=sunspot"], "task.series: 'sunspot' is not known; did you mean 'sunspots'"),
        (["task.test=0.6", "task.validation=0.3"], "given 0.3 and 0.6, must be at most 0.8 together"),
    ],
)
def test_what_cannot_be_is_said_before_training(given: list[str], said: str) -> None:
    [problem] = task_problems([make_cell("task=forecast", "task.length=48", *given)])
    assert problem.startswith("task=forecast: ") and said in problem
