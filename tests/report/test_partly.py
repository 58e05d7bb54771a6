"""The report of a study with a setting that only one of its architectures has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import effects
from sweeps.analysis.statistics.measures import MEASURES
from sweeps.records.paths import SweepPaths
from sweeps.report.make import make_report
from sweeps.report.verify import verify
from sweeps.tables.compare import compare


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """A forget bias of 2 is worth 0.2 to an LSTM; a tanh network, without one, is worse than either."""
    root = tmp_path_factory.mktemp("runs") / "partly"
    for seed in range(3):
        write_cell(root, arch="rnn_tanh", length=60, seed=seed, slope=-0.3, best_score=0.1)
        for bias in (0.0, 2.0):
            settings = {"arch.forget_bias": bias}
            write_cell(
                root, arch="lstm", length=60, seed=seed, settings=settings, slope=-0.1, best_score=0.5 + bias / 10
            )
    return load(root)


def test_effects_are_of_the_runs_that_have_the_setting(records: Records) -> None:
    found = {each.axis: each for each in effects(records, MEASURES["best_score"]).axes}
    bias, arch = found["arch.forget_bias"], found["arch"]
    assert (bias.levels, bias.best, bias.worst, bias.pairs) == ((0.0, 2.0), (2.0,), (0.0,), 3)
    assert bias.difference == pytest.approx(0.2)
    assert (arch.best, arch.worst, arch.pairs) == (("lstm",), ("rnn_tanh",), 3)
    assert arch.difference == pytest.approx(0.6 - 0.1), "the median of the two LSTMs of a seed"


def test_the_tables_have_a_row_for_the_runs_without_it(records: Records) -> None:
    frame = compare(records, ("arch", "forget_bias")).frame
    rows = {(row["arch"], str(row["arch.forget_bias"])): row["n"] for row in frame.to_dict("records")}
    assert rows == {("rnn_tanh", "nan"): 3, ("lstm", "0.0"): 3, ("lstm", "2.0"): 3}


@pytest.mark.slow
def test_the_report_says_whose_setting_it_is_and_counts_no_hole(records: Records, tmp_path: Path) -> None:
    sweep = SweepPaths(records.root)
    text = make_report(sweep, records=records).markdown.read_text()
    assert re.search(r"\| forget bias\s*\| 0, 2 \(LSTM alone\)", text)
    assert "9 cells, every combination of the levels that there are: forget bias only with LSTM." in text
    assert "of runs that differ in the forget bias their median" in text
    assert re.search(r"\| unset +\| +0\.501 \(n = 3\) \| +– \|", text), "the factor per step of the tanh network"
    assert "tanh RNN: no forget bias (0.501)" in text
    assert "from forget bias = 0 to forget bias = 2" in text
    assert not re.search(r"\bnan\b", text) and "have no run" not in text
    assert not verify(sweep).differs
