"""What is named without a test over seeds is luck in at most 5% of studies, and what is there is seldom missed."""

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
from sweeps.analysis.statistics.dealt import luck
from sweeps.analysis.statistics.effects import by_importance, effects, named_pairs
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.analysis.statistics.paired import ALPHA

STUDIES = 100
MOST = int(stats.binom.ppf(0.999, STUDIES, 0.05))
"""Studies of noise in which something is named that a rate of 5% exceeds once in a thousand simulations."""
AXES = ("arch", "init", "clip")


def grid(levels: tuple[int, ...], seeds: int) -> tuple[pd.DataFrame, list[str]]:
    axes = list(AXES[: len(levels)])
    return pd.DataFrame(list(itertools.product(*map(range, levels), range(seeds))), columns=[*axes, "seed"]), axes


def noise(cells: pd.DataFrame, kind: str) -> Iterator[np.ndarray]:
    """Ranks of scores, of solved or not, and of scores that differ between seeds."""
    rng = np.random.default_rng(3)
    for _ in range(STUDIES):
        values = rng.normal(size=len(cells)) if kind != "solved" else rng.random(len(cells)) < 0.4
        of_seeds = 3 * rng.normal(size=cells["seed"].nunique())[cells["seed"]]
        ranks = stats.rankdata(values + of_seeds if kind == "seeds" else values)
        yield ranks - ranks.mean()


@pytest.mark.parametrize("kind", ["scores", "solved", "seeds"])
@pytest.mark.parametrize(
    ("levels", "seeds"), [((2,), 2), ((3,), 4), ((2, 2), 3), ((2, 2, 2), 2), ((2, 2, 2), 5), ((4, 3), 2)]
)
def test_noise_is_named_in_one_study_of_twenty(levels: tuple[int, ...], seeds: int, kind: str) -> None:
    cells, axes = grid(levels, seeds)
    alone = list(variation.directions_of_axes(cells, axes).values())
    pairs = list(variation.directions_of_pairs(cells, axes).values())
    named = np.zeros(2)
    for ranks in noise(cells, kind):
        named += [min(luck(ranks, cells["seed"], each), default=1.0) <= ALPHA for each in (alone, pairs)]
    assert (named <= MOST).all()


@pytest.mark.parametrize("levels", [(2, 2), (2, 2, 2), (4, 3)])
def test_an_interaction_that_is_there_is_named_from_three_seeds_on(levels: tuple[int, ...]) -> None:
    """XOR of two axes: alone, and with as much noise as there is of it."""
    cells, axes = grid(levels, 3)
    sign = pd.Series(np.where(cells["arch"] % 2 == cells["init"] % 2, 1.0, -1.0))
    rng = np.random.default_rng(4)
    for spread, studies, least in ((0.0, 1, 1), (1.0, 15, 9)):
        named = 0
        for _ in range(studies):
            values = sign + spread * rng.normal(size=len(cells))
            found = named_pairs(variation.of_pairs(cells, axes, values), 3)
            named += any(each.axes == ("arch", "init") for each in found)
        assert named >= least, spread


def test_an_axis_that_is_rarely_strong_by_luck_is_large_and_no_other() -> None:
    """Four times three levels and two seeds: all of the effect is the first axis'."""
    cells, axes = grid((4, 3), 2)
    found = variation.of_axes(cells, axes, cells["arch"] + 0.3 * pd.Series(np.random.default_rng(5).random(24)))
    assert found["arch"].large and not found["init"].large


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
