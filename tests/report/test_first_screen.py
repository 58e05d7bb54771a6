"""On planted records the first sentence names the axis with the whole effect, and every figure shows it; where nothing
has an effect the report says so, with what these seeds would have shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.planted import planted
from sweeps.analysis.labels import said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import map_axes
from sweeps.analysis.statistics.arrival import arrival_by_axis
from sweeps.analysis.statistics.effects import by_importance, effects_of
from sweeps.figures.catalogue import FIGURES, figure, roles_of
from sweeps.figures.clipped import clipped_runs
from sweeps.report.captions import captions
from sweeps.report.document import anchor
from sweeps.report.first_screen import first_screen
from sweeps.report.part import part_of
from sweeps.report.what_mattered import what_mattered

NOISE = np.random.default_rng(5).normal(0, 0.02, (12, 40))
BESIDE: dict[str, Sequence[Any]] = {"arch": ("lstm", "gru"), "init": ("random", "orthogonal"), "clip": ("none", "norm")}


def first_sentences(records: Records) -> list[str]:
    return [block.text for block in first_screen([part_of(None, records, pd.DataFrame())])]


def whole(axis: str, levels: Sequence[Any]) -> Callable[[Any], float]:
    """The score goes with one axis alone, but for a little noise that no other axis shares."""
    return lambda run: (
        0.1 + 0.6 * levels.index(run[axis]) / (len(levels) - 1) + NOISE[run["seed"], hash(run[axis]) % 40]
    )


@pytest.mark.parametrize(
    ("axis", "levels"),
    [
        ("init__gain", (0.5, 1.0, 2.0)),
        ("optim__lr", (0.001, 0.01, 0.1)),
        ("clip__threshold", (0.1, 1.0, 10.0)),
        ("arch__forget_bias", (0.0, 1.0)),
        ("arch", ("rnn_tanh", "gru", "lstm")),
        ("init", ("random", "xavier", "orthogonal")),
        ("clip", ("none", "norm", "value")),
        ("length", (3, 5, 8)),
    ],
)
def test_the_axis_with_the_whole_effect_is_named_first_and_in_every_figure(
    tmp_path: Path, axis: str, levels: Sequence[Any]
) -> None:
    beside = {name: of for name, of in BESIDE.items() if name != axis}
    beside |= {"clip": ("norm",)} if axis == "clip__threshold" else {}
    records = planted(tmp_path, whole(axis, levels), seeds=10, **{axis: levels}, **beside)
    column = axis.replace("__", ".")
    [name] = [each for each in records.varied if each in (column, column.partition(".")[2])]
    first, *_ = first_sentences(records)
    assert first.startswith("**What mattered most for the best explained variance is the " + said(name) + "**"), first
    shown = {each: roles_of(each, records).drawn for each in FIGURES}
    rows, columns = map_axes(records)
    clipped = clipped_runs(records)
    shown["outcomes"] = [*rows, *columns]
    shown["clipping"] = [clipped.row, clipped.column] if clipped else []
    shown["gradient_and_learning"] = [str(arrival_by_axis(records)[1])]
    for each in (each for each in FIGURES if each != "trainability_map"):
        assert name in shown[each], (each, shown[each])
        assert (figure(each, records) is None) == (each in ("share_solved", "outcomes")), (
            "nothing solved, nothing diverged"
        )


def test_nothing_has_an_effect(tmp_path: Path) -> None:
    luck = np.random.default_rng(11).normal(0.5, 0.1, 200).tolist()
    records = planted(tmp_path, lambda run: luck.pop(), seeds=10, init__gain=(0.5, 1.0, 2.0), arch=("lstm", "gru"))
    first, *_ = first_sentences(records)
    assert first.startswith("**Nothing that varied has an effect on the best explained variance that these 60")
    found = (
        r"With 10 seeds the test of the (gain|architecture) finds a rank-biserial correlation of 0\.\d+ or more in 80%"
    )
    assert re.search(found, first)


def test_an_interaction_is_named(tmp_path: Path) -> None:
    def rule(run: Any) -> float:
        return 0.7 - 0.5 * ((run["arch"] == "gru") == (run["init"] == "random")) + NOISE[run["seed"], 0]

    records = planted(tmp_path, rule, seeds=10, arch=("lstm", "gru"), init=("random", "orthogonal"))
    first, *_ = first_sentences(records)
    assert first.startswith("**What the architecture does to the best explained variance depends on the init**: 75%")


def test_beside_an_interaction_the_axes_of_few_seeds_are_not_called_shown(tmp_path: Path) -> None:
    def rule(run: Any) -> float:
        return 0.5 * ((run["arch"] == "gru") == (run["init"] == "random")) + 0.3 * run["optim__lr"] + run["seed"] / 100

    records = planted(
        tmp_path, rule, seeds=4, arch=("lstm", "gru"), init=("random", "orthogonal"), optim__lr=(0.1, 0.5, 1.0)
    )
    first, *_ = first_sentences(records)
    assert first.startswith("**What the architecture does to the best explained variance depends on the init**")
    assert "The test also shows" not in first
    assert "the runs of each seed), if not by a test over seeds: the learning rate (" in first


def test_an_axis_with_too_few_seeds_for_its_test_is_not_denied_because_another_could_be_tested(tmp_path: Path) -> None:
    records = planted(
        tmp_path, lambda run: run["init__gain"] == 1.0, seeds=7, init__gain=(0.5, 1.0, 2.0), arch=("lstm", "gru")
    )
    found = effects_of(records)
    text = what_mattered(records, found)[0].text  # type: ignore[union-attr]
    assert found is not None and not found.axes[0].testable and found.axes[1].testable
    for each in (text, first_sentences(records)[0]):
        assert each.startswith("**In these runs the gain goes with the largest part") and "No axis" not in each


def test_an_axis_of_too_many_levels_is_said_before_nothing_is(tmp_path: Path) -> None:
    lrs = tuple(round(0.001 * 1.1**at, 6) for at in range(31))
    records = planted(
        tmp_path,
        lambda run: 0.5 + NOISE[run["seed"], 0] + lrs.index(run["optim__lr"]) / 100,
        seeds=4,
        optim__lr=lrs,
        init=("random", "orthogonal"),
    )
    first, *_ = first_sentences(records)
    crowded = "The learning rate has 31 levels, too many to compare one with another. "
    assert first.startswith(crowded + "**These 248 runs cannot tell an effect of anything else ")


def test_links_lead_to_parts_and_counts_are_those_of_the_records(tmp_path: Path) -> None:
    def rule(run: Any) -> Any:
        return "diverged" if run["seed"] == 3 else run["arch"] == "gru"

    records = planted(tmp_path, rule, seeds=4, arch=("lstm", "gru"), length=(60,))
    texts = first_sentences(records)
    assert "8 runs: 3 solved (3 at the end), 2 diverged, 3 neither." in texts[-1]
    assert "Varied: architecture (GRU, LSTM) and 4 seeds" in texts[-1] or "(LSTM, GRU)" in texts[-1]
    titles = {"What mattered?", "Does a gradient that arrives mean learning?", "What was varied", "What ran"}
    targets = {target for text in texts for target in re.findall(r"\]\(#([^)]+)\)", text)}
    assert targets <= {anchor(title) for title in titles} and len(targets) >= 3


def test_a_caption_names_a_length_only_where_the_figure_shows_one(tmp_path: Path) -> None:
    levels = (3, 5, 8)
    several = planted(tmp_path / "several", whole("length", levels), seeds=3, length=levels)
    one = planted(tmp_path / "one", whole("arch", ("gru", "lstm")), seeds=3, arch=("gru", "lstm"), length=(8,))
    for name in ("loss_curves", "gradient_by_lag_start", "gradient_by_lag_end"):
        assert roles_of(name, several).length is None and "T = 8)" not in captions(several)[name].partition(";")[0]
        assert "over training at T" not in captions(several)[name]
        assert roles_of(name, one).length == 8 and "T = 8" in captions(one)[name].partition(";")[0]


def test_axes_of_little_effect_are_drawn_before_those_of_none(tmp_path: Path) -> None:
    """Beside an architecture that goes with almost everything a rate with little is shown, not an init with nothing."""
    luck = np.random.default_rng(3).normal(0, 0.1, 80).tolist()

    def rule(run: Any) -> float:
        return 2.0 * (run["arch"] == "gru") + 0.11 * (run["optim__lr"] == 0.1) + luck.pop()

    axes = {"arch": ("lstm", "gru"), "init": ("random", "orthogonal"), "clip": ("none", "norm")}
    records = planted(tmp_path, rule, seeds=5, **axes, optim__lr=(0.01, 0.1))
    [rate] = [each.variation for each in effects_of(records).axes if each.axis == "lr"]  # type: ignore[union-attr]
    assert rate.not_luck and not rate.large
    assert by_importance(records)[:2] == ["arch", "lr"]
    assert {"arch", "lr"} <= set(roles_of("score_by_level", records).drawn)
