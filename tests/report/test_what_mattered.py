"""'What mattered?' names what was planted, with its numbers, and claims nothing that the seeds cannot show."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import effects, effects_of
from sweeps.report.answer import answer
from sweeps.report.document import Document, to_markdown
from sweeps.report.first_screen import first_screen
from sweeps.report.mattered_in_short import in_short
from sweeps.report.part import part_of
from sweeps.report.verdict import Kind, verdict
from sweeps.report.verdict_words import best_by
from sweeps.report.what_mattered import what_mattered
from sweeps.tables.combinations import comparison

NOISE = np.random.default_rng(2).normal(0, 0.05, (10, 8, 8))


def told(records: Records) -> str:
    return "\n".join(block.text for block in what_mattered(records, effects_of(records)))  # type: ignore[union-attr]


def caption(records: Records) -> str:
    return what_mattered(records, effects_of(records))[1].caption  # type: ignore[union-attr]


def rows(text: str) -> dict[str, list[str]]:
    """The cells of the table by its first column."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line[:2] == "| "]
    return {first: others for first, *others in lines}


def test_a_name_axis_with_the_whole_effect(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: run["arch"] == "gru", seeds=8, arch=("lstm", "gru"), clip=("none", "norm"))
    text = told(records)
    assert text.startswith(
        "**What mattered most for the share solved is the architecture**: 100% of the variation goes with it. Best is "
        "GRU (16 of 16), worst LSTM (0 of 16); in 16 pairs of runs that differ in the architecture alone (8 seeds) the "
        "difference is 1.00 [0.26, 1.00], the rank-biserial correlation 1.00, p = 0.016."
    )
    table = rows(text)
    assert table["architecture"][:4] == ["2", "100% (3%)", "GRU (16 of 16)", "LSTM (0 of 16)"]
    assert table["clipping"] == ["2", "0% (3%)", "–", "–", "0.00 [-0.37, 0.37]", "16", "1"]
    assert "acts differently" not in text


def test_a_numeric_axis_with_the_whole_effect(tmp_path: Path) -> None:
    records = planted(
        tmp_path,
        lambda run: 0.9 - run["optim__lr"] + NOISE[run["seed"], 0, 0] / 100,
        seeds=8,
        optim__lr=(0.01, 0.1, 0.5),
        arch=("gru", "lstm"),
    )
    text = told(records)
    assert text.startswith("**What mattered most for the best explained variance is the learning rate**:")
    assert "Best is 0.01 (median 0.8" in text and "worst 0.5 (median 0.4" in text and "in 16 pairs" in text
    assert "By learning rate (3 levels): the smaller, the better, from level to level." in text
    assert "the difference is 0.49 [0.49, 0.49]" in text.replace("0.490", "0.49")


def test_a_setting_of_the_only_init_that_peaks_inside(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: run["init__gain"] == 1.0, seeds=4, init__gain=(0.5, 1.0, 2.0))
    text = told(records)
    assert text.startswith(
        "**In these runs the gain goes with the largest part of the variation in the share solved** (100%)."
    )
    assert "Best is 1 (4 of 4), worst 0.5 (0 of 4) and 2 (0 of 4), tied" in text and "between 1 and 0.5 is 1.00" in text
    assert "By gain (3 levels): best inside its range, at 1." in text
    assert (
        "This describes these runs alone: no test over 4 seeds can show an effect of the gain, however large: "
        "corrected for 3 levels and 1 axis, no p can reach 0.05; it would take at least 7 seeds."
    ) in text
    assert "p = " not in text


def test_what_two_seeds_can_have_by_luck_is_no_finding(tmp_path: Path) -> None:
    """One of three gains is best with either seed: by luck alone in one of three studies."""
    records = planted(tmp_path, lambda run: run["init__gain"] == 1.0, seeds=2, init__gain=(0.5, 1.0, 2.0))
    text = told(records)
    assert text.startswith(
        "**These 6 runs cannot tell an effect on the share solved from luck.** Closest to an effect comes "
        "the gain: 100%, where levels drawn at random have 40% on average. Best is 1 (2 of 2), worst 0.5 (0 "
        "of 2) and 2 (0 of 2), tied"
    )
    assert "No test over 2 seeds can show an effect of the gain, however large" in text
    assert "By gain" not in text, "no shape of what may be luck"


