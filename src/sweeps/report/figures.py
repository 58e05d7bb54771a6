"""The section 'Figures': every figure that was drawn, with its caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweeps.analysis.loading.records import Records
from sweeps.figures.catalogue import FIGURES, why_nothing
from sweeps.figures.charts import CHARTS, ON_FIRST_SCREEN
from sweeps.figures.draw import Drawn
from sweeps.report.document import Picture, Prose, Section

TITLES = {name: chart.title for name, chart in CHARTS.items()}

OF_SOME_STUDIES = ("trainability_map",)
"""Figures that are about certain axes: that one is not drawn is said where it was asked for alone."""


def figures(
    records: Records, drawn: Sequence[Drawn], captions: dict[Any, dict[str, str]], names: Sequence[str] = ()
) -> list[Section]:
    """The section, which says what could not be drawn and why, and a part of it for every figure but that of the first
    screen.

    Args:
        captions: by task and name of the figure.
        names: the figures that were asked for; all of them unless told.
    """
    missing = [Prose(f"Not drawn: {'; '.join(texts)}.")] if (texts := _left_out(records, drawn, names)) else []
    parts = [Section("Figures", [*missing])]
    for figure in drawn:
        if figure.name == ON_FIRST_SCREEN:
            continue
        shown = picture(figure, captions[figure.task])
        parts.append(Section(shown.title, [shown], level=3))
    return parts


def picture(figure: Drawn, captions: dict[str, str]) -> Picture:
    """A figure with its title and its caption.

    Args:
        captions: by name of the figure, of its task.
    """
    title = _title(figure.name, figure.task)
    caption = captions.get(figure.name, f"{_title(figure.name)}.")
    caption = caption if figure.task is None else f"Task {figure.task}. {caption}"
    return Picture(title, figure.png, figure.pdf, caption, figure.narrow, figure.behind, figure.behind_narrow)


def _title(name: str, task: Any = None) -> str:
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    return title + (f": {task}" if task is not None else "")


def _left_out(records: Records, drawn: Sequence[Drawn], asked: Sequence[str]) -> list[str]:
    """Every figure that was not drawn, by its title, with the reason in brackets."""
    present = {(figure.task, figure.name) for figure in drawn}
    return [
        f"{_title(name, task)} ({why_nothing(name, part)})"
        for task, part in records.by_task()
        for name in asked or tuple(FIGURES)
        if (task, name) not in present and (name in asked or name not in OF_SOME_STUDIES)
    ]
