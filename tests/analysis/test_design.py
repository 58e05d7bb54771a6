"""An incomplete grid is refused by name; what is compared, pooled and paired is what was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.statistics.design import lay_out, missing_cells
from sweeps.analysis.statistics.measures import measure_named, per_run
from sweeps.errors import SweepsError
from sweeps.tables.compare import compare


def grid_of(root: Path, **more: object) -> None:
    """2 archs x 2 inits x 3 seeds; the score names its cell: 0.1 x arch + 0.01 x init + 0.001 x seed."""
    for a, arch in enumerate(("rnn_tanh", "lstm")):
        for i, init in enumerate(("xavier", "identity")):
            for seed in range(3):
                score = 0.1 * a + 0.01 * i + 0.001 * seed
                write_cell(root, arch=arch, init=init, seed=seed, length=3, best_score=score, **more)  # type: ignore[arg-type]


def remove(root: Path, **levels: object) -> str:
    cells = load(root).select(**levels).cells["cell"]
    assert len(cells) == 1
    (root / cells.iloc[0] / "summary.json").unlink()
    return str(cells.iloc[0])


def test_values_are_in_their_places(tmp_path: Path) -> None:
    grid_of(tmp_path)
    records = load(tmp_path)
    design = lay_out(records, ("init",), per_run(records, measure_named("best_score")), "refuse")
    assert design.values.shape == (2, 3, 2)  # inits, seeds, archs
    i, s, a = np.meshgrid(range(2), range(3), range(2), indexing="ij")
    assert design.values == pytest.approx(0.1 * a + 0.01 * i + 0.001 * s)
    assert design.pooled == ("arch",) and design.fixed == {"clip": "none", "length": 3}
    assert list(design.runs["runs"]) == [6, 6] and len(design.missing) == 0


def test_a_hole_is_refused_by_name_and_reason(tmp_path: Path) -> None:
    grid_of(tmp_path)
    lost = remove(tmp_path, arch="lstm", init="identity", seed=1)
    (tmp_path / lost / "failure.json").write_text(json.dumps({"reason": "killed"}))
    with pytest.raises(SweepsError) as refusal:
        compare(load(tmp_path), ("arch", "init"))
    text = str(refusal.value)
    assert "1 of 12 cells of the grid are missing" in text and 'incomplete="allow"' in text
    assert f"arch=lstm, init=identity, clip=none, length=3, seed=1 (cell {lost}: failed, killed)" in text


def test_a_seed_that_only_some_combinations_have_is_a_hole(tmp_path: Path) -> None:
    grid_of(tmp_path)
    write_cell(tmp_path, arch="lstm", init="xavier", seed=7, length=3)
    lost = missing_cells(load(tmp_path))
    assert list(lost["seed"]) == [7, 7, 7] and set(lost["why"]) == {"not among the records"}
    with pytest.raises(SweepsError, match="3 of 16 cells"):
        compare(load(tmp_path), ("arch",))


def test_a_cell_of_other_numerics_is_a_hole_that_says_so(tmp_path: Path) -> None:
    grid_of(tmp_path, summary={"numerics": 2})
    cell = write_cell(tmp_path, arch="lstm", init="xavier", seed=3, length=3, best_score=0.99, summary={"numerics": 1})
    for arch, init in (("rnn_tanh", "xavier"), ("rnn_tanh", "identity"), ("lstm", "identity")):
        write_cell(tmp_path, arch=arch, init=init, seed=3, length=3, summary={"numerics": 2})
    with pytest.raises(SweepsError, match=f"cell {cell}: other numerics"):
        compare(load(tmp_path), ("arch",))
    table = compare(load(tmp_path), ("arch", "init"), incomplete="allow")
    row = table.frame[(table.frame["arch"] == "lstm") & (table.frame["init"] == "xavier")].iloc[0]
    assert (row["n"], row["missing"]) == (3, 1) and row["high"] < 0.2, "0.99 of the other numerics is not in it"


def test_allow_compares_the_pairs_that_are_there_and_says_so(tmp_path: Path) -> None:
    grid_of(tmp_path)
    remove(tmp_path, arch="lstm", init="identity", seed=1)
    table = compare(load(tmp_path), ("arch", "init"), incomplete="allow")
    assert list(table.frame["n"]) == [3, 3, 3, 2] and list(table.frame["missing"]) == [0, 0, 0, 1]
    assert sorted(table.pairs["pairs"]) == [2, 2, 2, 3, 3, 3]
    assert "1 of 12 cells are missing" in table.legend and "n = 2 to 3 seeds" in table.legend


def test_two_cells_in_one_place_are_refused_by_name(tmp_path: Path) -> None:
    grid_of(tmp_path)
    double = write_cell(tmp_path, arch="lstm", init="xavier", seed=0, length=3, settings={"task.seed": 5})
    with pytest.raises(SweepsError) as refusal:
        compare(load(tmp_path), ("arch",))
    assert "2 cells share their place" in str(refusal.value) and double in str(refusal.value)


def test_two_tasks_are_never_pooled(tmp_path: Path) -> None:
    grid_of(tmp_path)
    grid_of(tmp_path, settings={"task.name": "digits"})
    with pytest.raises(SweepsError, match="add 'task' to the axes or select one"):
        compare(load(tmp_path), ("arch",))
    assert len(compare(load(tmp_path), ("arch",), select={"task": "digits"}).frame) == 2


def test_a_setting_of_a_choice_does_not_stop_the_pairing(tmp_path: Path) -> None:
    """identity has two gains, xavier one: both gains of a seed are one number beside xavier's."""
    for seed in range(3):
        write_cell(tmp_path, init="xavier", seed=seed, length=3, best_score=0.5)
        for gain, score in ((0.5, 0.2), (1.5, 0.4)):
            write_cell(tmp_path, init="identity", seed=seed, length=3, best_score=score, settings={"init.gain": gain})
    pair = compare(load(tmp_path), ("init",)).pairs.iloc[0]
    assert pair["pairs"] == 3 and pair["difference"] == pytest.approx(0.5 - 0.3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": ("arhc",)}, "did you mean 'arch'"),
        ({"axes": ()}, "axes: none given"),
        ({"axes": ("arch", "arch")}, "one to 4 different ones"),
        ({"metric": "best_scor"}, "did you mean 'best_score'"),
        ({"statistic": "mean"}, "allowed: iqm, median"),
        ({"within": ("length",)}, "within: 'length' is not known"),
        ({"select": {"colour": "red"}}, "'colour' is not known|no setting 'colour'"),
        ({"select": {"arch": "gru"}}, "'gru' is not known|no finished run is left"),
        ({"incomplete": "maybe"}, "allowed: allow, refuse"),
        ({"alpha": 5}, "not between 0 and 1"),
    ],
)
def test_errors_say_what_is_allowed(tmp_path: Path, change: dict[str, object], message: str) -> None:
    grid_of(tmp_path)
    arguments = {"axes": ("arch",)} | change
    with pytest.raises(SweepsError, match=message):
        compare(load(tmp_path), **arguments)  # type: ignore[arg-type]
