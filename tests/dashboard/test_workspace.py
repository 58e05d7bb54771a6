"""The W&B views draw only what the mirror logs, are the same every time, and are made without a server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.dashboard import declaration
from sweeps.dashboard.workspace import Study, View, panels_of, report, study_of, workspace
from sweeps.figures.catalogue import ALL
from sweeps.figures.charts import CHARTS
from sweeps.mirror.run_content import HEAT_MAP, run_content
from sweeps.records.paths import SweepPaths
from sweeps.report.figures import TITLES

OUTCOMES = ["solved", "diverged"]
STUDY = Study(
    "small",
    {"arch": ["lstm", "gru"], "init": ["orthogonal"], "clip": ["none", "norm"], "length": [9], "outcome": OUTCOMES},
)
BOTH = pytest.mark.parametrize("make", [workspace, report])


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every (key, value) at any depth of JSON."""
    yield key, value
    inner = (
        value.items() if isinstance(value, dict) else [(key, item) for item in value] if isinstance(value, list) else []
    )
    for name, item in inner:
        yield from walk(item, name)


def panels(view: View) -> list[dict[str, Any]]:
    return [value for _, value in walk(json.loads(view.spec)) if isinstance(value, dict) and "viewType" in value]


def drawn(view: View) -> set[tuple[str, str]]:
    """Where (history, summary, config) and under which key W&B looks for what the view draws, groups or filters."""
    found = set()
    for panel in panels(view):
        config = panel["config"]
        for metric in [*config.get("metrics", []), *config.get("mediaKeys", [])]:
            inside = metric.removeprefix("summary_metrics.")
            found.add(("history" if inside == metric else "summary", inside))
        if "groupBy" in config:
            found.add(("config", config["groupBy"].removesuffix(".value")))
        if panel["viewType"] == "Parameter Importance":
            found.add(("summary", config["targetKey"]))
        for column in config.get("columns", []):
            where, _, key = column["accessor"].partition(":")
            found.add((where, key.removesuffix(".value")))
    for _, value in walk(json.loads(view.spec)):
        if isinstance(value, dict) and value.get("section") == "config":
            found.add(("config", value["name"].removesuffix(".value")))
    return {(where, _as_stored(key) if where == "config" else key) for where, key in found}


def _as_stored(key: str) -> str:
    """A filter names a nested setting without `value`, everything else with it."""
    return key.replace("settings.", "settings.value.", 1) if not key.startswith("settings.value") else key


def nested(front: str, settings: Any) -> Iterator[str]:
    """`settings.value.arch.forget_bias`: every setting as W&B finds it in a nested config."""
    for key, value in settings.items() if isinstance(settings, dict) else ():
        yield f"{front}.{key}"
        yield from nested(f"{front}.{key}", value)


@BOTH
def test_everything_drawn_is_mirrored(make: Any, sweep: SweepPaths) -> None:
    for bias in (0.0, 2.0):
        for clip in ("none", "norm"):
            write_cell(sweep.root, arch="lstm", clip=clip, outcome="solved", settings={"arch.forget_bias": bias})
    logged = {("history", HEAT_MAP)}
    for content in map(run_content, sweep.cells()):
        logged |= {("history", key) for _, row in content.history for key in row}
        logged |= {("summary", key) for key in content.summary} | {("config", key) for key in content.config}
        logged |= {("config", key) for key in nested("settings.value", content.config["settings"])}
    wanted = drawn(make(study_of(load(sweep.root))))
    assert len(wanted) >= 15  # or it looked in the wrong place
    assert wanted <= logged


@BOTH
def test_all_panels_of_the_declaration_are_there(make: Any) -> None:
    there = panels(make(STUDY))
    kinds = [panel["viewType"] for panel in there]
    declared = [panel for part in declaration.PARTS for panel in panels_of(STUDY, part)]
    assert len(there) == len(declared)
    counted = {kind: [panel.kind for panel in declared].count(kind) for kind in ("curves", "bars", "pictures")}
    assert kinds.count("Run History Line Plot") == counted["curves"]
    assert kinds.count("Bar Chart") == counted["bars"]
    assert kinds.count("Media Browser") == counted["pictures"]
    assert {"Parallel Coordinates Plot", "Parameter Importance"} <= set(kinds)
    for panel in there:
        if panel["viewType"] in ("Run History Line Plot", "Bar Chart"):
            assert (panel["config"]["groupAgg"], panel["config"]["groupArea"]) == ("mean", "minmax")


@BOTH
def test_ids_are_its_own_and_stay(make: Any) -> None:
    view = make(STUDY)
    assert make(STUDY) == view
    ids = [panel["__id__"] for panel in panels(view)]
    assert len(set(ids)) == len(ids)
    other = make(Study("other", STUDY.levels))
    assert other.name != view.name


def test_the_workspace_shows_this_experiment_grouped_by_what_varied() -> None:
    spec = json.loads(workspace(STUDY).spec)
    runs = spec["section"]["runSets"][0]
    assert [key["name"] for key in runs["grouping"]] == ["arch.value", "clip.value"]
    assert [value for key, value in walk(runs["filters"]) if key == "value"] == ["small"]
    assert re.fullmatch(r"nw-[0-9a-f]{11}-v", workspace(STUDY).name)


