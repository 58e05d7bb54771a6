"""Shares of the variation, effects and what could have been detected agree with second routes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from analysis.planted import planted
from sweeps.analysis.statistics import variation
from sweeps.analysis.statistics.detectable import detectable_effect, detectable_share
from sweeps.analysis.statistics.effects import effects, measure_that_varies
from sweeps.analysis.statistics.intervals import mean_interval
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.analysis.statistics.paired import ALPHA, compare_pairs, sign_flip_p


def runs(seeds: int = 4, drop: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """A grid of two axes with effects, an interaction and noise; the first `drop` runs are missing."""
    rows = list(itertools.product("abc", (1, 2), range(seeds)))
    cells = pd.DataFrame(rows, columns=["arch", "length", "seed"]).iloc[drop:].reset_index(drop=True)
    noise = np.random.default_rng(3).normal(size=len(cells))
    values = (
        2 * (cells["arch"] == "b") + cells["length"] + 2 * ((cells["arch"] == "c") & (cells["length"] == 2)) + noise
    )
    return cells, values


@pytest.mark.parametrize("drop", [0, 3])
def test_shares_are_those_of_a_type_2_analysis_of_variance(drop: int) -> None:
    cells, values = runs(drop=drop)
    ranks = stats.rankdata(values)
    model = ols("ranks ~ C(arch) * C(length) + C(seed)", cells.assign(ranks=ranks)).fit()
    squares = anova_lm(model, typ=2)["sum_sq"] / np.sum((ranks - ranks.mean()) ** 2)
    found = variation.of_axes(cells, ["arch", "length"], values)
    (pair,) = variation.of_pairs(cells, ["arch", "length"], values)
    assert found["arch"].share == pytest.approx(squares["C(arch)"])
    assert found["length"].share == pytest.approx(squares["C(length)"])
    assert pair.share == pytest.approx(squares["C(arch):C(length)"])


def test_chance_is_the_mean_share_of_numbers_dealt_at_random() -> None:
    cells, values = runs()
    rng = np.random.default_rng(0)
    drawn = [variation.of_axes(cells, ["arch"], pd.Series(rng.permutation(values)))["arch"].share for _ in range(400)]
    assert np.mean(drawn) == pytest.approx(variation.of_axes(cells, ["arch"], values)["arch"].chance, abs=0.01)


def test_a_share_is_of_ranks_and_a_diverged_run_has_the_worst() -> None:
    cells, values = runs()
    worst = values.idxmin()
    plain = variation.of_axes(cells, ["arch"], values)["arch"].share
    for same in (np.exp(values), values.mask(values.index == worst, -np.inf)):
        assert variation.of_axes(cells, ["arch"], same)["arch"].share == pytest.approx(plain)


def test_the_p_of_an_interaction_is_that_of_the_contrast_of_each_seed() -> None:
    """Two levels each: one contrast per seed, whose signs are exchanged."""
    rng = np.random.default_rng(5)
    cells = pd.DataFrame(list(itertools.product("ab", (1, 2), range(6))), columns=["arch", "length", "seed"])
    values = pd.Series(rng.normal(size=len(cells))) + 2 * ((cells["arch"] == "b") & (cells["length"] == 2))
    ranks = pd.Series(stats.rankdata(values))
    sign = np.where(cells["arch"] == "a", 1, -1) * np.where(cells["length"] == 1, 1, -1)
    contrasts = (ranks * sign).groupby(cells["seed"]).sum().to_numpy()
    (pair,) = variation.of_pairs(cells, ["arch", "length"], values)
    assert pair.p == pytest.approx(float(sign_flip_p(contrasts)))
    assert pair.p >= 2.0 ** (1 - 6)


def test_a_setting_of_one_choice_does_not_take_its_choice_away() -> None:
    """Forget bias exists for the LSTM alone; all that architectures differ by is still the architecture's."""
    rows = [("gru", None, s) for s in range(3)] + [("lstm", bias, s) for bias in (0.0, 1.0) for s in range(3)]
    cells = pd.DataFrame(rows, columns=["arch", "arch.forget_bias", "seed"])
    found = variation.of_axes(cells, ["arch", "arch.forget_bias"], (cells["arch"] == "lstm").astype(float))
    assert found["arch"].share == pytest.approx(1.0) and found["arch.forget_bias"].share == pytest.approx(0.0)


