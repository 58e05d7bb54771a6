"""What was planted as test numbers and baselines is what frames, tables, figures, the report and `show` say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps import load, overview
from sweeps.analysis.baselines import OF_CLASSES, baselines_of
from sweeps.analysis.loading.one import read_run
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.measures import MEASURES, per_run
from sweeps.analysis.typed import Typed
from sweeps.figures.catalogue import figure
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import OnTest, Summary, TaskFacts, read_summary
from sweeps.report.baselines import in_short, told
from sweeps.report.captions import captions
from sweeps.report.first_screen import first_screen
from sweeps.report.part import part_of
from sweeps.report.run_figures import run_figures
from sweeps.report.run_page import write_run_page
from sweeps.report.run_text import run_text
from sweeps.tables.at_a_glance import outcomes_markdown
from sweeps.tables.layout import layout
from sweeps.tasks.contract import SCORES

TASK = {"score": "explained variance", "chance_loss": 1.0, "solved_at": 0.9}
BASELINES: dict[str, Any] = {
    "baselines": {"persistence": 0.4, "AR(12)": 0.3},
    "test_baselines": {"persistence": 0.5, "AR(12)": 0.25},
}


def planted(root: Path, test: bool = True, **task: Any) -> Records:
    """Four runs of two initialisations; on the test part one of them is below AR(12), and one diverged."""
    losses = {("random", 0): 0.26, ("random", 1): 0.9, ("orthogonal", 0): 0.2, ("orthogonal", 1): 0.1}
    for (init, seed), loss in losses.items():
        outcome = "diverged" if loss == 0.1 else "finished"
        summary = {"task": TASK | task} | ({"test": {"loss": loss, "score": 1 - loss}} if test else {})
        write_cell(root, init=init, seed=seed, outcome=outcome, end=60, summary=summary)
    return load(root)


def test_frames_and_tables_have_the_test_part(tmp_path: Path) -> None:
    records = planted(tmp_path)
    assert sorted(records.cells["test_loss"]) == [0.1, 0.2, 0.26, 0.9]
    assert sorted(per_run(records, MEASURES["test_score"])) == [-float("inf"), pytest.approx(0.1), 0.74, 0.8]
    frame = overview(records)
    assert frame.set_index("init")["test_score"].to_dict() == {
        "random": pytest.approx(0.42),
        "orthogonal": -float("inf"),
    }
    text = outcomes_markdown(frame, layout(records), "accuracy")
    assert "| test accuracy" in text and "0.42" in text


def test_without_a_test_part_nothing_is_said_of_one(tmp_path: Path) -> None:
    records = planted(tmp_path, test=False)
    assert records.cells["test_score"].isna().all() and "test_score" not in overview(records)
    assert told(records) == "" == in_short(records)


def test_the_sentences_count_the_runs_below_the_best_baseline(tmp_path: Path) -> None:
    records = planted(tmp_path, **BASELINES)
    assert list(baselines_of(records).items()) == [("AR(12)", (0.3, 0.3)), ("persistence", (0.4, 0.4))]
    assert "AR(12) 0.3 (test 0.25), persistence 0.4 (test 0.5); the best constant answer has 1." in told(records)
    short = "1 of 4 runs end below the best baseline, AR(12), whose test loss is 0.25; the lowest is 0.2."
    assert in_short(records) == short, "the run that diverged does not count, whatever was measured of it"
    [block] = [b for b in first_screen([part_of(None, records, pd.DataFrame())]) if "baseline" in b.text]
    assert block.text == f"{short} [At a glance](#at-a-glance)"


def test_without_a_test_part_the_last_evaluation_is_compared(tmp_path: Path) -> None:
    records = planted(tmp_path, test=False, baselines={"persistence": 0.1})
    losses = records.cells.loc[records.cells["outcome"] != "diverged", "final_eval_loss"]
    assert in_short(records).startswith(f"{(losses < 0.1).sum()} of 4 runs end below the best baseline, persistence")


def test_a_cross_entropy_is_told_in_bits_too(tmp_path: Path) -> None:
    """2 ln 2 nats are two bits."""
    nats: dict[str, Any] = {"score": "accuracy", "baselines": {"6-gram": 1.0}, "test_baselines": {"6-gram": 1.3862944}}
    short = in_short(planted(tmp_path, **nats))
    assert set(OF_CLASSES) == {score for score, loss in SCORES.items() if loss == "cross_entropy"}
    assert "6-gram, whose test loss is 1.39 (2 bits); the lowest is 0.2 (0.289 bits)." in short


def test_each_run_is_held_against_the_baselines_of_its_own_data(tmp_path: Path) -> None:
    """1.46 is above the 1.4 of its own text and below the median of both; 1.51 is below its own 1.59."""
    for corpus, loss, own in (("kjv", 1.46, 1.4), ("shakespeare", 1.51, 1.59)):
        task = {
            "score": "accuracy",
            "chance_loss": 2 * own,
            "baselines": {"6-gram": own},
            "test_baselines": {"6-gram": own},
        }
        summary = {"task": TASK | task, "test": {"loss": loss, "score": 0.5}}
        write_cell(tmp_path, settings={"task.corpus": corpus}, summary=summary, end=60, outcome="finished")
    records = load(tmp_path)
    short = (
        "1 of 2 runs end below the best baseline of their data, 6-gram, whose test loss is 1.40 to 1.59 (2.02 to 2.29"
    )
    assert in_short(records).startswith(short)
    assert "6-gram 1.40 to 1.59 (test 1.40 to 1.59); the best constant answer has 2.80 to 3.18." in told(records)
    assert [set(each) for each in _level_lines(records)] == [{1.4, 2.8}, {1.59, 3.18}], "a panel each"
    [both] = _level_lines(records, colour="corpus")
    assert set(both) == {1.4, 2.8, 1.59, 3.18}
    assert both[1.4] == both[2.8] != both[1.59] == both[3.18]


def _level_lines(records: Records, **roles: Any) -> list[dict[float, Any]]:
    """The losses at which a panel has a level line, with its colour."""
    drawn = figure("loss_curves", records, **roles)
    assert drawn is not None
    panels = [[(np.asarray(line.get_ydata(), float), line.get_color()) for line in ax.lines] for ax in drawn.axes]
    return [{round(10 ** y[0], 3): colour for y, colour in each if len(y) > 1 and np.ptp(y) == 0} for each in panels]


def test_loss_curves_have_a_labelled_line_for_each(tmp_path: Path) -> None:
    drawn = figure("loss_curves", planted(tmp_path, **BASELINES))
    assert drawn is not None
    labels = [text.get_text() for legend in drawn.legends for text in legend.get_texts()]
    assert {"best constant answer", "persistence", "AR(12)"} <= set(labels)
    heights = [line.get_ydata()[0] for line in drawn.axes[0].lines]  # type: ignore[index]
    assert "those of the other predictors named above it" in captions(load(tmp_path))["loss_curves"]
    for loss in (1.0, 0.4, 0.3):
        assert any(height == pytest.approx(pd.Series([loss]).transform("log10")[0]) for height in heights), loss


def test_show_and_the_page_of_a_run_have_both(tmp_path: Path) -> None:
    records = planted(tmp_path, **BASELINES)
    cell = records.cells.loc[records.cells["test_loss"] == 0.26, "cell"].iloc[0]
    run = read_run(SweepPaths(tmp_path).cell(cell))
    assert run.summary is not None and run.records is not None
    text = run_text(run, (), "")
    [row] = [line.split() for line in text.splitlines() if line.startswith("test ")]
    assert row == ["test", "200", "–", "0.26", "0.74", "–"]
    assert "eval loss of persistence 0.4 (test 0.5), AR(12) 0.3 (test 0.25)" in text
    write_run_page(run, Typed(set(), ""), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert '<th scope="col">best</th><th scope="col">final</th><th scope="col">test</th>' in page
    assert "<td>0.74</td></tr>" in page and '"persistence"' in page
    own = run.records
    [loss, *_] = run_figures(run.config, run.summary, own.metrics, own.gradient, own.parameters, [])
    assert [each["name"] for each in loss.numbers["levels"]] == ["chance", "persistence", "AR(12)"]


def test_a_summary_holds_them_only_where_there_are_such(tmp_path: Path) -> None:
    records = planted(tmp_path, **BASELINES)
    full = read_summary(SweepPaths(tmp_path).cell(records.cells["cell"].iloc[0]))
    assert Summary.from_json(json.loads(json.dumps(full.as_json()))) == full
    assert full.task.test_baselines == BASELINES["test_baselines"] and full.test != OnTest()
    bare = Summary(**{**full.__dict__, "test": OnTest(), "task": TaskFacts("accuracy", 1.0, 0.9)}).as_json()
    assert "test" not in bare and bare["task"] == {"score": "accuracy", "chance_loss": 1.0, "solved_at": 0.9}


@pytest.mark.parametrize("wrong", [{"a": "x"}, {"a": None}, [1.0], 3])
def test_baselines_that_are_no_numbers_are_no_record(tmp_path: Path, wrong: Any) -> None:
    write_cell(tmp_path, summary={"task": TASK | {"baselines": wrong}})
    write_cell(tmp_path, seed=1)
    [reason] = load(tmp_path).problems["reason"]
    assert "task.baselines is" in reason and "must be an object of numbers" in reason
