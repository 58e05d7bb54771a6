"""What is called large in too few seeds for a test is luck in at most 5% of studies, and what is there is seldom missed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.planted import planted
from sweeps.analysis.statistics import variation
from sweeps.analysis.statistics.effects import by_importance, effects, named_pairs
from sweeps.analysis.statistics.measures import MEASURES

STUDIES = 150
MOST = int(stats.binom.ppf(0.999, STUDIES, 0.05))
"""Studies of noise in which something is named that a rate of 5% exceeds once in a thousand simulations."""
AXES = ("arch", "init", "clip")


def grid(levels: tuple[int, ...], seeds: int) -> tuple[pd.DataFrame, list[str]]:
    axes = list(AXES[: len(levels)])
    return pd.DataFrame(list(itertools.product(*map(range, levels), range(seeds))), columns=[*axes, "seed"]), axes


def noise(cells: pd.DataFrame, kind: str) -> Iterator[pd.Series]:
    rng = np.random.default_rng(3)
    for _ in range(STUDIES):
        if kind == "solved":
            yield pd.Series((rng.random(len(cells)) < 0.4).astype(float))
        else:
            seeds = rng.normal(size=len(cells)) if kind == "seeds" else np.zeros(len(cells))
            yield pd.Series(rng.normal(size=len(cells)) + 3 * seeds[cells["seed"]])


@pytest.mark.parametrize("kind", ["scores", "solved", "seeds"])
@pytest.mark.parametrize(
    ("levels", "seeds"), [((2,), 2), ((3,), 4), ((2, 2), 3), ((2, 2, 2), 2), ((2, 2, 2), 5), ((4, 3), 2), ((2, 2), 7)]
)
def test_noise_is_named_in_one_study_of_twenty(levels: tuple[int, ...], seeds: int, kind: str) -> None:
    cells, axes = grid(levels, seeds)
    large = pairs = 0
    for values in noise(cells, kind):
        large += any(each.large for each in variation.of_axes(cells, axes, values).values())
        pairs += bool(named_pairs(variation.of_pairs(cells, axes, values), seeds))
    assert large <= MOST and pairs <= MOST


@pytest.mark.parametrize("levels", [(2, 2), (2, 2, 2), (4, 3)])
def test_an_interaction_that_is_there_is_named_from_three_seeds_on(levels: tuple[int, ...]) -> None:
    """XOR of two axes: alone, and with as much noise as there is of it."""
    cells, axes = grid(levels, 3)
    sign = pd.Series(np.where(cells["arch"] % 2 == cells["init"] % 2, 1.0, -1.0))
    rng = np.random.default_rng(4)
    for spread, least in ((0.0, 20), (1.0, 12)):
        named = 0
        for _ in range(20):
            values = sign + spread * rng.normal(size=len(cells))
            named += any(
                each.axes == ("arch", "init") for each in named_pairs(variation.of_pairs(cells, axes, values), 3)
            )
        assert named >= least, spread


def test_luck_is_the_share_of_the_dealings_that_can_be_counted() -> None:
    """One of three levels is best with both seeds: of the nine places of the two best ones three are such."""
    cells, axes = grid((3,), 2)
    found = variation.of_axes(cells, axes, (cells["arch"] == 1).astype(float))["arch"]
    assert found.luck == pytest.approx(1 / 3, abs=0.05) and not found.large and found.share == pytest.approx(1)
    cells, axes = grid((3,), 4)
    found = variation.of_axes(cells, axes, (cells["arch"] == 1).astype(float))["arch"]
    assert found.luck == pytest.approx(1 / 27, abs=0.02) and found.large


def test_shares_are_computed_once_for_all_figures_and_captions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = planted(
        tmp_path,
        lambda run: 0.1 * (run["arch"] == "gru"),
        seeds=2,
        arch=("lstm", "gru"),
        task__name=("adding", "binary_sum"),
    )
    of_axes, calls = variation.of_axes, []

    def counted(cells: pd.DataFrame, axes: list[str], values: pd.Series) -> dict[str, variation.Variation]:
        calls.append(axes)
        return of_axes(cells, axes, values)

    monkeypatch.setattr(variation, "of_axes", counted)
    for _ in range(3):
        for _, part in records.by_task():
            effects(part, MEASURES["best_score"])
            assert by_importance(part, MEASURES["best_score"]) == ["arch"]
    assert len(calls) == 2, "once for each task"
