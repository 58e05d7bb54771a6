"""Where the best numbers are those of networks that learnt nothing, the report says so and calls no level the best."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import effects_of
from sweeps.report.mattered_in_short import in_short
from sweeps.report.what_mattered import what_mattered

NOISE = np.random.default_rng(3).normal(0, 0.02, (2, 8))
CONSTANT = 1.0 / 6.0
"""The loss of the best constant answer in planted records."""


def study(root: Path, best: Mapping[str, tuple[int, float]], score: str = "explained variance") -> Records:
    """Eight seeds of two architectures, each with the update and the loss of its best evaluation."""
    for row, (arch, (step, loss)) in enumerate(best.items()):
        for seed in range(8):
            number = 0.3 * row + NOISE[row, seed]
            own = {"best": {"step": step, "eval_loss": loss, "eval_score": number}}
            more = {"task": {"score": score, "chance_loss": CONSTANT, "solved_at": 0.9}}
            write_cell(root, arch=arch, seed=seed, length=3, summary=own | more, steps=20, log_every=20, eval_every=20)
    return load(root)


def both(records: Records) -> list[str]:
    found = effects_of(records)
    assert found is not None
    return [in_short(records, found), what_mattered(records, found)[0].text]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("best", "why"),
    [
        ({"lstm": (0, 0.1), "gru": (0, 0.1)}, "that of the untrained network, before the first update."),
        ({"lstm": (20, CONSTANT), "gru": (20, 0.2)}, "no better than the best constant answer."),
        (
            {"lstm": (20, 0.2), "gru": (0, 0.1)},
            "that of the untrained network, before the first update, or no better than the best constant answer.",
        ),
    ],
)
def test_nothing_was_learnt_anywhere(tmp_path: Path, best: Mapping[str, tuple[int, float]], why: str) -> None:
    for text in both(study(tmp_path, best)):
        assert text.startswith(f"**Nothing was learnt:** in all 16 runs the best explained variance is {why} With the ")
        assert "best GRU" not in text and "Best is" not in text and "What mattered most" not in text


def test_the_best_level_is_of_untrained_networks_and_the_other_learnt(tmp_path: Path) -> None:
    for text in both(study(tmp_path, {"lstm": (20, 0.1), "gru": (0, 0.1)})):
        assert text.startswith("**Most runs learnt nothing:** in 8 of 16, and in 8 of 8 with GRU, the best explained")
        assert "no level is called best." in text and "best GRU" not in text and "Best is" not in text


def test_a_winner_is_named_where_it_learnt(tmp_path: Path) -> None:
    for name, best in {
        "worst": {"lstm": (0, 0.1), "gru": (20, 0.1)},
        "sure": {"lstm": (20, 0.2), "gru": (20, 0.2)},
    }.items():
        score = "accuracy" if name == "sure" else "explained variance"  # a loss above that of a constant answer
        for text in both(study(tmp_path / name, best, score)):
            assert text.startswith(f"**What mattered most for the best {score} is the architecture**")
