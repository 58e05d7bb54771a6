"""The answer of a report says what was planted in the records."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps.analysis.document.answer import answer
from sweeps.analysis.document.blocks import Document, anchor, to_markdown
from sweeps.analysis.loading.load import Records, load
from sweeps.analysis.tables.comparison import comparison

SLOPES = {  # log10 per step, of seeds 0 and 1
    "random": (-1.0, -1.0),
    "he": (0.1, 0.1),
    "orthogonal": (-0.01, -0.01),
    "identity": (-0.001, -0.2),
    "xavier": (0.05, -0.05),  # the median of the two is 0, yet neither is near it
}
ENDS = {  # outcome of seeds 0 and 1; every other run finished
    ("orthogonal", "none"): ("solved", "finished"),
    ("orthogonal", "norm"): ("solved", "solved"),
    ("he", "none"): ("diverged", "diverged"),
    ("he", "norm"): ("diverged", "finished"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("planted")
    for init, slopes in SLOPES.items():
        for clip in ("none", "norm"):
            for seed, slope in enumerate(slopes):
                outcome = ENDS.get((init, clip), ("finished",) * 2)[seed]
                write_cell(
                    root, init=init, clip=clip, seed=seed, slope=slope, outcome=outcome, length=20, end=100, noise=0
                )
    return written(load(root))


def written(records: Records) -> str:
    return to_markdown(Document("t", "s", answer(records, comparison(records))), Path())


def test_the_init_nearest_to_constant_is_named_and_neither_the_largest_nor_one_lucky_run(told: str) -> None:
    assert (
        "- **tanh RNN: orthogonal**, 0.977 per step (single runs: 0.977 to 0.977); from the last step to the first the "
        "gradient changes by a factor of 10^-0.2 to 10^-0.2. It is the nearest to constant in 1 of 2 runs." in told
    )


def test_the_factors_of_the_others_are_in_the_table(told: str) -> None:
    rows = {row.split("|")[1].strip(): row.split("|")[2].strip() for row in told.split("\n") if row.startswith("| ")}
    assert rows["random"] == "0.100" and rows["He"] == "1.259" and rows["identity"] == "0.793"
    assert rows["orthogonal"] == "**0.977**"


def test_the_share_that_exploded_before_and_in_training(told: str) -> None:
    assert "**15% of runs diverged in training** (3 of 20): the tanh RNN with He 3, all at T = 20." in told
    assert "**In 30% of networks the gradient exploded through time at initialisation**" in told
    assert "in 3 of 10 (at T = 20: 3 of 10), in 2 of them more than tenfold" in told  # clipping starts no new network


def test_what_the_sequence_leaves_is_what_was_recorded_not_what_a_line_through_it_says(tmp_path: Path) -> None:
    """A gradient that falls at once and then stays: its slope is small, its change is not."""
    cell = write_cell(tmp_path, slope=0.0, length=20, noise=0)
    path = tmp_path / cell / "gradient_through_time.csv"
    rows = pd.read_csv(path)
    rows.loc[rows["lag"] > 0, "log10_norm"] -= 3.0
    rows.to_csv(path, index=False)
    assert "the gradient changes by a factor of 10^-3.0" in written(load(tmp_path))


def test_what_clipping_changed_is_counted_in_pairs(told: str) -> None:
    assert (
        "- **Clip by norm**, 10 pairs: 1 solved the task only with it (tanh RNN 1), 0 only without; 0 diverged only "
        "with it, 1 only without (tanh RNN 1)." in told
    )
    assert "| no clipping  | 1 of 10 (10%) | 2 of 10 (20%) |" in told
    assert "| clip by norm | 2 of 10 (20%) | 1 of 10 (10%) |" in told


def test_one_run_alone_is_told_without_comparisons(tmp_path: Path) -> None:
    write_cell(tmp_path, slope=0.0, outcome="diverged", end=20, noise=0)
    text = written(load(tmp_path))
    assert "the gradient changes by a factor of 10^0.0 (the only init)." in text
    assert "**100% of runs diverged in training** (1 of 1)" in text and "clipping change" not in text


def test_a_few_of_many_are_not_nought_percent(tmp_path: Path) -> None:
    for seed in range(201):
        write_cell(tmp_path, seed=seed, length=3, steps=20, outcome="diverged" if seed == 0 else "finished", end=20)
    assert "**0.50% of runs diverged in training** (1 of 201)" in written(load(tmp_path))


def test_headings_are_found_where_code_hosts_put_them() -> None:
    assert anchor("Which initialisation keeps gradients alive?") == "which-initialisation-keeps-gradients-alive"
    assert anchor("Gradient through time, at initialisation") == "gradient-through-time-at-initialisation"
