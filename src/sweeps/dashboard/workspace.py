"""Builds the W&B workspace and the W&B report of one experiment from `declaration`, without a server or a key.

`wandb_workspaces` gives every panel a random id; here ids are made from names, so that equal sweeps give equal JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sweeps.analysis.labels import level_text, said
from sweeps.analysis.loading.axes import AXES, as_typed, ordered_levels, owner_of, setting_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.loading.time_steps import SETTING
from sweeps.dashboard.client import library
from sweeps.dashboard.declaration import CLIPPING, EACH, PARTS, UNCLIPPED, Panel, Part
from sweeps.figures.charts import CHARTS
from sweeps.mirror.run_content import KEYS

MOST = 100
"""Maximum number of lines of a chart; the client's default is 10."""
DEEPEST = 3
"""Axes by which runs are grouped at most."""


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

    @property
    def varied(self) -> list[str]:
        """The axes with several levels, the seed left out."""
        return [axis for axis in self.levels if axis not in ("seed", "outcome") and len(self.levels[axis]) > 1]

    @property
    def groups(self) -> list[str]:
        """The axes by which runs are grouped, so that every mean is over the runs of one combination of their levels.

        The task first, since no number is of two of them, then those beyond arch, init, clip and length, because they
        are what the study asks about; as many as give no more lines than a chart shows (`MOST`), `DEEPEST` at most; the
        architecture where nothing varied.
        """
        chosen: list[str] = []
        lines = 1
        for axis in sorted(self.varied, key=lambda axis: (axis != "task", axis in AXES)):
            if len(chosen) < DEEPEST and lines * len(self.levels[axis]) <= MOST:
                chosen.append(axis)
                lines *= len(self.levels[axis])
        return [axis for axis in self.levels if axis in chosen] or ["arch"]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is shown: that of clipping only where a run clips."""
        clips = any(level != "none" for level in self.levels.get("clip", ()))
        return tuple(UNCLIPPED if part.chart is CHARTS["clipping"] and not clips else part for part in PARTS)

    @property
    def clipping(self) -> str | None:
        """The kind of clipping if it varied, else its setting that did (`threshold`); None if neither did."""
        return next((axis for axis in self.varied if axis == "clip" or owner_of(axis) == "clip"), None)


def study_of(records: Records) -> Study:
    """The axes of the records and their levels."""
    # runs are found by what was typed, which T need not be
    typed = [SETTING if axis == "length" and SETTING in records.cells else axis for axis in records.axes]
    axes = dict.fromkeys((*typed, "seed", "outcome"))
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
    """The workspace: the runs of the experiment, grouped by the axes that varied; a section per part."""
    ws = library().workspaces
    sections = [
        ws.Section(name=part.chart.title, panels=list(_panels(study, part)), is_open=True) for part in study.parts
    ]
    view = ws.Workspace(
        entity="",
        project="",
        name=f"{study.experiment} · sweeps",
        sections=sections,
        settings=ws.WorkspaceSettings(max_runs=MOST),
        runset_settings=ws.RunsetSettings(
            filters=ws.And(ws.Metric("Group") == study.experiment),
            groupby=[ws.Config(config_key(axis)) for axis in study.groups],
            order=[ws.Ordering(ws.Config(config_key(axis)), ascending=True) for axis in study.groups],
            pinned_columns=[f"config:{_stored(axis)}" for axis in (*_varying(study), "outcome")],
        ),
    )
    view._internal_runset_id = _id(study.experiment, "runs")
    spec = view._to_model().spec.model_dump_json(by_alias=True, exclude_none=True)
    return View("project-view", f"nw-{_id(study.experiment)}-v", view.name, "", spec)


def report(study: Study) -> View:
    """The report: a chapter per part with its question and sets of runs, grouped by the axes that varied."""
    wr = library().reports
    about = f"Made from the records of {study.experiment} by `python -m sweeps workspace`, which overwrites it."
    blocks: list[Any] = [wr.TableOfContents()]
    for part in study.parts:
        panels = list(_panels(study, part))
        grid = wr.PanelGrid(panels=panels, runsets=_runsets(study, part))
        blocks += [wr.H2(part.chart.title), wr.P(part.chart.question), grid]
    view = wr.Report(project="", entity="", title=f"{study.experiment}: report", description=about, blocks=blocks)
    spec = view._to_model().spec.model_dump_json(by_alias=True, exclude_none=True)
    return View("runs", f"sweeps-{_id(study.experiment)}", view.title, about, spec)


def _runsets(study: Study, part: Part) -> list[Any]:
    """A set of runs for each task if there are several, else for each level of the first axis that varied.

    They name no project, so they are of the report's own.
    """
    wr, expr = library().reports, library().expr
    axis = "task" if "task" in study.groups else study.groups[0]
    groups = [f"config.{config_key(each)}" for each in study.groups]
    runsets = []
    for level in study.levels[axis]:
        chosen = expr.And(
            expr.Metric("Group") == study.experiment, expr.Config(config_key(axis)) == as_typed(axis, level)
        )
        name = str(level) if isinstance(level, str) else level_text(axis, level)
        runset = wr.Runset(name=name, filters=chosen, groupby=groups)
        runset._id = _id(study.experiment, part.chart.title, level)
        runsets.append(runset)
    return runsets


def panels_of(study: Study, part: Part) -> Iterator[Panel]:
    """The panels of one chapter, with those by an axis made for the axes that varied.

    With several tasks there are none by an axis: each of its means would be over all tasks.
    """
    several = "task" in study.varied
    by = {EACH: [] if several else study.varied, CLIPPING: [study.clipping] if study.clipping and not several else []}
    for panel in part.panels:
        axes = by.get(panel.by or "")
        if axes is None:
            yield panel
        else:
            yield from (replace(panel, title=panel.title.format(axis=said(axis)), by=axis) for axis in axes)


def _panels(study: Study, part: Part) -> Iterator[Any]:
    """The panels of one chapter as the library's objects, three in a row; coordinates and pictures take a whole row."""
    wr = library().reports
    for index, panel in enumerate(panels_of(study, part)):
        drawn = _panel(study, panel)
        drawn._id = _id(study.experiment, part.chart.title, panel.title)
        wide = panel.kind in ("coordinates", "pictures")
        drawn.layout = wr.Layout(x=0 if wide else index % 3 * 8, y=index // 3 * 8, w=24 if wide else 8, h=8)
        yield drawn


def _panel(study: Study, panel: Panel) -> Any:
    wr = library().reports
    by = wr.Config(config_key(panel.by)) if panel.by else None
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
    columns = [column(wr.Config(config_key(axis)), log=_spans_decades(study.levels[axis])) for axis in _varying(study)]
    results = [column(wr.SummaryMetric(key), log=key == "grad_norm") for key in metrics]
    return wr.ParallelCoordinatesPlot(title=panel.title, columns=[*columns, *results])


def _varying(study: Study) -> list[str]:
    """The axes that varied, and the seed if there are several."""
    return [*study.varied, *(["seed"] if len(study.levels.get("seed", ())) > 1 else [])]


def _spans_decades(levels: Sequence[Any]) -> bool:
    """Whether a numeric axis is better logarithmic."""
    numbers = [level for level in levels if not isinstance(level, str | bool)]
    return len(numbers) == len(levels) and min(numbers) > 0 and max(numbers) / min(numbers) >= 8


def config_key(axis: str) -> str:
    """Where the config of a mirrored run has an axis: under its short name, or `settings.arch.forget_bias`."""
    if axis in (*KEYS, "outcome"):
        return axis
    return f"settings.{setting_of(axis)}"


def _stored(axis: str) -> str:
    """The same as W&B stores it: `arch.value`, `settings.value.arch.forget_bias`."""
    first, _, rest = config_key(axis).partition(".")
    return f"{first}.value.{rest}" if rest else f"{first}.value"


def _id(*names: Any) -> str:
    """An id of eleven hex digits made from names; W&B's own ids are as long."""
    return hashlib.sha256(json.dumps([str(name) for name in names]).encode()).hexdigest()[:11]
