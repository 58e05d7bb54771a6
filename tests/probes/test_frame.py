"""`sweeps.probed`: the rows of a probe over a sweep."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import sweeps
from sweeps import SweepsError
from sweeps.analysis.loading.records import Records

SMALL = ("task=adding", "task.length=6", "arch.hidden=4", "train.steps=4", "train.batch=4", "train.eval_size=4",
         "train.log_every=2", "train.eval_every=2", "tracker=csv", "arch=lstm,attention,gru")  # fmt: skip


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return sweeps.train(sweeps.compose(*SMALL, "probe=gates,spectrum"), tmp_path_factory.mktemp("probed"))


def test_the_frame_has_the_rows_of_every_file_to_the_bit(records: Records) -> None:
    frame = sweeps.probed(records, "gates")
    assert list(frame)[:3] == ["cell", "step", "layer"]
    archs = records.cells.set_index("cell")["arch"]
    assert set(frame["cell"].map(archs)) == {"lstm", "gru"}, "attention has no gates"
    for cell, part in frame.groupby("cell", observed=True):
        _, *lines = (Path(records.root) / str(cell) / "probe_gates.csv").read_text().splitlines()
        for line, row in zip(lines, part.itertuples(index=False), strict=True):
            for text, value in zip(line.split(","), row[1:], strict=True):
                assert text == ("" if pd.isna(value) else str(value)), "to the bit"
    means = records.with_axes(frame).groupby(["arch", "gate"], observed=True)["mean"].mean()
    assert set(means.index) == {("lstm", "i"), ("lstm", "f"), ("lstm", "o"), ("gru", "r"), ("gru", "z")}


def test_a_probe_that_was_not_taken_is_told_with_how_to_take_it(records: Records) -> None:
    with pytest.raises(SweepsError, match=r"no probe|did you mean 'gates'.*there are: gates, spectrum.*probe=gats"):
        sweeps.probed(records, "gats")


def test_a_damaged_file_is_named(records: Records) -> None:
    cell = str(sweeps.probed(records, "spectrum")["cell"].iloc[0])
    path = Path(records.root) / cell / "probe_spectrum.csv"
    content = path.read_bytes()
    path.write_bytes(b"")
    with pytest.raises(SweepsError, match=r"probe_spectrum\.csv cannot be read"):
        sweeps.probed(records, "spectrum")
    path.write_bytes(content)
