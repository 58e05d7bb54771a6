"""Builds the W&B workspace and the W&B report of one experiment from `declaration`, without a server or a key.

`wandb_workspaces` gives every panel a random id; here ids are made from names, so that equal sweeps give equal JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.analysis.loading.axes import ordered_levels
from sweeps.analysis.loading.records import Records
from sweeps.dashboard.client import library
from sweeps.dashboard.declaration import AXES, GROUPS, PARTS, Panel, Part

MOST = 100
"""Maximum number of lines of a chart; the client's default is 10."""


@dataclass(frozen=True)
class Study:
    """What the views need to know about a sweep.

    Attributes:
        experiment: its name, the group of its runs in W&B.
        levels: values of its axes by name (`arch`, `init`, ..., `seed`), in the order of the report, and the
            values of `outcome`.
    """

    experiment: str
    levels: Mapping[str, Sequence[Any]]


def study_of(records: Records) -> Study:
    """The axes of the records and their levels."""
    axes = (*records.axes, "seed", "outcome")
    levels = {axis: ordered_levels(axis, records.cells[axis].dropna().astype(object)) for axis in axes}
    return Study(records.root.name, levels)


@dataclass(frozen=True)
class View:
    """A workspace or a report, ready to be sent.

    Attributes:
        kind: W&B's name for it: `project-view` for a workspace, `runs` for a report.
        name: identifies the view when it is updated; unique in a project.
        spec: JSON.
    """

    kind: str
    name: str
    title: str
    description: str
    spec: str


def workspace(study: Study) -> View:
    """The workspace: the runs of the experiment, grouped by architecture and initialisation; a section per part."""
    ws = library().workspaces
    sections = [
        ws.Section(name=part.chart.title, panels=list(_panels(study, part.panels, part.chart.title)), is_open=True)
        for part in PARTS
    ]
    view = ws.Workspace(
        entity="",
        project="",
        name=f"{study.experiment} · sweeps",
        sections=sections,
        settings=ws.WorkspaceSettings(max_runs=MOST),
        runset_settings=ws.RunsetSettings(
            filters=ws.And(ws.Metric("Group") == study.experiment),
            groupby=[ws.Config(key) for key in GROUPS],
            order=[ws.Ordering(ws.Config(key), ascending=True) for key in GROUPS],
            pinned_columns=[*(f"config:{key}.value" for key in _varying(study)), "config:outcome.value"],
        ),
    )
    view._internal_runset_id = _id(study.experiment, "runs")
    spec = view._to_model().spec.model_dump_json(by_alias=True, exclude_none=True)
    return View("project-view", f"nw-{_id(study.experiment)}-v", view.name, "", spec)


def report(study: Study) -> View:
    """The report: a chapter per part with its question and sets of runs, grouped by architecture and initialisation."""
    wr = library().reports
    about = f"Made from the records of {study.experiment} by `python -m sweeps workspace`, which overwrites it."
    blocks: list[Any] = [wr.TableOfContents()]
    for part in PARTS:
        panels = list(_panels(study, part.panels, part.chart.title))
        grid = wr.PanelGrid(panels=panels, runsets=_runsets(study, part))
        blocks += [wr.H2(part.chart.title), wr.P(part.chart.question), grid]
    view = wr.Report(project="", entity="", title=f"{study.experiment}: report", description=about, blocks=blocks)
    spec = view._to_model().spec.model_dump_json(by_alias=True, exclude_none=True)
    return View("runs", f"sweeps-{_id(study.experiment)}", view.title, about, spec)


def _runsets(study: Study, part: Part) -> list[Any]:
    """A set of runs per architecture or outcome. They name no project, so they are of the report's own."""
    wr, expr = library().reports, library().expr
    runsets = []
    for level in study.levels[part.filters]:
        chosen = expr.And(expr.Metric("Group") == study.experiment, expr.Config(part.filters) == level)
        runset = wr.Runset(name=str(level), filters=chosen, groupby=[f"config.{key}" for key in GROUPS])
        runset._id = _id(study.experiment, part.chart.title, level)
        runsets.append(runset)
    return runsets


def _panels(study: Study, panels: Sequence[Panel], chapter: str) -> Iterator[Any]:
    """The panels of one chapter as the library's objects, three in a row; coordinates and pictures take a whole row."""
    wr = library().reports
    for index, panel in enumerate(panels):
        drawn = _panel(study, panel)
        drawn._id = _id(study.experiment, chapter, panel.title)
        wide = panel.kind in ("coordinates", "pictures")
        drawn.layout = wr.Layout(x=0 if wide else index % 3 * 8, y=index // 3 * 8, w=24 if wide else 8, h=8)
        yield drawn


def _panel(study: Study, panel: Panel) -> Any:
    wr = library().reports
    by = wr.Config(panel.by) if panel.by else None
    spread: dict[str, Any] = {"groupby": by, "groupby_aggfunc": "mean", "groupby_rangefunc": "minmax"}
    metrics = list(panel.metrics)
    if panel.kind == "curves":
        return wr.LinePlot(
            title=panel.title,
            x="Step",
            y=metrics,
            log_y=panel.log,
            title_x="training step (updates)",
            max_runs_to_show=MOST,
            **spread,
        )
    if panel.kind == "bars":
        summary = [wr.SummaryMetric(key) for key in metrics]
        return wr.BarPlot(title=panel.title, metrics=summary, max_bars_to_show=MOST, **spread)
    if panel.kind == "pictures":
        return wr.MediaBrowser(title=panel.title, media_keys=metrics, num_columns=3)
    if panel.kind == "importance":
        return wr.ParameterImportancePlot(with_respect_to=metrics[0])
    column = wr.ParallelCoordinatesPlotColumn
    columns = [column(wr.Config(key), log=key in ("length", "lr", "hidden")) for key in _varying(study)]
    results = [column(wr.SummaryMetric(key), log=key == "grad_norm") for key in metrics]
    return wr.ParallelCoordinatesPlot(title=panel.title, columns=[*columns, *results])


def _varying(study: Study) -> list[str]:
    return [key for key in AXES if len(study.levels.get(key, ())) > 1]


def _id(*names: Any) -> str:
    """An id of eleven hex digits made from names; W&B's own ids are as long."""
    return hashlib.sha256(json.dumps([str(name) for name in names]).encode()).hexdigest()[:11]
