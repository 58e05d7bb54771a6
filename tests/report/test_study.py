"""A report shows what a study chose under `analysis:`, and says what these runs cannot show of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import BY_LAG, BY_LEVEL, roles
from sweeps.analysis.statistics.effects import effects
from sweeps.analysis.statistics.measures import measure_named, per_run
from sweeps.config.analysis import NOTHING, Analysis
from sweeps.records.paths import SweepPaths
from sweeps.report.make import make_figures, make_report
from sweeps.report.study import compared, measure_of
from sweeps.report.tables import paired
from sweeps.report.verify import verify
from sweeps.report.what_mattered import what_mattered

AXES: dict[str, Any] = {"arch": ("lstm", "gru"), "init__gain": (0.5, 1.0), "length": (3, 4)}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """The gain decides the best score and the architecture nothing."""
    return planted(tmp_path_factory.mktemp("runs") / "mine", lambda run: run["init__gain"] / 2, seeds=2, **AXES)


def test_an_axis_has_the_slot_that_the_study_gives_it_where_a_figure_has_one(records: Records) -> None:
    preferred = {"arch": "colour", "gain": "x"}
    level, lag = roles(records, BY_LEVEL, None, preferred), roles(records, BY_LAG, None, preferred)
    assert (level.x, level.colour) == ("gain", "arch")
    assert lag.colour == "arch" and "gain" in (lag.column, lag.row), "it has no x axis to give"
    assert roles(records, BY_LEVEL, None, {"clip": "x", "lr": "row"}) == roles(records, BY_LEVEL), "they did not vary"


def test_what_is_typed_comes_before_what_the_study_says(records: Records) -> None:
    found = roles(records, BY_LEVEL, {"colour": "init.gain"}, {"arch": "colour", "gain": "x"})
    assert found.colour == "gain" and found.x != "gain" and "arch" in (found.column, found.row)


def test_an_axis_can_be_left_out_on_purpose(records: Records) -> None:
    found = roles(records, BY_LEVEL, None, {"arch": "pooled"})
    assert "arch" not in found.drawn and found.pooled == ("arch",)
    assert roles(records, BY_LEVEL, {"row": "arch"}, {"arch": "pooled"}).row == "arch"
    assert dict(roles(records, BY_LAG, None, {"length": "pooled"}).fixed)["length"] == 4, (
        "curves of two T are never one"
    )


@pytest.mark.slow
def test_the_report_has_the_figures_in_the_order_of_the_study_and_its_question(
    records: Records, tmp_path: Path
) -> None:
    sweep = SweepPaths(records.root)
    chosen = Analysis(
        "Does gain help?", {"gain": "x", "lr": "row"}, (), ("lr",), ("gradient_by_lag_end", "loss_curves")
    )
    for readme in ("# Mine\n\nThe design.", None):
        made = make_report(sweep, readme, into=tmp_path / str(readme is None), records=records, analysis=chosen)
        text = made.markdown.read_text()
        above = "## The question\n\nDoes gain help?\n\n" + ("The design.\n\n" if readme else "")
        assert above + "## What was varied" in text
        assert text.index("### Gradient through time, at the end of training") < text.index("### Loss over training")
        assert "Not drawn" not in text and "Gradient through time, at initialisation" not in text
        assert "lr is no axis of these runs" in text and "gain is no axis" not in text
        assert sorted(path.stem for path in made.figures.glob("*.png")) == [
            *("gradient_by_lag_end", "gradient_by_lag_end_narrow"),
            *("loss_curves", "loss_curves_narrow", "score_by_level", "score_by_level_narrow"),
        ]
    assert [path.stem for path in make_figures(sweep, analysis=chosen)][::3] == ["gradient_by_lag_end", "loss_curves"]


def test_verify_holds_with_the_same_choices_and_says_so_with_others(tmp_path: Path) -> None:
    for seed in range(2):
        write_cell(tmp_path / "mine", seed=seed)
    sweep, chosen = SweepPaths(tmp_path / "mine"), Analysis("Why?", figures=("loss_curves",))
    make_report(sweep, analysis=chosen)
    assert not verify(sweep, analysis=chosen).differs
    assert verify(sweep).differs


def test_the_first_measure_is_that_of_answer_and_ranking_and_each_is_compared(records: Records) -> None:
    chosen = Analysis(metrics=("loss", "seconds", "final_score"))
    blocks = what_mattered(records, *compared(records, chosen))
    assert "loss of the best evaluation" in blocks[0].text and "best explained" not in blocks[0].text  # type: ignore[union-attr]
    assert "(the measure of the study;" in blocks[1].caption  # type: ignore[union-attr]
    tables = dict(paired(records, 0, chosen))
    assert [title for title in tables if title.startswith("Comparison")] == [
        "Comparison of the loss of the best evaluation",
        "Comparison of the seconds",
        "Comparison of the final explained variance",
    ]
    assert [table.name for table in tables.values()][:3] == ["compare", "compare_seconds", "compare_final_score"]
    assert "Ranking by the loss of the best evaluation at T = 4" in tables
    assert "Ranking by the best explained variance at T = 4" in dict(paired(records, 0))
    assert effects(records, measure_named("score")).axes[0].axis == "gain"


def test_a_measure_that_these_runs_cannot_be_compared_by_is_told(tmp_path: Path) -> None:
    for gain in (0.5, 1.0):
        settings = {"init.gain": gain, "train.stop_when_solved": True}
        write_cell(tmp_path, settings=settings, outcome="solved", end=100, best_score=0.95)
    from sweeps import load

    stopped = load(tmp_path)
    measure, said = measure_of(stopped, Analysis(metrics=("best_score",)))
    assert measure is None and said.startswith("Runs ended as soon as they were solved")
    assert "Ranking by the updates until solved" in dict(paired(stopped, 0, Analysis(metrics=("score",))))
    assert said in what_mattered(stopped, *compared(stopped, Analysis(metrics=("score",))))[0].text  # type: ignore[union-attr]
    assert measure_of(stopped, NOTHING) == (None, "")


def test_any_number_of_a_run_is_a_measure(records: Records) -> None:
    assert list(per_run(records, measure_named("seconds"))) == [1.5] * len(records.cells)
    assert measure_named("gradient_norm").name == "grad_norm" and measure_named("decay").name == "decay_training"
    assert measure_named("updates") == measure_named("solved_step")
