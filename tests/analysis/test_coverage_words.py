"""What captions say of intervals: their kind, how often they hold, where there is none and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sweeps.analysis.statistics.interquartile import IQM_SEEDS
from sweeps.analysis.statistics.intervals import mean_interval
from sweeps.tables.coverage import iqm_words, mean_words, median_words
from sweeps.tables.steps_to_solve import MEAN_SEEDS


@pytest.mark.parametrize(
    ("n", "part"),
    [
        (
            [2, 2],
            "in brackets the lowest and the highest of them (with 2 seeds they hold the median in at least 50%",
        ),
        ([5], "in at least 93.75% of cases: no 95% interval)"),
        ([6, 8], "in brackets its 95% interval (order statistics"),
        ([3, 6], "or, of up to 5 seeds, the lowest and the highest of them (with 3 seeds they hold the median in at"),
        ([1, 6], "; one seed has none"),
        ([1, 0], "without an interval; one seed has none"),
    ],
)
def test_what_a_caption_says_of_a_median(n: list[int], part: str) -> None:
    assert part in median_words(pd.Series(n))


def test_what_a_caption_says_where_only_some_rows_have_an_interval() -> None:
    for words, fewest in (
        (iqm_words(pd.Series([5, 12]), 0), IQM_SEEDS),
        (mean_words(pd.Series([4, 5]), 5), MEAN_SEEDS),
    ):
        assert "in brackets its 95% interval" in words and f"or none (with fewer than {fewest} seeds" in words


def test_how_wide_a_restricted_mean_is_told_to_be() -> None:
    """60% of the budget with four seeds, whatever their numbers; the least is of equal ones."""
    rng = np.random.default_rng(0)
    samples = [*rng.random((200, MEAN_SEEDS - 1)), np.full(MEAN_SEEDS - 1, 0.3), np.zeros(MEAN_SEEDS - 1)]
    widths = [float(np.diff(mean_interval(sample, 0.0, 1.0))[0]) for sample in samples]
    assert min(widths) == pytest.approx(1 - 0.025 ** (1 / 4)) and min(widths) > 0.6
