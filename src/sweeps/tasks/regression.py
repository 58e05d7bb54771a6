"""A sequence to a value: the features of scikit-learn's regression data, read one a step, and their target at the end.

    linear      y = x . w + noise, w nonzero at 5 of T features (make_regression)
    friedman1   y = 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + noise, x ~ U[0, 1]^T (Friedman 1991)
    friedman2   y = (x1^2 + (x2 x3 - 1 / (x2 x4))^2)^(1/2) + noise, T = 4
    friedman3   y = arctan((x2 x3 - 1 / (x2 x4)) / x1) + noise, T = 4

Features and targets are standardised by mean and standard deviation of the training part. Recorded beside the loss of
the best constant answer to the validation part (its variance): that of the training part's mean, and of ordinary least
squares.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from sweeps.errors import unknown
from sweeps.tasks.base import Batch, at_least, register
from sweeps.tasks.parts import apart, least_squares, predicted, share

INFORMATIVE = 5
FEATURES = {"linear": (1, None), "friedman1": (5, None), "friedman2": (4, 4), "friedman3": (4, 4)}
"""The least and the largest number of features."""
MOST_NOISE = 1e100
"""Its square, and that of the data's targets with it, must be a number."""
MOST_NUMBERS = 10**8
"""Samples times features, which take 0.8 GB as they are drawn."""

Part = tuple[np.ndarray, np.ndarray]
"""Features `[n, T]` and targets `[n, 1]`, float32, standardised."""


@cache
def split(data: str, features: int, samples: int, noise: float, validation: float, test: float) -> tuple[Part, ...]:
    """The training, validation and test part; the same for every seed.

    Args:
        noise: standard deviation, in the units of the generator's targets.
        validation, test: shares of all samples.
    """
    from sklearn import datasets  # slow to import, and only this task needs it

    makers: dict[str, Callable[..., Any]] = {
        "linear": datasets.make_regression,
        "friedman1": datasets.make_friedman1,
        "friedman2": datasets.make_friedman2,
        "friedman3": datasets.make_friedman3,
    }
    more: dict[str, int] = {} if FEATURES[data][1] else {"n_features": features}
    more |= {"n_informative": min(INFORMATIVE, features)} if data == "linear" else {}
    x, y = makers[data](n_samples=samples, noise=noise, random_state=0, **more)
    rest, last = apart(np.zeros(samples), test, seed=0)
    kept, chosen = apart(np.zeros(len(rest)), validation / (1 - test), seed=1)
    first = rest[kept]
    x, y = ((each - each[first].mean(0)) / each[first].std(0) for each in (x, y[:, None]))
    return tuple((x[own].astype(np.float32), y[own].astype(np.float32)) for own in (first, rest[chosen], last))


class Regression:
    """One input, the feature; one output; score = explained variance, the R^2 of the part.

    The validation part chooses, complete, whatever `train.eval_size`; the test part reports.
    """

    inputs = 1
    outputs = 1
    loss = "mse"
    score = "explained variance"

    def __init__(
        self, length: int, solved_at: float, data: str, samples: int, noise: float, validation: float, test: float
    ) -> None:
        if data not in FEATURES:
            raise ValueError(unknown("task.data", data, FEATURES))
        least, largest = FEATURES[data]
        self.length, self.solved_at = at_least(length, least, f"the features of {data}"), solved_at
        if largest is not None and length > largest:
            raise ValueError(f"task.length: given {length}, must be {largest} (the features of {data})")
        if not 0 <= noise <= MOST_NOISE:
            raise ValueError(
                f"task.noise: given {noise:g}, must be at least 0 and at most {MOST_NOISE:g} (a standard deviation)"
            )
        if share("validation", validation) + share("test", test) > 0.9:
            raise ValueError(
                f"task.validation and task.test: given {validation:g} and {test:g}, must be at most 0.9 together"
            )
        if not (samples >= 50 and samples * (1 - validation - test) >= 2 * (length + 1)):
            least = max(50, int(np.ceil(2 * (length + 1) / (1 - validation - test))))
            raise ValueError(f"task.samples: given {samples}, must be at least {least} with {length} features")
        if samples * length > MOST_NUMBERS:
            raise ValueError(
                f"task.samples: given {samples}, must be at most {MOST_NUMBERS // length} with {length} features"
            )
        self.parts = split(data, length, samples, noise, validation, test)
        self.chance_loss = float(self.parts[1][1].astype(float).var())
        self.baselines, self.test_baselines = (self._baselines(*part) for part in self.parts[1:])

    def _baselines(self, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """Mean squared errors on a part of what is fitted to the training part, whose mean target is 0."""
        fitted = least_squares(*self.parts[0])
        return {
            "training mean": float((y.astype(float) ** 2).mean()),
            "least squares": float(((predicted(fitted, x) - y) ** 2).mean()),
        }

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        x, y = self.parts[0]
        index = rng.integers(0, len(y), batch)
        return _sequences(x[index], y[index])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        del rng, size
        return _sequences(*self.parts[1])

    def test(self, rng: np.random.Generator) -> Batch:
        del rng
        return _sequences(*self.parts[2])


def _sequences(x: np.ndarray, y: np.ndarray) -> Batch:
    return Batch(np.ascontiguousarray(x.T)[..., None], y)


register("regression", Regression)
