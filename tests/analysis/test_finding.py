"""Cells are found by their settings and outcomes; what is not there is told with what is."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.finding import find
from sweeps.analysis.loading.one import find_cell, read_run
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs") / "small"
    for arch in ("lstm", "gru"):
        for length in (20, 100):
            write_cell(root, arch=arch, length=length, settings={"init.gain": 1.0}, outcome="solved", end=120)
            write_cell(root, arch=arch, length=length, settings={"init.gain": 1.2})
    write_cell(root, arch="gru", length=100, seed=3, outcome="diverged", end=40)
    return root


def cells(root: Path, **wanted: str) -> set[str]:
    return {row[0] for row in find(root, {key.replace("__", "."): text for key, text in wanted.items()}).rows}


def test_it_finds_what_a_selection_of_the_frames_finds(root: Path) -> None:
    frame = load(root, cache=False).cells
    for arch, length, gain in itertools.product(("lstm", "gru"), (20, 100), (1.0, 1.2)):
        here = (frame["arch"] == arch) & (frame["length"] == length) & (frame["gain"] == gain)
        assert here.any()
        assert cells(root, arch=arch, length=str(length), gain=str(gain)) == set(frame.loc[here, "cell"])
    assert cells(root) == set(frame["cell"])
    assert cells(root, outcome="solved") == set(frame.loc[frame["outcome"] == "solved", "cell"])


def test_dotted_and_short_names_and_all_spellings_of_a_number_are_the_same(root: Path) -> None:
    expected = cells(root, gain="1.2")
    assert len(expected) == 4
    for spelling in ("1.20", "12e-1", "+1.2"):
        assert cells(root, init__gain=spelling) == expected
    assert cells(root, task__length="1e2", arch="gru") == cells(root, length="100.0", arch="gru")
    assert cells(root, arch="lstm,gru", length="20") == cells(root, length="20")


def test_a_range_holds_its_ends_and_nothing_that_was_not_measured(tmp_path: Path) -> None:
    ids = [
        write_cell(tmp_path / "x", seed=seed, length=20 * (seed + 1), best_score=score, outcome=outcome, end=40 * seed)
        for seed, (score, outcome) in enumerate(
            [(None, "finished"), (0.5, "solved"), (0.9, "solved"), (0.95, "solved")]
        )
    ]
    root = tmp_path / "x"
    for wanted, expected in {
        "score=0.9..": ids[2:],
        "best_score=..0.5": ids[1:2],
        "score=0.5..0.9": ids[1:3],
        "updates=..80": ids[1:3],
        "length=30..60": ids[1:3],
        "task.length=..20": ids[:1],
    }.items():
        name, _, text = wanted.partition("=")
        assert {row[0] for row in find(root, {name: text}).rows} == set(expected), wanted
    found = find(root, {"loss": "0..10", "score": "0.9.."})
    assert found.heads[-4:] == ["best", "loss", "solved at", "folder"] and len(found.rows) == 2
    assert "alone score=0.99.. has 0" in find(root, {"score": "0.99.."}).nothing


@pytest.mark.parametrize("text", ["..", "0.9..0.5", "a..b", "0.9", "0.5,0.9", "nan.."])
def test_what_is_no_range_of_a_result_is_refused_with_those_that_are(root: Path, text: str) -> None:
    with pytest.raises(SweepsError, match=r"write|must be a range.*score=0.9.. \(at least\)"):
        find(root, {"score": text})


def test_a_result_that_cannot_be_asked_for_is_told_with_those_that_can(root: Path) -> None:
    with pytest.raises(SweepsError, match=r"'decay' is not known.*loss, .*score, .*updates") as error:
        find(root, {"decay": "0.."})
    assert "root" not in str(error.value) and "runs_dir" not in str(error.value)


def test_rows_hold_what_varies_and_are_in_order(root: Path) -> None:
    found = find(root, {"arch": "gru", "length": "100"})
    assert found.heads == ["cell", "arch", "length", "gain", "seed", "outcome", "best", "solved at", "folder"]
    assert [row[1:-1] for row in found.rows] == [
        ["gru", "100", "1", "0", "solved", "0.5", "120"],
        ["gru", "100", "1", "3", "diverged", "0.5", "–"],
        ["gru", "100", "1.2", "0", "finished", "0.5", "–"],
    ]
    assert all(row[-1].endswith(f"small/{row[0]}") for row in found.rows)
    assert found.total == 9


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"lenght": "20"}, "setting or result of these cells: 'lenght' is not known; did you mean 'length'?"),
        ({"arch.hiden": "20"}, "did you mean 'arch.hidden'?"),
        ({"arch": "ltsm"}, "arch: no cell has 'ltsm'; did you mean 'lstm'? (there are: gru, lstm)"),
        ({"gain": "1.3"}, "gain: no cell has '1.3'; did you mean '1.2'? (there are: 1, 1.2)"),
        ({"outcome": "divergd"}, "did you mean 'diverged'?"),
        ({"length": ""}, "length: no cell has '' (there are: 20, 100)"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(root: Path, wanted: dict[str, str], message: str) -> None:
    with pytest.raises(SweepsError) as error:
        find(root, wanted)
    assert message in str(error.value)


def test_settings_that_exist_but_not_together_are_counted_alone(root: Path) -> None:
    found = find(root, {"arch": "lstm", "seed": "3"})
    assert not found.rows
    assert found.nothing == "none of 9 cells; alone arch=lstm has 4, seed=3 has 1"
    assert find(root, {"outcome": "failed"}).nothing == "none of 9 cells; alone outcome=failed has 0"


def test_cells_that_are_not_done_are_listed_by_their_problem(tmp_path: Path) -> None:
    root = tmp_path / "small"
    damaged, failed, unfinished = (write_cell(root, seed=seed) for seed in range(3))
    (root / damaged / "metrics.csv").write_text("step\n")
    (root / failed / "summary.json").unlink()
    (root / failed / "failure.json").write_text(json.dumps({"reason": "out of memory"}))
    (root / unfinished / "summary.json").unlink()
    by_id = {row[0]: row for row in find(root, {}).rows}
    assert [by_id[cell][2] for cell in (damaged, failed, unfinished)] == ["damaged", "failed", "unfinished"]
    assert [by_id[cell][1] for cell in (damaged, failed, unfinished)] == ["0", "1", "2"], "their seeds are known"
    assert cells(root, outcome="failed,damaged") == {failed, damaged}


def test_a_run_read_alone_is_the_run_among_the_others(root: Path) -> None:
    whole = load(root, cache=False)
    for cell in whole.cells["cell"]:
        alone = read_run(SweepPaths(root).cell(str(cell))).records
        assert alone is not None
        for name in ("metrics", "gradient", "parameters"):
            frame, part = getattr(whole, name), getattr(alone, name)
            here = frame[frame["cell"] == cell].drop(columns="cell").reset_index(drop=True)
            pd.testing.assert_frame_equal(part.drop(columns="cell"), here, check_categorical=False)


def test_a_cell_is_named_by_the_first_digits_of_its_id(root: Path, tmp_path: Path) -> None:
    one, other = SweepPaths(root), SweepPaths(tmp_path / "other")
    ids = [cell.root.name for cell in one.cells()]
    for each in ids:
        unique = next(each[:n] for n in range(1, 13) if sum(other.startswith(each[:n]) for other in ids) == 1)
        assert find_cell(unique, [one]) == find_cell(each, [one]) == one.cell(each)
    (other.root / ids[0]).mkdir(parents=True)
    with pytest.raises(SweepsError, match=r"is 2 cells \(small/.*, other/.*\); say which sweep, experiment=NAME"):
        find_cell(ids[0], [one, other])
    (other.root / "fffffffffff1").mkdir()
    (other.root / "fffffffffff2").mkdir()
    with pytest.raises(SweepsError, match="give more of its digits"):
        find_cell("fffffff", [other])
    with pytest.raises(SweepsError, match=r"is none of the 3 cells in .*did you mean 'fffffffffff[12]'"):
        find_cell("ffffffffffff", [other])
    with pytest.raises(SweepsError, match="must be an id of twelve hex digits"):
        find_cell("../x", [one])
