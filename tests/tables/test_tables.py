"""Tables say exactly what was planted: shares, scores, holes, and how diverged runs counted."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.make_records import write_cell
from sweeps import Records, comparison, load, overview
from sweeps.analysis.statistics.outcomes import shares
from sweeps.analysis.text import factor, number, with_interval
from sweeps.tables.at_a_glance import outcomes_markdown
from sweeps.tables.layout import layout
from sweeps.tables.listing import comparison_markdown, counting_rules


def test_planted_shares_and_scores(tmp_path: Path) -> None:
    for seed in range(3):
        write_cell(tmp_path, seed=seed, outcome="solved", end=100 + 20 * seed, best_score=0.9 + 0.02 * seed)
    for seed in range(3, 5):
        write_cell(tmp_path, seed=seed, outcome="diverged", end=60, best_score=0.1)
    row = comparison(load(tmp_path)).iloc[0]
    assert (row["n"], row["share_solved"], row["share_diverged"]) == (5, 0.6, 0.4)
    assert row["best_score"] == 0.9  # of diverged, diverged, 0.9, 0.92, 0.94: the worst rank, whatever they reached
    assert np.isneginf(row["best_score_low"]) and row["best_score_high"] == pytest.approx(0.94)
    assert np.isneginf(row["iqm_score"]), "two of five diverged, of which the mean leaves out one"
    assert "0.9 [diverged, 0.9" in comparison_markdown(comparison(load(tmp_path)), "score").replace("0.90", "0.9")
    assert row["solved_step"] == 120
    assert row["share_solved_low"] < 0.6 < row["share_solved_high"]


def test_a_hole_of_the_grid_is_a_row_with_n_0(tmp_path: Path) -> None:
    for init, length in (("random", 5), ("random", 9), ("identity", 5)):
        write_cell(tmp_path, init=init, length=length)
    unfinished = write_cell(tmp_path, init="xavier", length=5)
    (tmp_path / unfinished / "summary.json").unlink()
    records = load(tmp_path)
    table = comparison(records)
    assert [*zip(table["init"], table["length"], table["n"], table["unfinished"], strict=True)] == [
        ("random", 5, 1, 0),
        ("random", 9, 1, 0),
        ("xavier", 5, 0, 1),
        ("xavier", 9, 0, 0),
        ("identity", 5, 1, 0),
        ("identity", 9, 0, 0),
    ]
    assert table.loc[2, ["share_solved", "best_score", "grad_norm", "decay_start"]].isna().all()
    assert list(shares(records, ["init"])["n"]) == [2, 0, 1]
    assert "3 rows have n = 0" in counting_rules(table, records, seed=0)


def test_the_grid_counts_what_was_asked_for_but_lost(tmp_path: Path) -> None:
    write_cell(tmp_path, init="random")
    damaged = write_cell(tmp_path, init="xavier")
    (tmp_path / damaged / "gradient_through_time.csv").unlink()
    foreign = write_cell(tmp_path, init="identity")
    (tmp_path / foreign).rename(tmp_path / "0123456789ab")
    table = comparison(load(tmp_path))
    assert [*zip(table["init"], table["n"], table["unfinished"], strict=True)] == [
        ("random", 1, 0),
        ("xavier", 0, 1),
    ]


def test_levels_of_a_setting_belong_to_its_choice(tmp_path: Path) -> None:
    write_cell(tmp_path, init="random")
    for gain in (0.5, 1.5):
        write_cell(tmp_path, init="identity", settings={"init.gain": gain})
    table = comparison(load(tmp_path))  # no row for random with gain 0.5: random was never asked for with it
    assert [*zip(table["init"], table["gain"], table["n"], strict=True)] == [
        ("random", 1.0, 1),
        ("identity", 0.5, 1),
        ("identity", 1.5, 1),
    ]


def test_two_tasks_are_never_one_row(tmp_path: Path) -> None:
    write_cell(tmp_path, length=5)
    write_cell(tmp_path, length=8, settings={"task.name": "digits"})
    table = comparison(load(tmp_path))
    assert [*zip(table["length"], table["task"], table["n"], strict=True)] == [
        (5, "adding", 1),
        (8, "digits", 1),
    ]


def test_a_sweep_without_scores_has_shares_and_no_score(tmp_path: Path) -> None:
    for seed in range(2):
        write_cell(tmp_path, seed=seed, best_score=None)
    records = load(tmp_path)
    row = comparison(records).iloc[0]
    assert row["n"] == 2 and row["n_score"] == 0 and math.isnan(row["best_score"])
    assert "2 runs have no finite score" in counting_rules(comparison(records), records, seed=0)


def glance(records: Records) -> list[list[str]]:
    """The entries of the table 'At a glance', heads first."""
    text = outcomes_markdown(overview(records), layout(records), "score").splitlines()
    return [[part.strip() for part in line.split("|")[1:-1]] for line in (text[0], *text[2:])]


def test_at_a_glance_has_lengths_side_by_side_and_a_row_for_each_level(tmp_path: Path) -> None:
    for length in (5, 60):
        write_cell(
            tmp_path, length=length, slope=-0.5, outcome="solved" if length == 5 else "finished", best_score=0.93
        )
        write_cell(tmp_path, length=length, clip="norm", slope=-0.1, best_score=0.5)
    frame = overview(load(tmp_path)).set_index(["clip", "length"])
    assert frame["solved"].tolist() == [1, 0, 0, 0] and frame["runs"].tolist() == [1, 1, 1, 1]
    assert frame.loc[("none", 60), "decay_start"] == pytest.approx(-0.5)
    heads, *rows = glance(load(tmp_path))
    assert heads == ["clip", "T = 5", "T = 60", "factor per step: at init → in training"], "only what varied"
    assert rows[0] == ["no clipping", "1/1 solved, best 0.93", "0/1, best 0.93", "0.316 → 0.316"]
    assert rows[1] == ["clip by norm", "0/1, best 0.50", "0/1, best 0.50", "0.794 → 0.794"]


def test_at_a_glance_spells_out_what_diverged_and_was_lost(tmp_path: Path) -> None:
    for gain in (0.5, 1.0):
        for init in ("random", "xavier"):
            for seed in range(4):
                gone = gain == 1.0 and seed < 2
                ended: dict[str, Any] = {"outcome": "diverged" if gone else "solved", "end": 60 if gone else 100}
                cell = write_cell(
                    tmp_path, init=init, seed=seed, settings={"init.gain": gain}, best_score=0.996, **ended
                )
                if init == "xavier" and seed == 3:
                    (tmp_path / cell / "summary.json").unlink()
    heads, first, second = glance(load(tmp_path))
    assert heads == ["init", "gain = 0.5", "gain = 1"]
    assert first == ["random", "4/4 solved, best 1.00", "2/4 solved, 2 diverged"], (
        "the two in the middle decide the median"
    )
    assert second == ["Xavier", "3/3 solved, 1 lost, best 1.00", "1/3 solved, 2 diverged, 1 lost"]


def test_thirty_levels_are_rows_and_one_axis_has_no_columns(tmp_path: Path) -> None:
    for step in range(30):
        write_cell(tmp_path, length=3, settings={"arch.leak": 0.1 * (step + 1)}, best_score=step / 30)
    heads, *rows = glance(load(tmp_path))
    assert heads == ["leak", "solved", "best score", "end-to-end factor per step: at init → in training"]
    assert len(rows) == 30 and rows[15] == ["1.6", "0/1", "0.50", "0.794 → 0.794"]


def test_the_least_important_axis_is_pooled_where_there_are_too_many_rows(tmp_path: Path) -> None:
    inits = ("random", "xavier", "he", "orthogonal", "identity")
    for arch, init, seed in itertools.product(("rnn_tanh", "rnn_relu", "lstm", "gru"), inits, range(2)):
        for lr in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07):
            score = 0.1 * inits.index(init) + 4 * lr + 0.001 * seed
            settings = {"optim.lr": lr}
            write_cell(
                tmp_path, arch=arch, init=init, seed=seed, length=3, settings=settings, best_score=score, steps=20
            )
    table = layout(load(tmp_path))
    assert (table.rows, table.column, table.pooled) == (("lr",), "init", ("arch",))


def test_a_gradient_of_exactly_0_reads_0_and_a_short_one_is_end_to_end(tmp_path: Path) -> None:
    for init in ("he", "xavier"):
        write_cell(tmp_path, init=init, length=60, curve=lambda lag: -math.inf if lag > 2 else 0.0)
        write_cell(tmp_path / "short", init=init, length=20)
    assert glance(load(tmp_path))[1][-1] == "0 → 0"
    heads, first, _ = glance(load(tmp_path / "short"))
    assert heads[-1].startswith("end-to-end factor") and first[-1] == "0.794 → 0.794"


def test_clipped_share_is_of_the_steps_where_the_gradient_got_smaller(tmp_path: Path) -> None:
    write_cell(tmp_path, clip="norm", grad_norm=3.0)
    write_cell(tmp_path, clip="norm", grad_norm=0.1, length=5)
    table = comparison(load(tmp_path)).set_index("length")
    assert (table.loc[20, "clipped"], table.loc[5, "clipped"]) == (1.0, 0.0)


def test_markdown_shows_failed_runs_only_if_there_are_any(tmp_path: Path) -> None:
    write_cell(tmp_path)
    records = load(tmp_path)
    text = comparison_markdown(comparison(records), records.score_name)
    assert "tanh RNN" in text and "best explained variance" in text and "failed" not in text
    lost = write_cell(tmp_path, seed=1)
    (tmp_path / lost / "summary.json").unlink()
    (tmp_path / lost / "failure.json").write_text(json.dumps({"reason": "killed"}))
    assert "failed" in comparison_markdown(comparison(load(tmp_path)), "score")


def test_the_rules_say_what_two_runs_cannot_show(tmp_path: Path) -> None:
    for seed in range(2):
        write_cell(tmp_path, seed=seed)
    records = load(tmp_path)
    text = counting_rules(comparison(records), records, seed=0)
    assert "in at least 50% of cases" in text and "Clopper and Pearson" in text and "Diverged runs stay in" in text
    assert "with fewer than 11 seeds none reaches 95%" in text


def test_numbers_are_written_for_reading() -> None:
    assert [number(x) for x in (0.0, 0.123456, 1412.0, 3.2e-7, math.nan, -math.inf)] == [
        "0",
        "0.123",
        "1410",
        "3.2e-7",
        "–",
        "-inf",
    ]
    assert (factor(-0.01), factor(-1.05), factor(-30.0), factor(math.nan)) == (
        "0.977",
        "0.089",
        "1.0e-30",
        "–",
    )
    assert with_interval(0.5, 0.25, 0.75) == "0.50 [0.25, 0.75]"
    assert with_interval(0.02, -1e-6, 0.04) == "0.020 [0.000, 0.040]"
    assert with_interval(-np.inf, -np.inf, 0.9, infinite="diverged") == "diverged [diverged, 0.90]"
    assert with_interval(np.inf, np.inf, np.inf, infinite="unsolved") == "unsolved"
    assert with_interval(0.5, np.nan, np.nan) == "0.50" and with_interval(0.996, np.nan, np.nan) == "1.00"