def test_a_setting_that_only_one_architecture_has(tmp_path: Path) -> None:
    for seed in range(3):
        write_cell(tmp_path, arch="gru", length=3, seed=seed, best_score=0.3)
        for bias in (0.0, 1.0):
            ended = {"outcome": "solved" if bias else "finished", "end": 20, "best_score": 0.95 if bias else 0.5}
            settings = {"arch.forget_bias": bias}
            write_cell(tmp_path, arch="lstm", length=3, seed=seed, steps=20, settings=settings, **ended)  # type: ignore[arg-type]
    table = rows(told(load(tmp_path)))
    assert table["forget bias"][0] == "2" and table["forget bias"][2:4] == ["1 (3 of 3)", "0 (0 of 3)"]
    assert table["forget bias"][5] == "3", "a GRU without one is in no pair"


def test_two_axes_that_act_together(tmp_path: Path) -> None:
    """Each alone does nothing: GRU likes orthogonal, LSTM likes identity."""
    good = {("gru", "orthogonal"), ("lstm", "identity")}
    axes = {"arch": ("lstm", "gru"), "init": ("orthogonal", "identity")}
    records = planted(tmp_path, lambda run: (run["arch"], run["init"]) in good, seeds=8, **axes)
    text = told(records)
    assert text.startswith(
        "**What the architecture does to the share solved depends on the init**: 100% of the variation"
    )
    assert "**The init acts differently by architecture:** 100% of the variation goes with the two together" in text
    best = "Best init by architecture, at LSTM: identity; at GRU: orthogonal."
    assert f"(n = 32, p = 0.0078). {best}" in text
    assert f"(p = 0.0078.) {best}" in in_short(records, effects(records))


def test_the_first_screen_names_the_levels_of_two_axes_that_act_together_beside_one_that_matters(
    tmp_path: Path,
) -> None:
    """The GRU is better by far, and which init is the better one depends on the architecture."""

    def rule(run: Mapping[str, Any]) -> float:
        return 0.1 + 0.6 * (run["arch"] == "gru") + 0.2 * ((run["arch"] == "gru") == (run["init"] == "orthogonal"))

    records = planted(tmp_path, rule, seeds=8, arch=("lstm", "gru"), init=("orthogonal", "identity"))
    found = effects(records)
    text = in_short(records, found)
    assert text.startswith("**What mattered most for the best explained variance is the architecture**")
    both = (
        "The init acts differently by architecture. Best init by architecture, at LSTM: identity; at GRU: orthogonal."
    )
    assert both in text
    few = best_by(records, found.interactions[0], found, 1)
    assert few == "Best init by architecture, at LSTM: identity; and 1 more."


@pytest.mark.parametrize(("clips", "said"), [(("none", "norm"), True), (("none",), False)])
def test_what_takes_three_axes_is_said_not_to_be_looked_for(tmp_path: Path, clips: tuple[str, ...], said: bool) -> None:
    """A parity of three axes: none acts alone, nor any two of them."""
    archs, inits = ("lstm", "gru"), ("xavier", "orthogonal")
    records = planted(
        tmp_path,
        lambda run: (archs.index(run["arch"]) + inits.index(run["init"]) + clips.index(run["clip"])) % 2 == 1,
        seeds=3,
        arch=archs,
        init=inits,
        clip=clips,
    )
    text = "what takes three or more of them together is not"
    assert (text in caption(records)) is said
    assert ("acts differently" in told(records) or "depends on" in told(records)) is not said


