"""The section 'Figures': every figure that was drawn, with its caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweeps.figures.charts import CHARTS
from sweeps.figures.draw import Drawn
from sweeps.report.document import Picture, Section

TITLES = {name: chart.title for name, chart in CHARTS.items()}


def figures(drawn: Sequence[Drawn], captions: dict[Any, dict[str, str]]) -> list[Section]:
    """The section, and a part of it for every figure.

    Args:
        captions: by task and name of the figure.
    """
    parts = [Section("Figures", [])]
    for figure in drawn:
        name = TITLES.get(figure.name, figure.name.replace("_", " ").capitalize())
        title = name + (f": {figure.task}" if figure.task is not None else "")
        caption = captions[figure.task].get(figure.name, f"{name}.")
        parts.append(Section(title, [Picture(title, figure.png, figure.pdf, caption)], level=3))
    return parts