def test_best_and_worst_are_compared_in_pairs_and_corrected_for_their_choice(tmp_path: Path) -> None:
    score = {"random": 0.1, "xavier": 0.3, "orthogonal": 0.5}
    luck = np.random.default_rng(1).normal(0, 0.02, (9, 2))
    records = planted(
        tmp_path,
        lambda run: score[run["init"]] + 0.2 * (run["clip"] == "norm") + luck[run["seed"], int(run["clip"] == "norm")],
        seeds=9,
        init=tuple(score),
        clip=("none", "norm"),
    )
    found = effects(records)
    init, clip = found.axes
    assert (found.measure.name, found.runs, found.seeds, found.missing) == ("best_score", 54, 9, 0)
    assert (init.axis, init.best, init.worst, init.pairs, init.seeds) == ("init", ("orthogonal",), ("random",), 18, 9)
    assert init.difference == pytest.approx(0.4) and init.effect == 1.0
    assert init.p == pytest.approx(3 * 2.0**-8) and clip.p == pytest.approx(2.0**-8)  # three pairs of levels, one
    assert (init.p_holm, clip.p_holm) == (pytest.approx(3 * 2.0**-8), pytest.approx(2 * 2.0**-8))
    assert init.shown and init.low <= 0.4 <= init.high and init.needed == 1 + 7  # 2^-7 * 3 * 2 <= 5%


@pytest.mark.parametrize("seeds", [1, 2, 5, 8])
def test_no_p_is_below_what_the_seeds_allow_and_no_interval_is_where_none_holds(tmp_path: Path, seeds: int) -> None:
    records = planted(tmp_path, lambda run: 0.2 + 0.5 * (run["arch"] == "gru"), seeds=seeds, arch=("lstm", "gru"))
    (arch,) = effects(records).axes
    assert arch.p == pytest.approx(2.0 ** (1 - seeds))
    assert arch.testable is (seeds >= 6) and arch.needed == 6
    assert np.isnan(arch.low) == (seeds < 6)


def test_a_share_has_the_exact_interval_over_seeds(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: run["arch"] == "gru" and run["seed"] > 1, seeds=5, arch=("lstm", "gru"))
    (arch,) = effects(records).axes
    assert (arch.difference, (arch.low, arch.high)) == (0.6, mean_interval([0, 0, 1, 1, 1], -1, 1))


def test_the_shape_of_a_numeric_axis(tmp_path: Path) -> None:
    curves = {
        "rises": (0.1, 0.2, 0.3, 0.4),
        "falls": (0.4, 0.3, 0.2, 0.1),
        "peaks": (0.1, 0.4, 0.3, 0.2),
        "end": (0.3, 0.1, 0.2, 0.4),
        None: (0.3, 0.3, 0.3, 0.3),
    }
    for name, curve in curves.items():
        gains = dict(zip((0.5, 1.0, 2.0, 4.0), curve, strict=True))

        def rule(run: Mapping[str, Any], by: dict[float, float] = gains) -> float:
            return by[run["init__gain"]]

        records = planted(tmp_path / str(name), rule, seeds=2, init__gain=tuple(gains))
        (gain,) = effects(records, MEASURES["best_score"]).axes
        assert (gain.axis, gain.shape) == ("gain", name)


def test_the_measure_is_what_varies(tmp_path: Path) -> None:
    some = planted(tmp_path / "a", lambda run: run["seed"] == 0, seeds=2, arch=("gru",))
    none = planted(tmp_path / "b", lambda run: 0.1 * run["seed"], seeds=2, arch=("gru",))
    same = planted(tmp_path / "c", lambda run: 0.5, seeds=2, arch=("gru",))
    assert [measure_that_varies(each)[0].name for each in (some, none, same)] == ["solved", "best_score", "best_loss"]
    assert measure_that_varies(none)[1] == "no run solved the task"


def test_a_detectable_share_is_detected_in_four_of_five_cases() -> None:
    q, rng = detectable_share(10, ALPHA), np.random.default_rng(0)
    first = (rng.random((2000, 10, 1)) < q).astype(float)
    found = compare_pairs(first, np.zeros_like(first), share=True)["p"] <= ALPHA
    assert found.mean() == pytest.approx(0.8, abs=0.03)
    assert np.isnan(detectable_share(5, ALPHA)) and detectable_share(6, ALPHA) > 0.9 > detectable_share(20, ALPHA)


def test_a_detectable_effect_is_detected_in_four_of_five_cases() -> None:
    rng = np.random.default_rng(7)
    power, size = [], []
    for shift in (0.6, 0.8, 1.0, 1.2, 1.4):
        pairs = compare_pairs(rng.normal(shift, 1, (600, 10, 1)), np.zeros((600, 10, 1)))
        power.append((pairs["p"] <= ALPHA).mean())
        size.append(pairs["effect"].mean())
    assert detectable_effect(10, ALPHA) == pytest.approx(float(np.interp(0.8, power, size)), abs=0.04)
    assert np.isnan(detectable_effect(5, ALPHA))