def test_nothing_has_an_effect_and_what_would_have_been_found_is_said(tmp_path: Path) -> None:
    def rule(run: Mapping[str, Any]) -> float:
        place = ("lstm", "gru").index(run["arch"]), ("none", "norm").index(run["clip"])
        return 0.5 + float(NOISE[run["seed"], *place])

    text = told(planted(tmp_path, rule, seeds=10, arch=("lstm", "gru"), clip=("none", "norm")))
    assert text.startswith(
        "**Nothing that varied has an effect on the best explained variance that these 40 runs could show.**"
    )
    found = re.search(
        r"With 10 seeds the test of the \w+ finds a rank-biserial correlation of (0\.\d\d) or more in 80% of", text
    )
    assert found and 0.6 < float(found[1]) < 1 and "simulated with normal differences" in text
    assert "acts differently" not in text and "mattered most" not in text


def test_ties_are_called_ties_and_equal_runs_nothing(tmp_path: Path) -> None:
    best = ("orthogonal", "identity")
    axes = {"init": ("random", *best)}
    text = told(planted(tmp_path / "some", lambda run: run["init"] in best, seeds=2, **axes))
    assert "Best is orthogonal (2 of 2) and identity (2 of 2), tied, worst random (0 of 2)" in text
    text = told(planted(tmp_path / "all", lambda run: True, seeds=2, **axes))
    assert text == (
        "**Nothing to compare:** the loss of the best evaluation is the same in all 6 runs, 0.0115 (every run solved "
        "the task, and the best score is the same)."
    )


def test_diverged_runs_have_the_worst_rank(tmp_path: Path) -> None:
    records = planted(
        tmp_path,
        lambda run: "diverged" if run["clip"] == "none" else 0.1 + 0.01 * run["seed"],
        seeds=8,
        clip=("none", "norm"),
    )
    text = told(records)
    assert "What mattered most for the best explained variance is the clipping" in text
    assert "worst no clipping (median diverged, n = 8)" in text and "the difference is that from diverged" in text


def test_holes_are_counted_and_pairs_are_those_that_are_there(tmp_path: Path) -> None:
    def rule(run: Mapping[str, Any]) -> bool | None:
        hole = run["arch"] == "gru" and run["clip"] == "norm" and run["seed"] == 0
        return None if hole else run["arch"] == "gru"

    text = told(planted(tmp_path, rule, seeds=3, arch=("lstm", "gru"), clip=("none", "norm")))
    assert "GRU (5 of 5), worst LSTM (0 of 6); in 5 pairs" in text
    assert "1 cell of the grid has no run; the pairs are those there are." in text


def test_one_seed_describes_itself(tmp_path: Path) -> None:
    text = told(
        planted(tmp_path, lambda run: run["arch"] == "gru", seeds=1, arch=("lstm", "gru"), init=("he", "xavier"))
    )
    assert "in 2 pairs of runs that differ in the architecture alone (1 seed) the difference is 1.00," in text
    assert "No test over 1 seed can show an effect of the architecture" in text and "p = " not in text
    assert rows(text)["architecture"][-1] == "–" and "acts differently" not in text


def test_two_tasks_are_two_answers_and_a_task_is_no_axis(tmp_path: Path) -> None:
    best = {"adding": "gru", "binary_sum": "lstm"}
    records = planted(
        tmp_path,
        lambda run: run["arch"] == best[run["task__name"]],
        seeds=2,
        task__name=tuple(best),
        arch=("lstm", "gru"),
    )
    for (task, part), winner in zip(records.by_task(), ("GRU", "LSTM"), strict=True):
        text = told(part)
        assert f"Best is {winner} (2 of 2)" in text and "task" not in rows(text), task


def test_a_random_search_is_not_compared_level_by_level(tmp_path: Path) -> None:
    for seed in range(40):
        write_cell(
            tmp_path, length=3, steps=20, log_every=20, settings={"optim.lr": 0.001 * (seed + 1)}, best_score=seed / 40
        )
    text = told(load(tmp_path))
    assert "The learning rate has 40 levels, too many to compare one with another." in text and "|" not in text


