"""Updates until solved: Kaplan-Meier by hand, restricted mean by a second route, the table on planted records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.statistics.survival import durations, kaplan_meier, survival_curves
from sweeps.tables.steps_to_solve import steps_to_solve


def test_kaplan_meier_by_hand() -> None:
    # at risk 5, 4, 2: 4/5, then 3/4 of it (one censored at 5), then 1/2 of that
    curve = kaplan_meier([3, 5, 5, 8, 10], [True, True, False, True, False])
    assert curve["step"].tolist() == [0, 3, 5, 8]
    assert curve["unsolved"].tolist() == pytest.approx([1.0, 0.8, 0.6, 0.3])


def test_nothing_solved_stays_at_one() -> None:
    assert kaplan_meier([9, 9], [False, False])["unsolved"].tolist() == [1.0]


@pytest.mark.parametrize("flushed", [False, True])
def test_solved_at_step_0_counts_as_no_time(flushed: bool) -> None:
    """Also after training in the same process, which flushes subnormal numbers to 0."""
    torch.set_flush_denormal(flushed)
    assert kaplan_meier([0, 10], [True, True]).to_numpy().tolist() == [[0, 0.5], [10, 0]]
    assert kaplan_meier([5, 7], [True, False]).to_numpy().tolist() == [[0, 1], [5, 0.5]]
    torch.set_flush_denormal(False)


def plant(root: Path) -> None:
    """lstm is solved at 100, 120 ...; gru 40 later, its last two diverged; rnn_tanh never."""
    for seed in range(8):
        write_cell(root, arch="lstm", seed=seed, length=3, outcome="solved", end=100 + 10 * seed)
        gone = seed >= 6
        write_cell(
            root, arch="gru", seed=seed, length=3, outcome="diverged" if gone else "solved", end=50 if gone else 140
        )
        write_cell(root, arch="rnn_tanh", seed=seed, length=3)


def test_the_table_says_what_was_planted(tmp_path: Path) -> None:
    plant(tmp_path)
    table = steps_to_solve(load(tmp_path), ("arch",))
    frame = table.frame.set_index("arch")
    assert frame["solved"].to_dict() == {"rnn_tanh": 0, "lstm": 8, "gru": 6} and (frame["budget"] == 200).all()
    assert frame.loc["lstm", "median"] == 135 and frame.loc["gru", "median"] == 140
    assert frame.loc["lstm", "restricted_mean"] == pytest.approx(135)
    assert frame.loc["gru", "restricted_mean"] == pytest.approx((6 * 140 + 2 * 200) / 8)
    assert frame["median"].to_dict()["rnn_tanh"] == np.inf and frame.loc["rnn_tanh", "restricted_mean"] == 200
    assert frame["worse"].to_dict() == {"rnn_tanh": True, "lstm": False, "gru": False}
    assert "2 of 24 runs diverged" in table.legend and "censored at the budget" in table.legend
    texts = {row[0].text: row[3].text for row in table.rows}
    assert texts["tanh RNN"] == "unsolved"


def test_the_restricted_mean_is_the_area_under_the_curve(tmp_path: Path) -> None:
    plant(tmp_path)
    records = load(tmp_path)
    means = steps_to_solve(records, ("arch",)).frame.set_index("arch")["restricted_mean"].to_dict()
    for arch, curve in survival_curves(records, ["arch"]).groupby("arch", observed=True):
        widths = np.diff([*curve["step"], 200.0])
        assert means[arch] == pytest.approx(np.sum(widths * curve["unsolved"]))


def test_the_interval_of_a_restricted_mean_is_never_a_point(tmp_path: Path) -> None:
    """Eight runs that never solved: what up to 1 - 0.025^(1/8) of all runs do was not seen."""
    plant(tmp_path)
    table = steps_to_solve(load(tmp_path), ("arch",))
    row = table.frame.set_index("arch").loc["rnn_tanh"]
    assert row["restricted_mean_low"] == pytest.approx(200 * 0.025 ** (1 / 8)) and row["restricted_mean_high"] == 200
    assert "Gaffke" in table.legend


def test_a_restricted_mean_of_few_seeds_has_no_interval_and_says_why(tmp_path: Path) -> None:
    for seed in range(4):
        write_cell(tmp_path, seed=seed, length=3, outcome="solved", end=100)
    table = steps_to_solve(load(tmp_path), ("arch",))
    assert np.isnan(table.frame["restricted_mean_low"].iloc[0]) and table.rows[0][4].text == "100"
    assert "without an interval (with fewer than 5 seeds one that holds" in table.legend


def test_a_restricted_mean_counts_a_seed_once_where_cells_are_missing(tmp_path: Path) -> None:
    """The number in front of the bracket is the mean that the bracket is of."""
    for seed in range(5):
        for clip in ("none", "norm") if seed else ("none",):
            write_cell(tmp_path, seed=seed, clip=clip, length=3, outcome="solved", end=100 if seed else 200)
    row = steps_to_solve(load(tmp_path), ("arch",), incomplete="allow").frame.iloc[0]
    assert row["restricted_mean"] == pytest.approx((4 * 100 + 200) / 5)


def test_a_diverged_run_is_censored_at_the_end_of_its_budget(tmp_path: Path) -> None:
    write_cell(tmp_path, outcome="diverged", end=60, length=3)
    write_cell(tmp_path, seed=1, outcome="diverged", end=60, length=3, summary={"solved_step": 40})
    assert durations(load(tmp_path)).to_numpy().tolist() == [[200.0, False], [40.0, True]]


def test_what_a_larger_budget_solved_later_counts_as_unsolved(tmp_path: Path) -> None:
    write_cell(tmp_path, arch="lstm", length=3, steps=200)
    write_cell(tmp_path, arch="gru", length=3, outcome="solved", steps=400, end=300)
    frame = steps_to_solve(load(tmp_path), ("arch",), incomplete="allow").frame
    assert frame["solved"].sum() == 0 and (frame["budget"] == 200).all() and (frame["restricted_mean"] == 200).all()


def test_curves_of_every_combination(tmp_path: Path) -> None:
    plant(tmp_path)
    curves = survival_curves(load(tmp_path), ["arch"])
    gru = curves[curves["arch"] == "gru"]
    assert gru[["step", "unsolved", "n"]].to_numpy().tolist() == [[0, 1, 8], [140, 0.25, 8]]
    assert set(curves["arch"]) == {"lstm", "gru", "rnn_tanh"}


def test_the_interval_of_a_curve_is_the_exact_one_up_to_the_smallest_budget(tmp_path: Path) -> None:
    for seed in range(5):
        write_cell(tmp_path, seed=seed, length=3, outcome="solved" if seed else "finished", end=80)
    write_cell(tmp_path, seed=5, length=3, outcome="solved", steps=400, end=300)
    curve = survival_curves(load(tmp_path), ["arch"]).set_index("step")
    exact = stats.binomtest(2, 6).proportion_ci(method="exact")
    assert list(curve.loc[80, ["low", "high"]]) == pytest.approx([exact.low, exact.high])
    assert curve.loc[300, ["low", "high"]].isna().all(), "one was censored at 200, its interval is not binomial"
