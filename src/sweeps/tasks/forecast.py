"""One step ahead: at every month of a real series the value of the next month, by truncated back-propagation.

A series s of N values (or of their changes, with `difference`) is cut into a training, a validation and a test part,
in order of time, and standardised by mean and standard deviation of the training part alone. The inputs are s_t, the
targets s_{t+1}. In training B readers stand at equal distances in the training part; each batch has the next T months
of every reader, and the network goes on in the state in which it ended the batch before, until all move to a new place.

A part is evaluated in windows of T months, of which the last T - T // 2 count: every target of the part is predicted
once, after at least T // 2 + 1 months, those before the part included. Losses are mean squared errors in units of the
training part's variance, so that RMSE = `deviation` * sqrt(loss) in the units of the series. Recorded baselines:
persistence (s_{t+1} = s_t; no change, of changes), and AR(12), ordinary least squares on the last 12 values of the
training part.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sweeps.errors import unknown
from sweeps.tasks.base import Batch, at_least, register
from sweeps.tasks.parts import least_squares, predicted, share
from sweeps.tasks.readers import look_back, passes
from sweeps.tasks.series import SERIES

ORDER = 12
"""Values that the autoregression looks back."""


class Forecast:
    """One input, one output at every time step; score = explained variance.

    The validation part chooses, complete, whatever `train.eval_size`; the test part reports.

    Attributes:
        values: of the series, or their changes, standardised, float64 `[N]`.
        ends: the first target of the validation part, of the test part, and behind the last: indices into `values`.
        deviation: standard deviation of the training part, in the units of the series.
        no_change: of changes, what a change of 0 is among `values`; None otherwise.
    """

    inputs = 1
    outputs = 1
    loss = "mse"
    score = "explained variance"
    answers = "every"

    def __init__(
        self, length: int, solved_at: float, series: str, difference: bool, validation: float, test: float
    ) -> None:
        if series not in SERIES:
            raise ValueError(unknown("task.series", series, SERIES))
        if share("validation", validation) + share("test", test) > 0.8:
            raise ValueError(
                f"task.validation and task.test: given {validation:g} and {test:g}, must be at most 0.8 together"
            )
        values = np.diff(SERIES[series]()) if difference else SERIES[series]()
        n = len(values)
        first, last = round(n * (1 - validation - test)), round(n * (1 - test))
        self.ends, longest = (first, last, n), (first - 1) // 2
        self.length, self.solved_at = at_least(length, 2, "one month to read before one that counts"), solved_at
        if length > longest:
            why = f"half of the {first} months of the training part of {series}"
            raise ValueError(f"task.length: given {length}, must be at most {longest} ({why})")
        self.deviation, mean = float(values[:first].std()), values[:first].mean()
        self.values = (values - mean) / self.deviation
        self.no_change = -mean / self.deviation if difference else None
        self.chance_loss = float(self.values[first:last].var())
        self.baselines = self._baselines(first, last)
        self.test_baselines = self._baselines(last, n)

    def _baselines(self, begin: int, end: int) -> dict[str, float]:
        """Mean squared errors over the targets from `begin` to `end`."""
        s, first = self.values, self.ends[0]
        before = np.lib.stride_tricks.sliding_window_view(s[:-1], ORDER)  # row t: what comes before target t + ORDER
        fitted = least_squares(before[: first - ORDER], s[ORDER:first, None])
        regressed = predicted(fitted, before[begin - ORDER : end - ORDER])[:, 0]
        still = s[begin - 1 : end - 1] if self.no_change is None else self.no_change
        return {
            "persistence": float(((s[begin:end] - still) ** 2).mean()),
            f"AR({ORDER})": float(((s[begin:end] - regressed) ** 2).mean()),
        }

    def stream(self, rng: np.random.Generator, batch: int) -> Iterator[Batch]:
        for starts, goes_on in passes(rng, self.ends[0] - 1, self.length, batch):
            yield self._windows(starts)._replace(goes_on=goes_on)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        del rng, size
        return self._part(*self.ends[:2])

    def test(self, rng: np.random.Generator) -> Batch:
        del rng
        return self._part(*self.ends[1:])

    def _part(self, begin: int, end: int) -> Batch:
        """Windows that together count every target from `begin` to `end` once."""
        starts, counts = look_back(begin, end, self.length)
        return self._windows(starts - 1)._replace(weights=counts)

    def _windows(self, starts: np.ndarray) -> Batch:
        at = starts + np.arange(self.length)[:, None]
        x, y = (self.values[part, None].astype(np.float32) for part in (at, at + 1))
        return Batch(x, y, np.ones(at.shape, dtype=np.float32))


register("forecast", Forecast)