def test_it_comes_first_and_asks_only_of_what_varied(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: run["arch"] == "gru", seeds=2, arch=("lstm", "gru"), length=(60,))
    sections = answer(part_of(None, records, comparison(records)))
    assert [section.title for section in sections] == [
        "What mattered?",
        "Does the gradient stay alive?",
        "What exploded?",
        "Who solved the task?",
        "Does a gradient that arrives mean learning?",
    ]
    text = to_markdown(Document("t", [], sections), Path())
    assert "- **LSTM**: 0.794 per step (n = 2: 0.794); end to end" in text and "init that keeps" not in text
    assert "With orthogonal init, the only one, at T = 60" in text


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_study_of_seeds_alone_has_no_such_part(tmp_path: Path, seeds: int) -> None:
    records = planted(tmp_path, lambda run: False, seeds=seeds)
    assert what_mattered(records, effects_of(records)) == []


def test_the_factor_by_gain_is_a_table_where_the_init_is_one(tmp_path: Path) -> None:
    for gain, slope in ((0.5, -0.3), (1.0, 0.0)):
        for seed in range(2):
            write_cell(
                tmp_path, length=60, slope=slope, seed=seed, steps=20, log_every=20, settings={"init.gain": gain}
            )
    records = load(tmp_path)
    text = to_markdown(Document("t", [], answer(part_of(None, records, comparison(records)))), Path())
    assert "| 0.5  | 0.501 (n = 2) |" in text and "| 1    | 1.000 (n = 2) |" in text


def test_a_setting_that_changes_with_an_axis_is_named_beside_it(tmp_path: Path) -> None:
    """The learning rate of the GRU is another one in every run: which of the two did it cannot be told."""
    for seed in range(8):
        for arch, lr in (("gru", 0.01), ("lstm", 0.001)):
            for clip in ("none", "norm"):
                score = 0.3 + 0.4 * (arch == "gru") + NOISE[seed, 0, int(clip == "norm")] / 10
                write_cell(
                    tmp_path,
                    arch=arch,
                    clip=clip,
                    length=3,
                    seed=seed,
                    settings={"optim.lr": lr},
                    best_score=float(score),
                )
    records = load(tmp_path)
    text, short = told(records), in_short(records, effects(records))
    both = "is the architecture (or learning rate, which changes with it)**: 75% of the variation"
    assert both in text and both in short
    assert "runs that differ in the architecture and the learning rate that changes with it (8 seeds)" in text
    assert "differ in this axis alone (but the learning rate with the architecture)" in caption(records)
    assert effects(records).axes[1].along == (), "with the clipping nothing changes"


def test_a_setting_that_changes_with_an_axis_that_made_no_difference_is_named_beside_it(tmp_path: Path) -> None:
    for seed, (arch, lr), clip in itertools.product(range(4), (("gru", 0.01), ("lstm", 0.001)), ("none", "norm")):
        score = 0.3 + 0.4 * (clip == "norm") + seed / 100
        write_cell(
            tmp_path, arch=arch, clip=clip, length=3, seed=seed, settings={"optim.lr": lr}, best_score=score, end=20
        )
    records = load(tmp_path)
    short = in_short(records, effects(records))
    assert (
        "Runs that differ in the architecture and the learning rate that changes with it have the same number" in short
    )


def test_all_runs_diverged(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: "diverged", seeds=3, arch=("gru", "lstm"))
    assert told(records) == "**Nothing to compare:** all 6 runs diverged." == in_short(records, effects(records))


def test_what_the_test_shows_comes_before_a_larger_share_that_it_does_not(tmp_path: Path) -> None:
    """A gain and a seed together are worth a lot of luck; the architecture a little, in every pair."""
    luck = np.random.default_rng(4).random((8, 3))
    records = planted(
        tmp_path,
        lambda run: 0.3 + 0.3 * luck[run["seed"], int(run["init__gain"])] + 0.01 * (run["arch"] == "gru"),
        seeds=8,
        init__gain=(0.0, 1.0, 2.0),
        arch=("lstm", "gru"),
    )
    gain, arch = effects(records).axes
    assert gain.axis == "gain" and not gain.shown and arch.shown
    for text in (told(records), in_short(records, effects(records))):
        assert text.startswith("**The architecture has an effect on the best explained variance** (p = 0.016): 1% of")
        assert (
            f"Further above chance is the share of the gain ({gain.variation.share:.0%}, by chance 4%), which the test"
            in text
        )
    assert "By gain" not in told(records)


