"""The text of the heat map holds the values of the record: read back here by a second route, the definition."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from sweeps.report.heat_map import DIGITS, MOST, heat_map, thinned


def read(drawn: dict[str, Any]) -> np.ndarray:
    """[S, L], the values that a text stands for."""
    size, text = drawn["digits"], drawn["values"]
    numbers = [
        sum(DIGITS.index(each) * len(DIGITS) ** (size - 1 - place) for place, each in enumerate(text[at : at + size]))
        for at in range(0, len(text), size)
    ]
    step = (drawn["high"] - drawn["low"]) / (len(DIGITS) ** size - 3)
    values = [
        -math.inf if each == 0 else math.nan if each == 1 else drawn["low"] + (each - 2) * step for each in numbers
    ]
    return np.array(values).reshape(len(drawn["steps"]), len(drawn["lags"]))


@pytest.mark.parametrize("span", [0.0, 0.5, 79.0, 600.0, 20_000.0])
def test_every_value_is_there_to_a_hundredth_of_a_decade_or_a_hundred_thousandth_of_the_range(span: float) -> None:
    norms = np.random.default_rng(0).uniform(-span, 0.0, (7, 11)) - 3.0
    drawn = heat_map(np.arange(7) * 10, norms)
    assert (drawn["steps"], drawn["lags"]) == ([0, 10, 20, 30, 40, 50, 60], list(range(11)))
    assert np.abs(read(drawn) - norms).max() <= (0.005 if span < 80 else span / 1e5)


def test_zero_and_what_is_not_finite_are_told_apart() -> None:
    norms = np.array([[-1.0, -math.inf, math.nan], [-2.0, math.inf, -3.0]])
    back = read(heat_map(np.array([0, 5]), norms))
    assert back[0, 1] == -math.inf and np.isnan([back[0, 2], back[1, 1]]).all()
    assert back[[0, 1, 1], [0, 0, 2]] == pytest.approx([-1.0, -2.0, -3.0])
    assert np.isnan(read(heat_map(np.array([0]), np.full((1, 4), math.nan)))).all()


@pytest.mark.parametrize("shape", [(1, 1), (101, 200), (1000, 1000), (3, 50_000), (20_000, 2), (120, 100)])
def test_a_large_record_is_thinned_evenly_and_keeps_its_ends(shape: tuple[int, int]) -> None:
    norms = np.add.outer(np.arange(shape[0]) * 1.0, np.arange(shape[1]) / shape[1])
    drawn = heat_map(np.arange(shape[0]), norms)
    steps, lags = drawn["steps"], drawn["lags"]
    assert len(steps) * len(lags) <= 1.05 * MOST
    assert len(steps) * len(lags) == norms.size or norms.size > MOST
    assert (steps[0], steps[-1], lags[0], lags[-1]) == (0, shape[0] - 1, 0, shape[1] - 1)
    assert drawn["every"] == list(thinned(*shape))
    for kept, every in zip((steps, lags), drawn["every"], strict=True):
        assert set(np.diff(kept[:-1])) <= {every}
    assert np.abs(read(drawn) - norms[np.ix_(steps, lags)]).max() <= max(0.005, norms.max() / 1e5)


def test_the_text_can_stand_in_a_script_as_it_is() -> None:
    assert len(set(DIGITS)) == len(DIGITS) == 91 and not set('<"\\') & set(DIGITS)
    assert json.dumps(DIGITS) == f'"{DIGITS}"'