@pytest.mark.parametrize(
    ("levels", "groups"),
    [
        ({}, ["arch"]),
        ({"gain": [1.0, 2.0], "seed": [0, 1]}, ["gain"]),
        (
            {"arch": ["lstm", "gru"], "length": [9, 50], "arch.forget_bias": [0.0, 1.0]},
            ["arch", "length", "arch.forget_bias"],
        ),
        (
            {"arch": ["lstm", "gru"], "init": ["he", "xavier"], "clip": ["none", "norm"], "gain": [1.0, 2.0]},
            ["arch", "init", "gain"],
        ),
        ({"arch": ["lstm", "gru"], "lr": [0.1 * step for step in range(60)]}, ["lr"]),
    ],
    ids=["nothing", "one setting", "three axes", "what was added first", "no more lines than a chart shows"],
)
def test_runs_are_grouped_by_the_axes_that_varied(levels: dict[str, Any], groups: list[str]) -> None:
    assert Study("small", {"arch": ["lstm"], "init": ["he"]} | levels | {"outcome": OUTCOMES}).groups == groups


def test_a_setting_that_varied_has_panels_under_its_readable_name() -> None:
    study = Study("small", {"arch": ["lstm"], "arch.forget_bias": [0.0, 2.0], "outcome": OUTCOMES})
    found = {panel["config"].get("chartTitle"): panel["config"].get("groupBy") for panel in panels(workspace(study))}
    assert found["Share solved, by forget bias"] == "settings.value.arch.forget_bias"
    feed = json.loads(workspace(study).spec)["section"]["runSets"][0]["runFeed"]
    assert "config:settings.value.arch.forget_bias" in feed["columnOrder"], "a column of the runs table"
    by = {str(title).partition(", by ")[2] for title in found}
    assert by == {"", "forget bias"}, "nothing else varied"
    clipped = Study("small", {"clip": ["norm"], "threshold": [0.1, 1.0], "outcome": OUTCOMES})
    assert "Before and after, by threshold" in {
        panel["config"].get("chartTitle") for panel in panels(workspace(clipped))
    }


def test_the_report_has_a_filter_per_level_of_the_first_axis() -> None:
    grids = [block for block in json.loads(report(STUDY).spec)["blocks"] if block["type"] == "panel-grid"]
    assert len(grids) == len(declaration.PARTS)
    for grid in grids:
        runs = grid["metadata"]["runSets"]
        assert [each["name"] for each in runs] == list(STUDY.levels["arch"])
        for each in runs:
            assert [value for key, value in walk(each["filters"]) if key == "value"] == ["small", each["name"]]


def test_two_tasks_are_sets_of_runs_and_in_no_mean_together() -> None:
    axes = {"arch": ["lstm", "gru"], "init": ["he", "xavier"], "task": ["adding", "digits"], "clip": ["norm"]}
    study = Study("small", {**axes, "lr": [0.1, 1.0], "outcome": OUTCOMES})
    assert "task" in study.groups
    for view in (workspace(study), report(study)):
        assert not any(", by " in str(panel["config"].get("chartTitle")) for panel in panels(view))
    grids = [block for block in json.loads(report(study).spec)["blocks"] if block["type"] == "panel-grid"]
    assert all([each["name"] for each in grid["metadata"]["runSets"]] == ["adding", "digits"] for grid in grids)


def test_nothing_is_said_of_clipping_where_no_run_clips() -> None:
    study = Study("small", {"clip": ["none"], "gain": [0.5, 1.0], "outcome": OUTCOMES})
    for view in (workspace(study), report(study)):
        assert "clip" not in view.spec.replace("config:clip", "").lower()
        titles = [panel["config"].get("chartTitle") for panel in panels(view)]
        assert titles.count("Gradient norm") == 1 and "Share solved, by gain" in titles


def test_the_coordinates_are_the_axes_that_vary() -> None:
    (plot,) = (panel for panel in panels(workspace(STUDY)) if panel["viewType"] == "Parallel Coordinates Plot")
    columns = [column["accessor"] for column in plot["config"]["columns"]]
    assert columns[:2] == ["config:arch.value", "config:clip.value"]
    assert not any("length" in column or "init" in column for column in columns)


def test_one_declaration_names_the_figures_of_both_reports() -> None:
    assert set(declaration.OF_FIGURES) <= set(CHARTS) == set(ALL)
    for part in declaration.PARTS:
        assert part.chart.title in {section["name"] for section in _sections()}
    assert {name: chart.title for name, chart in CHARTS.items()} == TITLES


def _sections() -> list[dict[str, Any]]:
    sections: list[dict[str, Any]] = json.loads(workspace(STUDY).spec)["section"]["panelBankConfig"]["sections"]
    return sections


def test_levels_come_from_the_records(sweep: SweepPaths) -> None:
    write_cell(sweep.root, arch="gru", init="orthogonal", seed=1)
    made = study_of(load(sweep.root))
    assert made.experiment == "small"
    assert list(made.levels["arch"]) == ["lstm", "gru"]
    assert list(made.levels["seed"]) == [0, 1]
    assert list(made.levels["outcome"]) == ["finished"]
