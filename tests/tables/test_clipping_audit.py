"""The clipping audit on planted records: how often it acted, before and after, what it changed in pairs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.errors import SweepsError
from sweeps.tables.clipping_audit import clipping_audit


def plant(root: Path, seeds: int = 8) -> None:
    """Clipping by norm (threshold 1) cuts gradients of 4 to 1 and saves three of eight runs; value does nothing."""
    for seed in range(seeds):
        gone = seed < 3
        write_cell(root, seed=seed, length=3, outcome="diverged" if gone else "finished", end=60, best_score=0.5)
        solved = "solved" if seed == 7 else "finished"
        write_cell(root, clip="norm", seed=seed, length=3, grad_norm=4.0, best_score=0.6, outcome=solved, end=200)
        same = "diverged" if gone else "finished"
        write_cell(root, clip="value", seed=seed, length=3, grad_norm=0.5, best_score=0.5, outcome=same, end=60)


def test_the_audit_says_what_was_planted(tmp_path: Path) -> None:
    plant(tmp_path)
    table = clipping_audit(load(tmp_path))
    frame = table.frame.set_index("clip")
    assert frame.index.tolist() == ["norm", "value"]
    norm, value = frame.loc["norm"], frame.loc["value"]
    assert (norm["pairs"], norm["clipped"], norm["ever"], norm["clip_scale"]) == (8, 1.0, 1.0, 0.25)
    assert (norm["grad_norm"], norm["grad_norm_clipped"]) == (4.0, 1.0)
    assert (norm["diverged_avoided"], norm["diverged_caused"]) == (3, 0)
    assert (norm["solved_gained"], norm["solved_lost"]) == (1, 0)
    assert norm["difference"] == pytest.approx(0.1) and norm["difference_high"] == float("inf")
    assert norm["effect"] == 1.0 and norm["p"] == pytest.approx(2.0**-7) and norm["p_holm"] == pytest.approx(2.0**-6)
    assert (value["clipped"], value["ever"], value["difference"], value["p"]) == (0.0, 0.0, 0.0, 1.0)
    assert [row[6].mark for row in table.rows] == ["*", ""]
    assert table.rows[0][-1].text == "+0 −3" and table.rows[0][-3].text == "+1 −0"
    assert "6 of 24 runs diverged" in table.legend


def test_lengths_apart_and_pooled(tmp_path: Path) -> None:
    for length, norm in ((3, 0.5), (5, 8.0)):
        for seed in range(2):
            write_cell(tmp_path, length=length, seed=seed)
            write_cell(tmp_path, clip="norm", length=length, seed=seed, grad_norm=norm)
    apart = clipping_audit(load(tmp_path), ("arch", "clip", "length")).frame
    assert apart[["length", "clipped", "pairs"]].to_numpy().tolist() == [[3, 0, 2], [5, 1, 2]]
    pooled = clipping_audit(load(tmp_path)).frame.iloc[0]
    assert (pooled["pairs"], pooled["seeds"], pooled["ever"]) == (4, 2, 0.5)


def test_thresholds_have_their_own_rows_against_the_same_reference(tmp_path: Path) -> None:
    for seed in range(2):
        write_cell(tmp_path, seed=seed, length=3, best_score=0.2)
        for threshold, score in ((0.5, 0.3), (2.0, 0.4)):
            changed = {"clip.threshold": threshold}
            write_cell(tmp_path, clip="norm", seed=seed, length=3, best_score=score, settings=changed)
    frame = clipping_audit(load(tmp_path)).frame
    assert frame["threshold"].tolist() == [0.5, 2.0] and frame["difference"].tolist() == pytest.approx([0.1, 0.2])


def test_a_grid_with_holes_is_refused_unless_allowed(tmp_path: Path) -> None:
    plant(tmp_path)
    removed = load(tmp_path).cells.query("clip == 'norm' and seed == 5")["cell"].item()
    shutil.rmtree(tmp_path / removed)
    with pytest.raises(SweepsError, match=r"1 of 24 cells of the grid are missing:\n  - .*clip=norm.*seed=5"):
        clipping_audit(load(tmp_path))
    assert clipping_audit(load(tmp_path), incomplete="allow").frame["pairs"].tolist() == [7, 8]


def test_without_a_reference_there_is_no_audit(tmp_path: Path) -> None:
    write_cell(tmp_path, clip="norm")
    with pytest.raises(SweepsError, match="clip=none"):
        clipping_audit(load(tmp_path))
    write_cell(tmp_path)
    with pytest.raises(SweepsError, match="only clip=none"):
        clipping_audit(load(tmp_path), select={"clip": "none"})
    with pytest.raises(SweepsError, match="'clip' must be one of them"):
        clipping_audit(load(tmp_path), ("arch",))
