"""The regression data are those of their formulas; baselines are what scikit-learn's own regression reaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from helpers import make_cell
from sweeps import tasks
from sweeps.check import task_problems
from sweeps.tasks.regression import Regression, split

SETTINGS: dict[str, Any] = {
    "length": 10, "solved_at": 0.9, "data": "friedman1", "samples": 2000, "noise": 1.0, "validation": 0.15,
    "test": 0.25,
}  # fmt: skip
RNG = np.random.default_rng(0)


def regression(**settings: Any) -> Regression:
    made = tasks.make("regression", **(SETTINGS | settings))
    assert isinstance(made, Regression)
    return made


def test_the_three_parts_are_disjoint_and_standardised_by_the_first_alone() -> None:
    task = regression()
    (x, y), others = task.parts[0], task.parts[1:]
    assert [len(part[1]) for part in task.parts] == [1200, 300, 500]
    assert np.abs(x.mean(0)).max() < 1e-6 and x.std(0) == pytest.approx(np.ones(10), abs=1e-6)
    assert y.mean() == pytest.approx(0, abs=1e-6) and y.std() == pytest.approx(1, abs=1e-6)
    assert all(abs(part[1].mean()) > 1e-4 for part in others), "no other part has a say in it"
    rows = [{row.tobytes() for row in part[0]} for part in task.parts]
    assert sum(map(len, rows)) == len(set().union(*rows)) == 2000


def test_features_come_one_a_step_and_the_target_at_the_end() -> None:
    task = regression()
    for batch, (x, y) in ((task.evaluation(RNG, 3), task.parts[1]), (task.test(RNG), task.parts[2])):
        assert batch.inputs.shape == (10, len(y), 1) and np.array_equal(batch.targets, y)
        assert all(np.array_equal(batch.inputs[t, :, 0], x[:, t]) for t in range(10))
    pairs = {x.tobytes(): y for x, y in zip(*task.parts[0], strict=True)}
    drawn = task.sample(RNG, 50)
    assert all(pairs[drawn.inputs[:, b, 0].tobytes()] == drawn.targets[b] for b in range(50))


FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "friedman1": lambda x: (
        10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    ),
    "friedman2": lambda x: np.sqrt(x[:, 0] ** 2 + (x[:, 1] * x[:, 2] - 1 / (x[:, 1] * x[:, 3])) ** 2),
    "friedman3": lambda x: np.arctan((x[:, 1] * x[:, 2] - 1 / (x[:, 1] * x[:, 3])) / x[:, 0]),
}
RANGES: dict[str, list[tuple[float, float]]] = {
    "friedman1": [(0, 1)] * 10,
    "friedman2": [(0, 100), (40 * np.pi, 560 * np.pi), (0, 1), (1, 11)],
    "friedman3": [(0.01, 100), (40 * np.pi, 560 * np.pi), (0, 1), (1, 11)],
}


@pytest.mark.parametrize("data", FORMULAS)
def test_the_targets_are_those_of_the_formula(data: str) -> None:
    """Features are uniform on a known range, so that their range and mean in standardised units give them back."""
    features = len(RANGES[data])
    (x, y), *_ = split(data, features, 4000, 0.0, 0.15, 0.25)
    low, high = (np.array(each) for each in zip(*RANGES[data], strict=True))
    raw = low + (x - x.min(0)) / (x.max(0) - x.min(0)) * (high - low)
    assert np.corrcoef(FORMULAS[data](raw), y[:, 0])[0, 1] > 0.999


@pytest.mark.parametrize(("data", "length"), [("friedman1", 10), ("linear", 8), ("friedman3", 4)])
def test_baselines_are_what_scikit_learn_finds(data: str, length: int) -> None:
    task = regression(data=data, length=length, noise=0.5)
    (x, y), *others = task.parts
    fitted = LinearRegression().fit(x.astype(float), y.astype(float))
    for (own, truth), found in zip(others, (task.baselines, task.test_baselines), strict=True):
        error = ((fitted.predict(own.astype(float)) - truth) ** 2).mean()
        assert found["least squares"] == pytest.approx(error, rel=1e-6)
        assert found["training mean"] == pytest.approx(float((truth.astype(float) ** 2).mean()))
    assert task.chance_loss == pytest.approx(float(others[0][1].astype(float).var()))
    assert (task.baselines["least squares"] < 0.01) == (data == "linear"), "of linear data it knows all but the noise"


def test_the_noise_is_in_the_units_of_the_generator() -> None:
    """Of friedman1 the sum of two independent parts: Var(y) with noise 3 is 9 more, and least squares has 9 more."""
    scale = [
        regression(noise=noise, samples=40_000).test_baselines["least squares"] / _unit(noise) for noise in (0.0, 3.0)
    ]
    assert scale[1] - scale[0] == pytest.approx(9, rel=0.05)


def _unit(noise: float) -> float:
    """The variance of the generator's training targets is 1 in the task's units: 1 over it, from the formula."""
    x = np.random.default_rng(0).random((400_000, 10))
    return 1 / float(FORMULAS["friedman1"](x).var() + noise**2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["task.length=4"], "task.length: given 4, must be at least 5 (the features of friedman1)"),
        (["task.data=friedman2", "task.length=5"], "task.length: given 5, must be 4 (the features of friedman2)"),
        (["task.data=friedman"], "task.data: 'friedman' is not known; did you mean"),
        (["task.noise=-1"], "task.noise: given -1, must be at least 0"),
        (["task.noise=inf"], "task.noise: given inf, must be at least 0 and at most 1e+100 (a standard deviation)"),
        (["task.noise=1e300"], "task.noise: given 1e+300, must be at least 0 and at most 1e+100"),
        (["task.samples=1000000000000"], "task.samples: given 1000000000000, must be at most 10000000 with 10"),
        (["task.samples=30"], "task.samples: given 30, must be at least 50 with 10 features"),
        (["task.samples=60", "task.length=40"], "task.samples: given 60, must be at least 137 with 40 features"),
        (["task.validation=0.5", "task.test=0.5"], "must be at most 0.9 together"),
    ],
)
def test_what_cannot_be_is_said_before_training(given: list[str], said: str) -> None:
    [problem] = task_problems([make_cell("task=regression", "task.length=10", *given)])
    assert problem.startswith("task=regression: ") and said in problem
