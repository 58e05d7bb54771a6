"""The answer of a report says what was planted in the records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.report.answer import answer, scope
from sweeps.report.document import Document, anchor, to_markdown
from sweeps.report.part import part_of
from sweeps.report.what_ran import headline
from sweeps.tables.combinations import comparison

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
def answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("planted")
    for init, slopes in SLOPES.items():
        for clip in ("none", "norm"):
            for seed, slope in enumerate(slopes):
                outcome = ENDS.get((init, clip), ("finished",) * 2)[seed]
                best = 0.95 if outcome == "solved" else 0.5
                more: dict[str, Any] = {
                    "outcome": outcome,
                    "end": 100,
                    "best_score": best,
                    "steps": 200,
                    "log_every": 100,
                }
                write_cell(root, init=init, clip=clip, seed=seed, slope=slope, length=60, **more)
    return answered(load(root))


def answered(records: Records) -> str:
    return to_markdown(Document("t", [], answer(part_of(None, records, comparison(records)))), Path())


def test_neither_the_largest_nor_one_lucky_run_is_the_init_nearest_to_constant(answers: str) -> None:
    """Identity is the nearest with one seed of two: it is not named, and no other can be then."""
    assert (
        "- **tanh RNN: not decided** between orthogonal (0.977, n = 2) and identity (0.793, n = 2): orthogonal by the "
        "median, but compared by seed it is the nearest to constant in 1 of 2 and identity in 1." in answers
    )


def test_the_init_that_is_nearest_with_every_seed_is_named(tmp_path: Path) -> None:
    for init in ("orthogonal", "he"):
        for seed in (0, 1):
            write_cell(tmp_path, init=init, seed=seed, slope=SLOPES[init][seed], length=60)
    assert (
        "- **tanh RNN: orthogonal**, 0.977 per step (n = 2: 0.977); end to end the gradient changes by -0.010 decades "
        "per step, in all by a factor of 10^-0.6. Compared by seed it is the nearest to constant in 2 of 2."
        in answered(load(tmp_path))
    )


def test_the_factors_of_the_others_are_in_the_table(answers: str) -> None:
    lines = [row.split("|") for row in answers.split("\n") if row.startswith("| ")]
    rows = {line[1].strip(): line[2].strip() for line in reversed(lines)}  # the first table that has such a row
    assert (
        rows["random"] == "0.100 (-1.000)" and rows["He"] == "1.259 (+0.100)" and rows["identity"] == "0.793 (-0.101)"
    )
    assert rows["orthogonal"] == "0.977 (-0.010)"


def test_the_share_that_exploded_before_and_in_training(answers: str) -> None:
    assert "**15% of runs diverged in training** (3 of 20): He with no clipping 2, clip by norm 1." in answers
    assert "None of the 20 did at update 0" in answers
    # clipping starts no new network
    assert "**In 30% of networks the gradient exploded through time at initialisation** (3 of 10): it was" in answers


def test_what_the_sequence_leaves_is_what_was_recorded_not_what_a_line_through_it_says(tmp_path: Path) -> None:
    """A gradient that falls at once and then stays: its slope is small, its change is not."""
    write_cell(tmp_path, length=60, curve=lambda lag: -3.0 if lag else 0.0)
    assert (
        "1.000 per step (n = 1); end to end the gradient changes by -0.051 decades per step, in all by a factor "
        in (text := answered(load(tmp_path)))
    )
    assert "a factor of 10^-3.0." in text


def test_growth_that_a_reader_would_not_call_an_explosion_is_none(tmp_path: Path) -> None:
    """1.03 over nine steps is growth; ninefold is, too; tenfold has exploded."""
    for seed, growth in enumerate((0.0128, 0.95, 1.0, 5.0)):
        write_cell(tmp_path, seed=seed, length=10, slope=growth / 9 + 1e-9)
    assert "exploded through time at initialisation** (2 of 4): it was at least ten" in answered(load(tmp_path))


def test_diverging_before_any_training_is_distinguished_from_diverging_in_it(tmp_path: Path) -> None:
    for arch in ("rnn_relu", "lstm"):
        for seed in range(8):
            ends = {0: 0, 1: 0, 2: 0, 3: 40} if arch == "rnn_relu" else {}
            outcome = "diverged" if seed in ends else "finished"
            write_cell(tmp_path, arch=arch, seed=seed, length=3, outcome=outcome, end=ends.get(seed, 200))
    records = load(tmp_path)
    text = answered(records)
    assert "- **6% of runs diverged in training** (1 of 16): ReLU RNN 1.\n" in text
    assert "- **19% diverged at update 0**, before any training (3 of 16): ReLU RNN 3." in text
    assert re.search(r"\| ReLU RNN +\| +3/8 \| +1/8 \|", text)
    assert "(0 of 13)" in text and "3 more had no finite gradient to measure." in text
    assert headline(records) == "16 runs: 0 solved, 4 diverged (3 at update 0), 12 neither."


def test_every_sentence_says_how_many_runs_it_is_about(answers: str) -> None:
    sentences = [line for line in answers.split("\n") if line.startswith("- **")]
    assert len(sentences) == 9 and all(re.search(r"\d+ of \d+|\d+ pairs|n = \d+", line) for line in sentences)


@pytest.mark.parametrize(("seeds", "few"), [(1, True), (2, True), (5, True), (6, False)])
def test_few_seeds_are_called_a_description(tmp_path: Path, seeds: int, few: bool) -> None:
    for seed in range(seeds):
        write_cell(tmp_path, seed=seed, length=3)
    text = scope(load(tmp_path))
    assert text.startswith(f"{seeds} run") and ("With fewer than 6 seeds no paired test" in text) is few


def test_what_clipping_changed_is_counted_in_pairs(answers: str) -> None:
    assert (
        "- **Clip by norm**, 10 pairs. Solved: 1 only with it (orthogonal 1), 0 only without. Solved at the end: 1 "
        "only with it (orthogonal 1), 0 only without. Diverged: 0 only with it, 1 only without (He 1)." in answers
    )
    assert "| no clipping  | 1 of 10 (10%) |     1 of 10 (10%) | 2 of 10 (20%) |" in answers
    assert "| clip by norm | 2 of 10 (20%) |     2 of 10 (20%) | 1 of 10 (10%) |" in answers


def test_a_single_run_is_described_without_comparisons(tmp_path: Path) -> None:
    write_cell(tmp_path, slope=0.0, length=60, outcome="diverged", end=20, noise=0)
    text = answered(load(tmp_path))
    assert "by +0.0000 decades per step, in all by a factor of 10^0.0.\n" in text
    assert "- **tanh RNN**: 1.000 per step (n = 1); end to end" in text and "The only init" not in text
    assert "**100% of runs diverged in training** (1 of 1)" in text and "clipping change" not in text


def test_a_few_of_many_are_not_zero_percent(tmp_path: Path) -> None:
    for seed in range(201):
        write_cell(tmp_path, seed=seed, length=3, steps=20, outcome="diverged" if seed == 0 else "finished", end=20)
    assert "**0.50% of runs diverged in training** (1 of 201)" in answered(load(tmp_path))


def test_headings_are_found_where_code_hosts_put_them() -> None:
    assert anchor("Which initialisation keeps gradients alive?") == "which-initialisation-keeps-gradients-alive"
    assert anchor("Gradient through time, at initialisation") == "gradient-through-time-at-initialisation"
