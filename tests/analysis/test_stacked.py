"""Records of networks with several layers, beside those with one: what is read, and of which layer it is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import make_cells
from sweeps import load
from sweeps.analysis.labels import level_text
from sweeps.analysis.loading.one import read_run
from sweeps.analysis.statistics.summaries import numbers_of
from sweeps.analysis.typed import Typed
from sweeps.errors import SweepsError
from sweeps.execute.worker import train_pack
from sweeps.mirror.run_content import read_gradient
from sweeps.plan.packs import Pack
from sweeps.records.paths import SweepPaths
from sweeps.report.captions import captions
from sweeps.report.run_page import write_run_page
from sweeps.report.run_text import run_text
from sweeps.tables.combinations import comparison
from sweeps.tables.listing import counting_rules
from sweeps.tables.notes import of_the_layer

LENGTH = 60


def trained(root: Path, *layers: int) -> list[str]:
    """Train a cell for each number of layers; returns their ids."""
    cells = make_cells(*((f"stack.layers={n}", f"task.length={LENGTH}", "train.steps=4", "train.log_every=2",
                          "train.eval_every=4") for n in layers))  # fmt: skip
    for cell in cells:
        train_pack(Pack((cell,)), root, lambda kind, content: None)
    return [cell.id for cell in cells]


def test_the_gradient_of_a_stack_is_that_of_its_highest_layer_and_all_are_there(tmp_path: Path) -> None:
    one, three = trained(tmp_path, 1, 3)
    files = {cell: pd.read_csv(tmp_path / cell / "gradient_through_time.csv") for cell in (one, three)}
    assert list(files[one]) == ["step", "t", "lag", "log10_norm"]
    assert list(files[three]) == ["step", "t", "lag", "log10_norm", "layer"]
    records = load(tmp_path)
    assert records.problems.empty and records.varied == ["stack.layers"] and "layer" not in records.gradient
    rows = records.gradient.set_index("cell")["log10_norm"]
    highest = files[three].query("layer == 2")
    assert rows[three].tolist() == highest["log10_norm"].tolist() and len(highest) == 3 * LENGTH
    assert rows[one].tolist() == files[one]["log10_norm"].tolist()
    for layer in range(3):
        own = records.at_layer(layer)
        assert set(own.gradient["cell"]) == ({one, three} if layer == 0 else {three})
        want = files[three].query(f"layer == {layer}")["log10_norm"]
        assert own.gradient.set_index("cell")["log10_norm"][three].tolist() == want.tolist()
    assert numbers_of(records.at_layer(0))["decay_start"][three] != numbers_of(records)["decay_start"][three]
    assert "that of the highest" in captions(records)["gradient_by_lag_start"]
    with pytest.raises(SweepsError, match="layer: given 3, must be from 0 to 2"):
        records.at_layer(3)
    trained(tmp_path / "shallow", 1)
    assert "highest" not in captions(load(tmp_path / "shallow"))["gradient_by_lag_start"], (
        "nothing is said where there is one layer"
    )
    alone = records.select(**{"stack.layers": 1})
    assert alone.at_layer(0).gradient["log10_norm"].tolist() == files[one]["log10_norm"].tolist()
    _, norms = read_gradient(SweepPaths(tmp_path).cell(three).gradient_through_time, [0, 2, 4]) or (None, None)
    assert norms is not None and np.array_equal(norms[0], highest["log10_norm"].to_numpy()[LENGTH - 1 :: -1][:LENGTH])


def test_pages_show_and_tables_say_whose_gradient_it_is_where_there_are_several_layers(tmp_path: Path) -> None:
    one, three = trained(tmp_path, 1, 3)
    both, sweep = load(tmp_path), SweepPaths(tmp_path)
    layer = of_the_layer(both)
    assert "that of the highest" in layer and of_the_layer(replace(both, layers=None)) == ""
    assert layer in counting_rules(comparison(both), both, seed=0)
    for cell, there in ((one, False), (three, True)):
        run = read_run(sweep.cell(cell))
        page = tmp_path / "page.html"
        write_run_page(run, Typed((), ""), page)
        for text in (run_text(run, (), ""), page.read_text()):
            assert ("the highest of 3 layers" in text) is there and (", 3 layers, " in text) is there
        titles = re.findall("<h3>(Spectra.*?)</h3>", page.read_text())
        start = "Spectra of the recurrent matrices"
        ends = (" of layer 0 (the lowest)", " of layer 1", " of layer 2 (the highest)") if there else ("",)
        assert titles == [start + end for end in ends], "a layer each, not all in one"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda table: table.drop(index=LENGTH + 3), "where step 0, t = 3, lag 56, layer 1 must be"),
        (lambda table: table.assign(layer=table["layer"].replace({1: 2})), "layer 1 must be"),
        (lambda table: table.iloc[:-1], "ends at lag 1 of step 4"),
        (lambda table: pd.concat([table, table.tail(1)]), "has rows after lag 0"),
    ],
)
def test_rows_of_a_layer_that_are_lost_or_mixed_up_are_found(tmp_path: Path, broken: object, told: str) -> None:
    _, cell = trained(tmp_path, 1, 2)
    path = tmp_path / cell / "gradient_through_time.csv"
    broken(pd.read_csv(path)).to_csv(path, index=False)  # type: ignore[operator]
    problems = load(tmp_path).problems
    assert problems["problem"].tolist() == ["damaged"] and told in problems["reason"].iloc[0]


def test_two_directions_and_answers_at_every_step_are_read(tmp_path: Path) -> None:
    """Columns are there where they are needed, tables and figures are of direction 0, switches are names."""
    common = ("task=copy", "task.length=3", "arch=gru", "train.steps=4", "train.log_every=2", "train.eval_every=4")
    one, both = make_cells((*common, "stack.layers=2"), (*common, "stack.layers=2", "stack.bidirectional=true"))
    for cell in (one, both):
        train_pack(Pack((cell,)), tmp_path, lambda kind, content: None)
    files = {cell.id: pd.read_csv(tmp_path / cell.id / "gradient_through_time.csv") for cell in (one, both)}
    first = ["step", "t", "lag", "log10_norm", "log10_norm_total"]
    assert list(files[one.id]) == [*first, "layer"] and list(files[both.id]) == [*first, "layer", "direction"]
    records = load(tmp_path)
    assert records.problems.empty and records.varied == ["stack.bidirectional"]
    assert list(records.gradient) == ["cell", *first]
    for layer, direction in ((0, 0), (0, 1), (1, 0), (1, 1)):
        rows = records.at_layer(layer, direction).gradient.query("cell == @both.id")
        want = files[both.id].query("layer == @layer and direction == @direction")
        assert rows["log10_norm"].tolist() == want["log10_norm"].tolist() and len(want) == 3 * 23
    shown = records.gradient.query("cell == @both.id")["log10_norm_total"]
    assert shown.tolist() == files[both.id].query("layer == 1 and direction == 0")["log10_norm_total"].tolist()
    with pytest.raises(SweepsError, match="direction: given 2, must be from 0 to 1"):
        records.at_layer(0, 2)
    assert set(records.cells["stack.bidirectional"]) == {"false", "true"}
    assert len(records.select(**{"stack.bidirectional": "true"}).cells) == 1
    said = [level_text("stack.bidirectional", level) for level in ("false", "true")]
    assert said == ["directions: one", "directions: both"] and level_text("stack.norm", "none") == "normalisation: none"
    assert level_text("train.stop_when_solved", "true") == "stop when solved: true"


@pytest.mark.parametrize("column", ["direction", "layer"])
def test_rows_of_another_place_are_refused(tmp_path: Path, column: str) -> None:
    short = ("task.length=4", "train.steps=2", "train.log_every=1", "train.eval_every=2")
    cell, other = make_cells((*short, "stack.bidirectional=true", "stack.layers=2"), short)
    for each in (cell, other):
        train_pack(Pack((each,)), tmp_path, lambda kind, content: None)
    path = tmp_path / cell.id / "gradient_through_time.csv"
    frame = pd.read_csv(path)
    values = frame[column].to_numpy().copy()
    values[5] = 1 - values[5]
    frame[column] = values
    frame.to_csv(path, index=False)
    [reason] = load(tmp_path).problems["reason"]
    assert "gradient_through_time.csv has step 0" in reason and ", direction " in reason
