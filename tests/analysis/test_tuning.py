"""Tuned against tuned: no seed chooses for itself, and no side gains by having more tries."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import sweeps
from analysis.planted import planted
from sweeps.analysis.statistics.intervals import median_interval
from sweeps.analysis.statistics.paired import TUNED, compare_pairs
from sweeps.analysis.tuning import best_of, choose, tune, what_was_chosen
from sweeps.errors import SweepsError

LUCK = np.random.default_rng(7).normal(0, 0.001, 4096)


def naive_choice(values: np.ndarray, seed: int) -> int:
    """The row with the highest mean rank on the other half of the seeds, ranks counted one against one."""
    flat = values.ravel()
    rank = np.array([[np.sum(flat < v) + (np.sum(flat == v) + 1) / 2 for v in row] for row in values])
    others = [each for each in range(values.shape[1]) if (each - seed) % 2]
    return int(np.argmax([np.mean([row[each] for each in others]) for row in rank]))


def test_each_seed_has_the_level_that_is_best_on_the_others() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.normal(size=(4, 5)).round(1)
        values[rng.random(values.shape) < 0.1] = -np.inf  # diverged
        assert choose(values) == [naive_choice(values, seed) for seed in range(5)]


def test_no_seed_chooses_for_itself() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(6, 5))
    before = choose(values)
    for level, seed in itertools.product(range(6), range(5)):
        other = values.copy()
        order = np.sort(values.ravel())
        other[level, seed] = order[0] - 1 if values[level, seed] > np.median(order) else order[-1] + 1
        # ranks of the others shift by one at most, none past another, so the choice at this seed stays
        assert choose(other)[seed] == before[seed]


def test_a_level_without_a_run_of_a_seed_is_not_chosen_there() -> None:
    values = np.array([[9.0, 9.0, np.nan], [1.0, 2.0, 3.0]])
    assert choose(values) == [0, 0, 1], "0 and 2 choose for 1, and 1 for both"
    assert choose(np.array([[1.0]])) == [-1]


def test_the_expected_best_of_k_is_the_mean_over_all_choices_of_k_levels() -> None:
    values = np.random.default_rng(2).normal(size=(5, 4))
    found = best_of(values).set_index("k")["value"]
    ranks = stats.rankdata(values).reshape(values.shape)
    for k in range(1, 6):
        every = []
        for seed in range(4):
            scores = ranks[:, [each for each in range(4) if (each - seed) % 2]].mean(axis=1)
            for subset in itertools.combinations(range(5), k):
                every.append(values[max(subset, key=lambda level: scores[level]), seed])
        assert found[k] == pytest.approx(np.mean(every))
    assert found[5] == pytest.approx(np.mean([values[place, seed] for seed, place in enumerate(choose(values))]))


def test_while_a_diverged_level_may_be_drawn_the_expected_best_is_the_worst_rank() -> None:
    values = np.array([[-np.inf, -np.inf, -np.inf], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    assert best_of(values)["value"].tolist() == pytest.approx([-np.inf, 2 / 3 * 2 + 1 / 3 * 1, 2.0])


@pytest.mark.parametrize(("tries", "least"), [((40, 1), 0.15), ((12, 2), 0.0), ((3, 2), 0.0)])
def test_with_unequal_tries_the_error_of_a_tuned_comparison_is_5_percent(tries: tuple[int, int], least: float) -> None:
    """Of levels that do not matter. Chosen and reported on the same seeds, the side of many more tries wins too often;
    cross-fitted it does not."""
    rng, studies, seeds = np.random.default_rng(11), 1500, 10
    ours, same = np.empty((2, studies, seeds)), np.empty((2, studies, seeds))
    for study, (side, levels) in itertools.product(range(studies), enumerate(tries)):
        values = rng.normal(size=(levels, seeds))
        ours[side, study] = [values[place, seed] for seed, place in enumerate(choose(values))]
        same[side, study] = values[values.mean(axis=1).argmax()]
    fitted, naive = (
        np.sum(compare_pairs(*each[..., None], factor=factor)["p"] <= 0.05)
        for each, factor in ((ours, TUNED), (same, 1))
    )
    bounds = [median_interval(each, confidence=1 - 0.05 / TUNED) for each in ours[0]]
    covered = sum(low <= 0.0 <= high for low, high in bounds)
    error = 3 * np.sqrt(0.05 * 0.95 / studies)
    assert fitted / studies < 0.05 + error, (
        f"cross-fitted {fitted / studies:.3f}, on the same seeds {naive / studies:.3f}"
    )
    assert naive / studies >= least, f"on the same seeds {naive / studies:.3f}"
    assert covered / studies > 0.95 - error, f"coverage of the median {covered / studies:.3f}"


def rule(run: Any) -> float:
    """Each architecture has a rate of its own at which it is as good as the other."""
    own = {"lstm": 0.1, "gru": 0.01}[run["arch"]]
    at = 10 * run["seed"] + 100 * (run["arch"] == "gru") + int(np.log10(run["optim__lr"]) * 3)
    return 0.9 - 0.3 * abs(np.log10(run["optim__lr"] / own)) + LUCK[at]


def test_tables_of_tuned_records(tmp_path: Path) -> None:
    records = planted(tmp_path, rule, seeds=6, arch=("lstm", "gru"), optim__lr=(0.1, 0.01, 0.001))
    tuned = tune(records, ["optim.lr"])
    assert len(tuned.records.cells) == 12 and tuned.records.varied == ["arch"]
    assert tuned.records.cells.groupby("arch", observed=True)["lr"].unique().map(list).to_dict() == {
        "lstm": [0.1],
        "gru": [0.01],
    }
    assert tuned.chosen[["lr", "seeds", "of", "tries"]].values.tolist() == [[0.1, 6, 6, 3], [0.01, 6, 6, 3]]
    table = sweeps.compare(records, ("arch",), tuned=["lr"])
    assert "The learning rate was tuned: for each combination each half of the seeds chose" in " ".join(table.notes)
    fixed = sweeps.compare(records, ("arch",), select={"lr": 0.1}).frame.set_index("arch")["value"]
    assert abs(np.diff(table.frame["value"])[0]) < 0.01 and fixed["lstm"] - fixed["gru"] > 0.25
    for made in (sweeps.rank, sweeps.pairwise, sweeps.steps_to_solve):
        assert any("was tuned" in note for note in made(records, ("arch",), tuned=["lr"]).notes)
    assert "of 3 levels" in what_was_chosen(tuned)


def test_an_init_may_be_tuned(tmp_path: Path) -> None:
    records = planted(
        tmp_path,
        lambda run: (run["init"] == "random") + LUCK[run["seed"]],
        seeds=4,
        arch=("lstm", "gru"),
        init=("random", "orthogonal"),
    )
    tuned = tune(records, ["init"]).records
    assert tuned.varied == ["arch"] and set(tuned.cells["init"]) == {"tuned init"}
    assert (tuned.cells["best_score"] > 0.5).all()


@pytest.mark.parametrize(
    ("axes", "metric", "message"),
    [
        (["arch"], "best_score", "tuned: given 'arch', must be a hyperparameter"),
        (["lrr"], "best_score", "'lrr'.*lr"),
        (["clip"], "best_score", "tuned: given clip, must be axes that varied: arch, lr"),
        ([], "best_score", "tuned: given no axis, must be axes that varied"),
        (["lr"], "grad_norm", "metric: given 'grad_norm', must be one of which more or less is better"),
    ],
)
def test_what_cannot_be_tuned_is_told(tmp_path: Path, axes: list[str], metric: str, message: str) -> None:
    records = planted(tmp_path, rule, seeds=2, arch=("lstm", "gru"), optim__lr=(0.1, 0.01))
    with pytest.raises(SweepsError, match=message):
        tune(records, axes, metric)


def test_one_seed_cannot_choose_and_be_reported(tmp_path: Path) -> None:
    records = planted(tmp_path, rule, seeds=1, arch=("lstm", "gru"), optim__lr=(0.1, 0.01))
    with pytest.raises(SweepsError, match="one seed cannot both choose and be reported"):
        tune(records, ["lr"])
