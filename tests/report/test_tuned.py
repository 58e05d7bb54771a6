"""A study that names tuned axes: its report compares what was chosen on other seeds, and says what and of how many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.planted import planted
from sweeps.analysis.loading.records import Records
from sweeps.analysis.tuning import tune
from sweeps.config.analysis import Analysis
from sweeps.figures.best_of_tries import best_of_tries
from sweeps.records.paths import SweepPaths
from sweeps.report.make import make_report

LUCK = np.random.default_rng(3).normal(0, 0.001, 200)


@pytest.fixture
def study(tmp_path: Path) -> Records:
    """LSTM and GRU are equal at the rate that suits each; at any one rate they are not."""

    def rule(run: Any) -> float:
        own = {"lstm": 0.1, "gru": 0.01}[run["arch"]]
        return 0.8 - 0.2 * abs(np.log10(run["optim__lr"] / own)) + LUCK[run["seed"] + 50 * (run["arch"] == "gru")]

    return planted(tmp_path / "study", rule, seeds=8, arch=("lstm", "gru"), optim__lr=(0.1, 0.01, 0.001))


def reported(records: Records, into: Path, *tuned: str) -> str:
    made = make_report(SweepPaths(records.root), into=into, pages=False, analysis=Analysis(tuned=tuned))
    return made.markdown.read_text()


def test_the_answer_is_of_tuned_against_tuned(study: Records, tmp_path: Path) -> None:
    plain, tuned = reported(study, tmp_path / "plain"), reported(study, tmp_path / "tuned", "lr")
    assert "How settings were tuned" not in plain
    assert "The answer in numbers\n\n16 runs with 8 seeds" in tuned and "48 runs" in plain
    assert "Tuned: the learning rate. For each combination each half of the seeds chose the best of 3 levels" in tuned
    assert "| LSTM " in tuned and "0.1 (8 of 8 seeds)" in tuned and "0.01 (8 of 8 seeds)" in tuned
    assert "which changes with it" not in tuned, "what was tuned is no other difference"
    for table in ("compare.md", "rank.md", "steps_to_solve.md"):
        text = (tmp_path / "tuned" / "tables" / table).read_text()
        assert "The learning rate was tuned: for each combination each half of the seeds chose" in text, table
    assert (tmp_path / "tuned" / "figures" / "best_of_tries.pdf").stat().st_size > 1000
    assert (tmp_path / "tuned" / "tables" / "runs.csv").read_text().count("\n") == 49, "every run is listed"


def test_one_seed_is_told(tmp_path: Path) -> None:
    records = planted(tmp_path / "study", lambda run: 0.5, seeds=1, arch=("lstm", "gru"), optim__lr=(0.1, 0.01))
    text = reported(records, tmp_path / "report", "lr")
    assert "Not tuned: one seed cannot both choose and be reported" in text


def test_the_figure_has_a_line_for_each_side_that_ends_at_what_was_reported(study: Records) -> None:
    found = tune(study, ["lr"])
    [ax] = [panel.ax for panel in best_of_tries(found).panels]
    ends = sorted(float(np.asarray(line.get_ydata())[-1]) for line in ax.lines)
    values = found.records.cells.groupby("arch", observed=True)["best_score"].mean()
    assert ends == pytest.approx(sorted(values)) and len(ends) == 2
