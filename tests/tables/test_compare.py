"""Comparisons and rankings say exactly what was planted in records made to measure."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.make_records import write_cell
from analysis.planted import planted as by_rule
from sweeps import Records, load
from sweeps.analysis.statistics.interquartile import iqm
from sweeps.analysis.statistics.intervals import mean_interval, median_interval
from sweeps.analysis.statistics.outcomes import shares
from sweeps.errors import SweepsError
from sweeps.tables.compare import compare
from sweeps.tables.pairwise import pairwise
from sweeps.tables.ranking import rank, ties

SEEDS = 9
LUCK = np.random.default_rng(list(b"luck")).normal(0, 0.1, SEEDS)  # shared by all cells of a seed
SCATTER = np.random.default_rng(list(b"scatter")).normal(0, 0.002, (3, SEEDS))


def planted(root: Path) -> Records:
    """gru beats lstm by 0.05 in every seed, lstm and rnn_tanh are equal but for scatter; rnn_relu diverges thrice.

    The luck of a seed is far larger than the effect: only pairing finds it.
    """
    for seed in range(SEEDS):
        score = {
            "gru": 0.6 + LUCK[seed],
            "lstm": 0.55 + LUCK[seed],
            "rnn_tanh": 0.55 + LUCK[seed] + SCATTER[0, seed],
            "rnn_relu": 0.3 + LUCK[seed],
        }
        for arch, value in score.items():
            outcome = "diverged" if arch == "rnn_relu" and seed < 3 else "finished"
            write_cell(root, arch=arch, seed=seed, length=3, best_score=float(value), outcome=outcome, end=60)
    return load(root)


def test_the_planted_effect_is_found_through_the_luck_of_seeds(tmp_path: Path) -> None:
    table = compare(planted(tmp_path), ("arch",))
    frame = table.frame.set_index("arch")
    assert list(frame["n"]) == [SEEDS] * 4 and frame["best"].to_dict()["gru"] and frame["best"].sum() == 1
    assert frame.loc["gru", "value"] == pytest.approx(np.median(0.6 + LUCK))
    assert list(frame.loc["gru", ["low", "high"]]) == pytest.approx(median_interval(0.6 + LUCK))
    assert frame.loc["lstm", "difference"] == pytest.approx(-0.05)
    assert "difference_low" not in frame, "which is best was seen in the same runs"
    assert "An interval is of its row alone" in table.legend
    assert list(frame.loc["lstm", ["effect", "p"]]) == pytest.approx([-1.0, 2.0 ** (1 - SEEDS)])
    assert frame.loc["lstm", "p_holm"] == pytest.approx(6 * 2.0 ** (1 - SEEDS))
    assert frame["worse"].to_dict() == {"rnn_tanh": True, "rnn_relu": True, "lstm": True, "gru": False}
    unpaired = stats.mannwhitneyu(0.6 + LUCK, 0.55 + LUCK).pvalue
    assert unpaired > 0.05, "the plant would be found without pairing"


def test_diverged_runs_have_the_worst_rank_and_are_told(tmp_path: Path) -> None:
    table = compare(planted(tmp_path), ("arch",))
    row = table.frame.set_index("arch").loc["rnn_relu"]
    ranked = np.array([-np.inf] * 3 + list(0.3 + LUCK[3:]))
    assert row["diverged"] == 3 and row["value"] == np.median(ranked)
    assert (row["low"], row["high"]) == pytest.approx(median_interval(ranked))
    text = next(cells for cells in table.rows if cells[0].text == "ReLU RNN")[1].text
    assert text.endswith(", 3 diverged") and "[diverged, " in text
    assert "3 of 36 runs diverged." in table.legend and "worst rank: below every best" in table.legend


def test_best_and_significance_are_marked(tmp_path: Path) -> None:
    table = compare(planted(tmp_path), ("arch",))
    marks = {row[0].text: (row[1].best, row[1].mark) for row in table.rows}
    assert marks == {"tanh RNN": (False, "*"), "ReLU RNN": (False, "*"), "LSTM": (False, "*"), "GRU": (True, "")}


def test_ranks_tie_where_the_runs_cannot_tell(tmp_path: Path) -> None:
    table = rank(planted(tmp_path), ("arch",))
    assert table.frame["arch"].iloc[0] == "gru"
    ranks = dict(zip(table.frame["arch"], table.frame["rank"], strict=True))
    assert ranks == {"gru": 1, "lstm": 2, "rnn_tanh": 2, "rnn_relu": 4}
    assert list(table.frame["better_than"]) == [3, 1, 1, 0]


def test_an_effect_that_does_not_outlast_holm_breaks_no_tie(tmp_path: Path) -> None:
    """With six seeds the smallest p is 0.031: enough for one comparison, too little for three."""
    for seed in range(6):
        for arch, score in (("gru", 0.6), ("lstm", 0.5), ("rnn_tanh", 0.4)):
            write_cell(tmp_path, arch=arch, seed=seed, length=3, best_score=float(score + LUCK[seed]))
    table = rank(load(tmp_path), ("arch",))
    assert list(table.pairs["p"]) == [2.0**-5] * 3 and (table.pairs["p_holm"] > 0.05).all()
    assert list(table.frame["rank"]) == [1, 1, 1] and not table.frame["worse"].any()
    assert not table.frame[["better_than", "worse_than"]].any(axis=None)
    two = rank(load(tmp_path), ("arch",), select={"arch": ["gru", "lstm"]}).frame
    assert list(two["rank"]) == [1, 2]


def test_a_lower_loss_is_better(tmp_path: Path) -> None:
    for seed in range(8):
        for arch, loss in (("lstm", 0.1), ("gru", 0.2)):
            best = {"step": 0, "eval_loss": loss + seed / 100, "eval_score": 0.5}
            write_cell(tmp_path, arch=arch, seed=seed, length=3, summary={"best": best})
    frame = rank(load(tmp_path), ("arch",), "best_loss").frame
    assert [*zip(frame["arch"], frame["rank"], frame["difference"].fillna(0).round(9), strict=True)] == [
        ("lstm", 1, 0.0),
        ("gru", 2, 0.1),
    ]


@pytest.mark.parametrize(("gru", "order"), [("diverged", False), (0.5, True)])
def test_rows_that_are_all_diverged_are_in_no_order(tmp_path: Path, gru: str | float, order: bool) -> None:
    records = by_rule(tmp_path, lambda run: gru if run["arch"] == "gru" else "diverged", seeds=3, arch=("lstm", "gru"))
    said = ties(rank(records)) or ""
    assert ("First and last in order are" in said) is order
    assert ("The number of each is the same: diverged." in said) is not order


def test_a_metric_without_direction_has_no_best_and_no_rank(tmp_path: Path) -> None:
    records = planted(tmp_path)
    table = compare(records, ("arch",), "change_start")
    assert not table.frame["best"].any() and table.frame["value"].tolist() == pytest.approx([-0.1] * 4)
    with pytest.raises(SweepsError, match="cannot rank"):
        rank(records, ("arch",), "change_start")


def test_pairwise_lists_every_two(tmp_path: Path) -> None:
    table = pairwise(planted(tmp_path), ("arch",))
    frame = table.frame.set_index(["first_arch", "second_arch"])
    assert len(frame) == 6
    assert frame.loc[("lstm", "gru"), "difference"] == pytest.approx(-0.05)
    expected = stats.wilcoxon(0.55 + LUCK + SCATTER[0], 0.55 + LUCK).pvalue
    assert frame.loc[("rnn_tanh", "lstm"), "p"] == pytest.approx(expected)


def test_shares_have_exact_intervals_and_an_exact_sign_test(tmp_path: Path) -> None:
    for seed in range(8):
        write_cell(tmp_path, arch="lstm", seed=seed, length=3, outcome="solved", end=100)
        write_cell(tmp_path, arch="gru", seed=seed, length=3, outcome="solved" if seed < 2 else "finished", end=100)
    frame = compare(load(tmp_path), ("arch",), "solved").frame.set_index("arch")
    assert frame.loc["gru", "value"] == 0.25 and frame.loc["gru", "difference"] == -0.75
    assert list(frame.loc["gru", ["low", "high"]]) == pytest.approx(
        [stats.beta.ppf(0.025, 2, 7), stats.beta.ppf(0.975, 3, 6)]
    )
    assert frame.loc["gru", "p"] == pytest.approx(stats.binomtest(0, 6).pvalue)  # McNemar: six pairs, all one way


def test_a_run_that_was_solved_before_it_diverged_is_both(tmp_path: Path) -> None:
    for seed in range(2):
        write_cell(tmp_path, seed=seed, length=3, outcome="diverged", end=60, summary={"solved_step": 40})
    records = load(tmp_path)
    assert [compare(records, ("arch",), name).frame["value"].iloc[0] for name in ("solved", "diverged")] == [1.0, 1.0]


def test_a_seed_counts_once_however_much_is_pooled(tmp_path: Path) -> None:
    for seed in range(3):
        for length in (3, 4, 5, 6):
            write_cell(tmp_path, seed=seed, length=length, best_score=0.1 * length + 0.01 * seed)
    row = compare(load(tmp_path), ("arch",)).frame.iloc[0]
    assert (row["n"], row["runs"]) == (3, 12)
    assert (row["value"], row["low"], row["high"]) == pytest.approx((0.46, 0.45, 0.47))


def test_a_share_of_pooled_runs_is_one_of_seeds(tmp_path: Path) -> None:
    """Four lengths that a seed solves all or none of are no more evidence than one; one of four is a quarter."""
    for seed in range(5):
        for length in (3, 4, 5, 6):
            solved = seed < 2 or (seed == 2 and length == 3)
            write_cell(tmp_path, seed=seed, length=length, outcome="solved" if solved else "finished", end=100)
    records = load(tmp_path)
    table = compare(records, ("arch",), "solved")
    row = table.frame.iloc[0]
    expected = mean_interval([1, 1, 0.25, 0, 0], 0, 1)
    assert (row["value"], row["low"], row["high"]) == pytest.approx((0.45, *expected))
    assert "over the share of each seed" in table.legend
    figure = shares(records, ("arch",)).iloc[0]
    assert (figure["share_solved_low"], figure["share_solved_high"]) == pytest.approx(expected)


def test_the_interquartile_mean_and_its_seed(tmp_path: Path) -> None:
    for seed in range(12):
        write_cell(tmp_path, seed=seed, length=3, best_score=0.5 + (seed - 6) ** 3 / 1000)
    records = load(tmp_path)
    tables = [compare(records, ("arch",), statistic="iqm", seed=seed) for seed in (0, 0, 1)]
    frames = [table.frame for table in tables]
    assert frames[0]["value"].iloc[0] == pytest.approx(iqm(0.5 + (np.arange(12) - 6) ** 3 / 1000))
    assert frames[0].equals(frames[1]) and not frames[0].equals(frames[2])
    assert "seed 1" in tables[2].legend and "[" in tables[0].rows[0][1].text


def test_the_interquartile_mean_of_few_seeds_has_no_interval_and_says_why(tmp_path: Path) -> None:
    table = compare(planted(tmp_path), ("arch",), statistic="iqm")
    assert table.frame["low"].isna().all() and all("[" not in row[1].text for row in table.rows)
    assert "without an interval (with fewer than 11 seeds none reaches 95%" in table.legend


def test_the_best_is_sought_for_each_length_alone(tmp_path: Path) -> None:
    for seed in range(2):
        for arch, short, long in (("lstm", 0.9, 0.2), ("gru", 0.8, 0.3)):
            write_cell(tmp_path, arch=arch, seed=seed, length=3, best_score=short)
            write_cell(tmp_path, arch=arch, seed=seed, length=4, best_score=long)
    table = compare(load(tmp_path), ("arch", "length"))
    assert [(row[1].best, row[2].best) for row in table.rows] == [(True, False), (False, True)]
    assert table.heads == ("architecture", "T = 3", "T = 4") and len(table.pairs) == 2
    assert compare(load(tmp_path), ("arch", "length"), within=()).frame["best"].tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("setting", "levels", "bests"),
    [
        ("task.variant", ("half", "pascanu"), [True, False, False, True]),
        ("task.solved_at", (0.5, 0.9), [True, False, False, False]),
    ],
)
def test_the_best_is_sought_for_each_variant_of_a_task_alone(
    setting: str, levels: tuple[str | float, ...], bests: list[bool], tmp_path: Path
) -> None:
    """They are different problems, also in their score; the same at which another score counts as solved is one."""
    for arch, scores in (("lstm", (0.9, 0.2)), ("gru", (0.8, 0.3))):
        for level, score in zip(levels, scores, strict=True):
            write_cell(tmp_path, arch=arch, length=3, best_score=score, settings={setting: level})
    assert compare(load(tmp_path), ("arch", setting)).frame["best"].tolist() == bests


def test_two_to_four_axes(tmp_path: Path) -> None:
    for arch in ("lstm", "gru"):
        for init in ("xavier", "identity"):
            for clip in ("none", "norm"):
                for length in (3, 4):
                    write_cell(tmp_path, arch=arch, init=init, clip=clip, length=length)
    records = load(tmp_path)
    for axes, rows, columns in (
        (("arch", "init"), 2, 3),
        (("arch", "init", "length"), 4, 4),
        (("arch", "init", "clip", "length"), 8, 5),
    ):
        table = compare(records, axes)
        assert (len(table.rows), len(table.heads)) == (rows, columns)
        assert len(table.frame) == 2 ** len(axes)


def test_one_seed_has_no_interval_and_is_warned_of(tmp_path: Path) -> None:
    for arch in ("lstm", "gru"):
        write_cell(tmp_path, arch=arch, length=3)
    table = compare(load(tmp_path), ("arch",))
    assert all(map(math.isnan, [*table.frame["low"], *table.frame["high"]])) and not table.frame["worse"].any()
    assert all("[" not in cell.text for row in table.rows for cell in row)
    assert "one seed has none" in table.legend and "Too few seeds to show anything" in table.legend


def test_five_seeds_are_told_what_they_cover_and_cannot_show(tmp_path: Path) -> None:
    for seed in range(5):
        for arch in ("lstm", "gru"):
            write_cell(tmp_path, arch=arch, seed=seed, length=3, best_score=0.9 if arch == "lstm" else 0.1)
    legend = compare(load(tmp_path), ("arch",)).legend
    assert "in at least 93.75% of cases" in legend and "0.0625" in legend and "6 seeds would be the fewest" in legend


def test_all_diverged_has_no_best(tmp_path: Path) -> None:
    for arch in ("lstm", "gru"):
        for seed in range(2):
            write_cell(tmp_path, arch=arch, seed=seed, length=3, outcome="diverged", end=60)
    table = compare(load(tmp_path), ("arch",))
    assert not table.frame["best"].any() and [row[1].text for row in table.rows] == ["2/2 diverged"] * 2


def test_any_name_of_a_setting_and_any_measure_will_do(tmp_path: Path) -> None:
    for gain in (0.5, 1.5):
        for seed, length in itertools.product(range(2), (3, 4)):
            outcome = "solved" if gain > 1 and seed else "finished"
            write_cell(tmp_path, seed=seed, length=length, settings={"init.gain": gain}, outcome=outcome, end=100)
    records = load(tmp_path)
    for axes in (["init.gain", "task.length"], ["gain", "length"]):
        table = compare(records, axes, "solved", within=["task.length"], select={"task.length": [3, 4]})
        assert table.caption.startswith("Share solved by gain and sequence length T.")
        assert [entry.text.split(" [")[0] for entry in table.rows[1]] == ["1.5", "1/2", "1/2"], "runs of runs"
    for metric in ("best_loss", "solved_step", "decay_start", "grad_norm"):
        assert len(compare(records, ["init.gain"], metric).frame) == 2
    one = compare(records, ["gain"], select={"task.length": 3})
    assert "T = 3" in one.caption and "orthogonal" in one.caption


def test_the_loss_of_the_best_evaluation_is_not_called_the_lowest(tmp_path: Path) -> None:
    """A score of 0 throughout leaves the evaluation before training the best, whatever the loss did after it."""
    for seed in (0, 1):
        best = {"step": 0, "eval_loss": 2.4, "eval_score": 0.0}
        write_cell(tmp_path, seed=seed, length=3, summary={"best": best})
    tables = {name: compare(load(tmp_path), ("arch",), name) for name in ("best_loss", "final_eval_loss")}
    assert "Loss of the best evaluation by architecture" in tables["best_loss"].caption
    said = {name: "first with its highest explained variance" in table.legend for name, table in tables.items()}
    assert said == {"best_loss": True, "final_eval_loss": False}


def test_rows_of_two_problems_are_not_put_in_one_order(tmp_path: Path) -> None:
    """Scores at two lengths are of two problems: the gru is ahead at either, and no row is ahead of all."""
    score = {("gru", 3): 0.3, ("lstm", 3): 0.2, ("gru", 5): 0.9, ("lstm", 5): 0.8}
    axes = {"arch": ("lstm", "gru"), "length": (3, 5)}
    records = by_rule(tmp_path, lambda run: score[run["arch"], run["length"]] + run["seed"] / 1000, seeds=2, **axes)
    said = ties(rank(records, ("arch", "length"))) or ""
    order = said.partition("First and last in order are ")[2].partition(". ")[0]
    first, second = (part.split(" and ") for part in order.split("; "))
    assert [each.partition(" (")[0] for each in (*first, *second)] == [
        "GRU, T = 3", "LSTM, T = 3", "GRU, T = 5", "LSTM, T = 5",
    ]  # fmt: skip


@pytest.mark.parametrize(("gru", "bold"), [(0.5, []), (0.6, ["gru"])])
def test_where_all_are_equal_none_is_the_best(tmp_path: Path, gru: float, bold: list[str]) -> None:
    records = by_rule(tmp_path, lambda run: gru if run["arch"] == "gru" else 0.5, seeds=2, arch=("lstm", "gru"))
    frame = compare(records, ("arch",)).frame
    assert frame["arch"][frame["best"]].tolist() == bold
