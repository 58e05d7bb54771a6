"""One sequence on the page of a run: the numbers drawn are those of the panels, and the page says how to get one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.one import read_run
from sweeps.analysis.sequence import Bars, Panel, Shown
from sweeps.analysis.typed import Typed
from sweeps.records.paths import SweepPaths
from sweeps.report.heat_map import DIGITS, MOST
from sweeps.report.run_page import write_run_page
from sweeps.report.run_sequence import caption, drawn

RNG = np.random.default_rng(0)
TARGET = np.where(np.arange(20)[:, None] < 12, np.nan, RNG.normal(size=(20, 2)))
SHOWN = Shown(
    20,
    (
        Panel("inputs x_t", "input", np.eye(3)[RNG.integers(0, 3, 20)]),
        Panel("states h_t", "unit", RNG.uniform(-0.7, 0.3, (20, 5))),
        Panel("outputs", "output", RNG.normal(size=(20, 2)) * 0.1),
        Panel("target", "output", TARGET),
    ),
    (Bars("answer <b>", "class", np.array([0.25, 0.75]), np.array([0.0, 1.0]), True),),
)


def read(panel: dict[str, Any]) -> np.ndarray:
    """[n, R], the values that the text of a panel stands for, by the definition of its digits."""
    size, text, most = panel["digits"], panel["values"], len(DIGITS) ** panel["digits"] - 3
    numbers = [
        sum(DIGITS.index(each) * len(DIGITS) ** (size - 1 - place) for place, each in enumerate(text[at : at + size]))
        for at in range(0, len(text), size)
    ]
    values = [np.nan if each < 2 else (2 * (each - 2) / most - 1) * panel["limit"] for each in numbers]
    return np.array(values).reshape(len(panel["times"]), len(panel["rows"]))


def page_of(tmp_path: Path, **given: Any) -> str:
    root = tmp_path / f"{len(list(tmp_path.iterdir()))}" / "small"
    run = read_run(SweepPaths(root).cell(write_cell(root)))
    write_run_page(run, Typed(set(), "python -m sweeps"), tmp_path / "a.html", **given)
    return (tmp_path / "a.html").read_text()


def test_every_value_is_there_and_what_is_not_asked_is_a_gap() -> None:
    data = drawn(SHOWN)
    for panel, own in zip(data["panels"], SHOWN.panels, strict=True):
        assert read(panel) == pytest.approx(own.values, abs=panel["limit"] / 4000, nan_ok=True), own.name
        assert np.nanmax(np.abs(own.values)) <= panel["limit"], "a colour for every value"
    assert data["steps"] == 20 and data["bars"][0]["values"] == [0.25, 0.75]


def test_colours_are_centred_on_zero_and_outputs_share_theirs_with_the_target() -> None:
    data = {each["name"]: each for each in drawn(SHOWN)["panels"]}
    states = np.abs(SHOWN.panels[1].values).max()
    assert states <= data["states h_t"]["limit"] <= states * 1.02
    assert data["outputs"]["limit"] == data["target"]["limit"] >= np.nanmax(np.abs(TARGET))
    zeros = drawn(Shown(4, (Panel("inputs", "input", np.zeros((4, 1))),), ()))["panels"][0]
    assert zeros["limit"] == 1.0 and read(zeros) == pytest.approx(np.zeros((4, 1)), abs=1e-3)


def test_a_long_sequence_is_thinned_and_that_is_said() -> None:
    long = Shown(5000, (Panel("states h_t", "unit", RNG.normal(size=(5000, 64))),), ())
    [panel] = drawn(long)["panels"]
    assert len(panel["times"]) * len(panel["rows"]) <= 1.05 * MOST
    assert (panel["times"][0], panel["times"][-1], panel["count"]) == (0, 4999, 64)
    assert "Not every time step or row is drawn of: states h_t." in caption(long)
    assert "Not every" not in caption(SHOWN)


def test_a_page_holds_the_sequence_and_its_script_only_where_there_is_one(tmp_path: Path) -> None:
    plain = page_of(tmp_path)
    assert "sequence-to-draw" not in plain and "One sequence" not in plain
    said = page_of(tmp_path, sequence="No sequence is shown: <i>.")
    assert "<p>No sequence is shown: &lt;i&gt;.</p>" in said and "sequence-to-draw" not in said
    text = page_of(tmp_path, sequence=SHOWN)
    found = re.search(r'id="sequence-to-draw">(.*?)</script>', text, re.S)
    assert found is not None and json.loads(found[1]) == drawn(SHOWN)
    assert "<b>" not in text, "no text of a panel makes an element"
    assert text == page_of(tmp_path, sequence=SHOWN)
    scripts = [len(re.findall(r"<script>(.*?)</script>", each, re.S)[0]) for each in (plain, text)]
    assert scripts[0] < scripts[1] < 20_000
