"""The answer of a report says what was planted in the records."""

from __future__ import annotations

from pathlib import Path

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
                write_cell(root, init=init, clip=clip, seed=seed, slope=slope, outcome=outcome, length=20, end=100)
    return written(load(root))


def written(records: Records) -> str:
    return to_markdown(Document("t", "s", answer(records, comparison(records))), Path())


def test_the_init_nearest_to_constant_is_named_and_neither_the_largest_nor_one_lucky_run(told: str) -> None:
    assert (
        "- **tanh RNN: orthogonal**, 0.977 per step, so that 19 steps multiply the gradient by 10^-0.2 (single runs: "
        "0.977 to 0.977 per step); it is the nearest to constant in 1 of 2 runs." in told
    )


def test_the_factors_of_the_others_are_in_the_table(told: str) -> None:
    rows = {row.split("|")[1].strip(): row.split("|")[2].strip() for row in told.split("\n") if row.startswith("| ")}
    assert rows["random"] == "0.100" and rows["He"] == "1.259" and rows["identity"] == "0.793"
    assert rows["orthogonal"] == "**0.977**"


def test_the_share_that_exploded_before_and_in_training(told: str) -> None:
    assert "**19% of runs diverged in training** (3 of 16): the tanh RNN with He 3, all at T = 20." in told
    assert "**In 25% of runs the gradient exploded through time at initialisation**" in told
    assert "4 of 16 have a factor above 1" in told and "more than tenfold in 25% (4)" in told


def test_what_clipping_changed_is_counted_in_pairs(told: str) -> None:
    assert (
        "- **Clip by norm**, 8 pairs: 1 solved the task only with it (tanh RNN 1), 0 only without; 0 diverged only "
        "with it, 1 only without (tanh RNN 1)." in told
    )
    assert "| no clipping  | 1 of 8 (12%) | 2 of 8 (25%) |" in told
    assert "| clip by norm | 2 of 8 (25%) | 1 of 8 (12%) |" in told


def test_one_run_alone_is_told_without_comparisons(tmp_path: Path) -> None:
    write_cell(tmp_path, slope=0.0, outcome="diverged", end=20)
    text = written(load(tmp_path))
    assert "leave the gradient as it is (the only init)." in text
    assert "**100% of runs diverged in training** (1 of 1)" in text and "clipping change" not in text


def test_a_few_of_many_are_not_nought_percent(tmp_path: Path) -> None:
    for seed in range(201):
        write_cell(tmp_path, seed=seed, length=3, steps=20, outcome="diverged" if seed == 0 else "finished", end=20)
    assert "**0.50% of runs diverged in training** (1 of 201)" in written(load(tmp_path))


def test_headings_are_found_where_code_hosts_put_them() -> None:
    assert anchor("Which initialisation keeps gradients alive?") == "which-initialisation-keeps-gradients-alive"
    assert anchor("Gradient through time, at initialisation") == "gradient-through-time-at-initialisation"
