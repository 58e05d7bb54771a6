"""The first screen speaks of every axis, calls no level best that is not, and says of ties that they are ties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.planted import Rule, planted
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import effects_of
from sweeps.report.mattered_in_short import in_short
from sweeps.report.what_mattered import what_mattered

NOISE = np.random.default_rng(7).normal(0, 0.02, (10, 40))
THRESHOLDS = (0.1, 1.0, 10.0)


def short(records: Records) -> str:
    found = effects_of(records)
    assert found is not None
    return in_short(records, found)


def long(records: Records) -> str:
    return what_mattered(records, effects_of(records))[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("seeds", "seen"),
    [
        (10, r"; a rank-biserial correlation \(1: .*\) of 0\.\d\d or more would have been found in 80% of cases"),
        (4, ""),
    ],
)
def test_an_axis_that_made_no_difference_has_its_sentence(tmp_path: Path, seeds: int, seen: str) -> None:
    def rule(run: Mapping[str, Any]) -> float:
        return (
            0.3
            + 0.4 * (run["arch"] == "gru")
            + NOISE[run["seed"], 2 * THRESHOLDS.index(run["clip__threshold"]) + (run["arch"] == "gru")]
        )

    levels: dict[str, Any] = {"clip": ("norm",), "clip__threshold": THRESHOLDS, "arch": ("lstm", "gru")}
    text = short(planted(tmp_path, rule, seeds=seeds, **levels))
    assert re.search(
        rf"No difference beyond luck goes with the threshold \((under )?\S*%( of .*)?, by chance \d+%\){seen}\.", text
    ), text
    assert text.count("the threshold") == 1 and "architecture" in text.partition(":")[0]


def test_a_small_difference_that_luck_rarely_gives_is_not_denied(tmp_path: Path) -> None:
    archs = ("rnn_tanh", "rnn_relu", "lstm", "gru")

    def rule(run: Mapping[str, Any]) -> float:
        return 0.1 + 0.2 * archs.index(run["arch"]) + 0.1 * (run["init"] == "orthogonal") + NOISE[0, run["seed"]]

    text = short(planted(tmp_path, rule, seeds=6, arch=archs, init=("random", "orthogonal")))
    assert "Little, if more than by luck, goes with the init (" in text and "No difference" not in text, text


def test_an_axis_that_changes_no_number_is_said_to_change_none(tmp_path: Path) -> None:
    def rule(run: Mapping[str, Any]) -> float:
        return 0.3 + 0.4 * (run["arch"] == "gru") + NOISE[run["seed"], 0]

    records = planted(tmp_path, rule, seeds=4, clip=("norm",), clip__threshold=THRESHOLDS, arch=("lstm", "gru"))
    assert "Runs that differ in the threshold alone have the same number." in short(records)
    assert "No difference" not in short(records)


def test_levels_that_do_not_differ_are_not_called_best(tmp_path: Path) -> None:
    luck = np.random.default_rng(12).normal(0.5, 0.1, 200).tolist()
    records = planted(tmp_path, lambda run: luck.pop(), seeds=8, clip=("value",), clip__threshold=THRESHOLDS)
    for text in (short(records), long(records)):
        assert "est 0.1" not in text and "est is" not in text and "arthest apart: " in text
        assert "Closest to an effect comes the threshold: " in text


def test_an_axis_with_no_more_than_chance_is_not_the_closest_to_an_effect(tmp_path: Path) -> None:
    def rule(run: Mapping[str, Any]) -> float:
        return 0.5 + 0.1 * ((run["seed"] + THRESHOLDS.index(run["clip__threshold"])) % 3)

    records = planted(tmp_path, rule, seeds=6, clip=("value",), clip__threshold=THRESHOLDS)
    for text in (short(records), long(records)):
        assert (
            "The threshold has no more of the variation than by chance: 0%, where levels drawn at random have " in text
        )


def test_one_run_a_level_is_not_told_to_make_no_difference(tmp_path: Path) -> None:
    """All of the variation is then between the levels, by chance too: 0.2 against 0.1 is a difference all the same."""
    records = planted(tmp_path, lambda run: 0.2 if run["arch"] == "lstm" else 0.1, seeds=1, arch=("lstm", "gru"))
    for text in (short(records), long(records)):
        assert "made no difference" not in text and "has no more of the variation than by chance: 100%" in text


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (8, "**What mattered most for the best explained variance, a tie, are the architecture and the init**: 50% of"),
        (4, "**In these runs the architecture and the init go each with 50% of the variation in the best explained"),
    ],
)
def test_two_axes_with_one_share_tie(tmp_path: Path, seeds: int, said: str) -> None:
    def rule(run: Mapping[str, Any]) -> float:
        return 0.2 + 0.3 * (run["arch"] == "gru") + 0.3 * (run["init"] == "orthogonal")

    text = short(planted(tmp_path, rule, seeds=seeds, arch=("lstm", "gru"), init=("random", "orthogonal")))
    assert text.startswith(said) and "a tie" in text, text


def easy_seeds_alone(run: Mapping[str, Any]) -> float | None:
    """The GRU is better by a little; the LSTM has no run of the eight seeds on which both are bad."""
    easy = run["seed"] > 7
    return (
        (0.6 if easy else 0.1) + 0.05 * (run["arch"] == "gru") + run["seed"] / 1000
        if easy or run["arch"] == "gru"
        else None
    )


def nearly_the_same(run: Mapping[str, Any]) -> float:
    return 0.98 + 0.00012 * (run["arch"] == "gru")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            easy_seeds_alone,
            "GRU (median 0.408, n = 16) wins most pairs and LSTM (median 0.611, n = 8) fewest, but the runs of GRU are",
        ),
        (nearly_the_same, "its levels differ by less than 1%: GRU (median 0.9801, n = 16) against LSTM (median 0.98, "),
    ],
)
def test_best_is_said_only_of_a_level_that_is(tmp_path: Path, rule: Rule, said: str) -> None:
    records = planted(tmp_path, rule, seeds=16, arch=("lstm", "gru"))
    assert said in short(records), short(records)
    assert said[1:] in long(records) and "Best is" not in long(records) and "best GRU" not in short(records)