def test_both_say_how_many_seeds_have_a_pair(tmp_path: Path) -> None:
    """Two of six seeds have no GRU."""
    records = planted(
        tmp_path,
        lambda run: None if run["arch"] == "gru" and run["seed"] > 3 else 0.4 + 0.01 * run["seed"],
        seeds=6,
        arch=("lstm", "gru"),
    )
    for text in (told(records), in_short(records, effects(records))):
        assert "No test over the 4 of the 6 seeds that have both levels can show an effect of the architecture" in text


def test_what_could_have_been_found_is_said_of_an_axis_that_can_be_tested(tmp_path: Path) -> None:
    """Seven seeds are too few for six gains, and enough for two architectures."""
    luck = np.random.default_rng(8).random((7, 6, 2))
    gains = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    records = planted(
        tmp_path,
        lambda run: luck[run["seed"], gains.index(run["init__gain"]), int(run["arch"] == "gru")],
        seeds=7,
        init__gain=gains,
        arch=("lstm", "gru"),
    )
    assert verdict(effects(records)).kind is Kind.NOTHING
    for text in (told(records), in_short(records, effects(records))):
        assert text.startswith("**Nothing that varied has an effect on the best explained variance that these 84 runs")
        assert "With 7 seeds the test of the architecture finds a rank-biserial correlation of " in text
        assert (
            "No test over 7 seeds can show an effect of the gain, however large: corrected for 6 levels and 2" in text
        )
        assert "axes, no p can reach 0.05; it would take at least 11 seeds." in text


def test_the_updates_tell_apart_what_all_solved(tmp_path: Path) -> None:
    for seed, gain in itertools.product(range(8), (0.5, 1.0)):
        more: dict[str, Any] = {"outcome": "solved", "end": 20 if gain == 1.0 else 40}
        score = 0.95 + NOISE[seed, 0, int(gain == 1.0)] / 10
        write_cell(
            tmp_path, length=3, seed=seed, settings={"init.gain": gain}, best_score=float(score), steps=60, **more
        )
    records = load(tmp_path)
    part = part_of(None, records, comparison(records))
    assert first_screen([part])[0].text.startswith("**What mattered most for the updates until solved is the gain**")


def test_an_axis_that_stands_the_other_way_round_by_the_score_is_said(tmp_path: Path) -> None:
    """GRU solves a third of its runs and scores little otherwise; the LSTM never solves and comes close each time."""
    for seed, gain in itertools.product(range(10), (0.5, 1.0, 2.0)):
        solves = {"outcome": "solved", "end": 20, "best_score": 0.95} if gain == 1.0 else {"best_score": 0.1}
        common: dict[str, Any] = {"length": 3, "seed": seed, "steps": 20, "settings": {"init.gain": gain}}
        write_cell(tmp_path, arch="gru", **common, **solves)
        write_cell(tmp_path, arch="lstm", **common, best_score=0.88)
    records = load(tmp_path)
    part = part_of(None, records, comparison(records))
    assert "the architecture stands the other way round:** best LSTM" in part.also
    assert part.also in first_screen([part])[0].text


def test_two_axes_together_are_no_fact_beyond_these_runs_where_they_are_not_tested(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: (run["arch"] == "gru") == (run["init"] == "he"), seeds=3,
                      arch=("gru", "lstm"), init=("he", "orthogonal"))  # fmt: skip
    text = in_short(records, effects(records))
    assert "depends on the" in text
    assert text.endswith("This describes these runs alone: the seeds are too few to test the two together.")


def test_a_level_that_is_best_everywhere_is_named_once(tmp_path: Path) -> None:
    """Two axes that act together by size alone: no list of one and the same level."""

    def rule(run: Mapping[str, Any]) -> float:
        return 0.5 + (0.3 if run["arch"] == "gru" else 0.1) * (1 if run["init"] == "orthogonal" else -1)

    records = planted(tmp_path, rule, seeds=8, arch=("lstm", "gru"), init=("orthogonal", "identity"))
    found = effects(records)
    text = best_by(records, found.interactions[0], found)
    assert text == "Best at every level of the architecture is orthogonal; by how much is what differs."
