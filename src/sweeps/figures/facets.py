"""Panels and lines for the roles of a study's axes: rows and columns of panels, a line per level of the colour axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from sweeps.analysis.labels import head, level_said, level_text
from sweeps.analysis.roles import Roles
from sweeps.figures.panels import Grid, Panel, grid_of, handle, wrapped
from sweeps.figures.style import Line, lines

ONE = Line("#0072B2", "-", "o")
"""The line of a figure without a colour axis."""
LISTED = 9
"""Numbers named in a legend at most; of more, some of them at equal distances."""
SPREAD = 0.32
"""Half the room that the marks of one level take, of the least distance between two levels."""


def levels_of(frame: pd.DataFrame, axis: str | None) -> list[Any]:
    """The levels of an axis in their order, whether they have rows or not; one None where there is no axis."""
    return [None] if axis is None else list(frame[axis].cat.categories)


def facets(
    frame: pd.DataFrame, roles: Roles, *, height: float, sharey: bool, widest: int = 5
) -> tuple[Grid, list[Panel]]:
    """A panel for every level of the row and of the column axis; without a row axis the columns are wrapped.

    Args:
        frame: with the axes as ordered categories.
        height: of a row of panels, inches.
        sharey: one y axis for all panels, else for each row of them.
    """
    rows, columns = levels_of(frame, roles.row), levels_of(frame, roles.column)
    shared = roles.title if roles.column is not None else ""
    if roles.row is not None:
        figure, panels = grid_of(rows, columns, height=height, sharey=sharey, widest=widest)
        figure.title = shared
        return figure, panels
    figure, axes = wrapped(len(columns), height=height, sharey=sharey)
    figure.title, panels = shared, figure.panels
    for ax, column in zip(axes, columns, strict=True):
        spec = ax.get_subplotspec()
        panels.append(Panel(ax, None, column, spec is None or spec.is_first_col(), True, True))
    return figure, panels


def part_of(frame: pd.DataFrame, roles: Roles, panel: Panel) -> pd.DataFrame:
    """The rows of a frame that belong to a panel."""
    inside = np.ones(len(frame), bool)
    for axis, level in ((roles.row, panel.row), (roles.column, panel.column)):
        if axis is not None:
            inside &= (frame[axis] == level).to_numpy()
    return frame[inside]


def rows_with(frame: pd.DataFrame, roles: Roles, column: str) -> list[tuple[Any, Any]]:
    """The levels of the row axis, each with what it has in a further column of the frame: a row of panels for each."""
    found: list[tuple[Any, Any]] = []
    for level in levels_of(frame, roles.row):
        part = frame if roles.row is None else frame[frame[roles.row] == level]
        found += [(level, each) for each in dict.fromkeys(part[column])]
    return found


def part_with(frame: pd.DataFrame, roles: Roles, panel: Panel, column: str) -> pd.DataFrame:
    """The rows of a frame that belong to a panel whose row is one of `rows_with`."""
    level, each = panel.row
    return part_of(frame[frame[column] == each], roles, replace(panel, row=level))


def titles_with(panel: Panel, roles: Roles, *, left: str) -> tuple[str, str]:
    """`titles` of a panel whose row is one of `rows_with`; `left` names what it has there."""
    return titles(replace(panel, row=panel.row[0]), replace(roles, length=None), left=left)


def titles(panel: Panel, roles: Roles, *, left: str) -> tuple[str, str]:
    """The label of a panel's y axis, with its row's level and the only length, and the title of its column.

    What all panels share is the title where there are no columns; else it stands above the figure (`facets`).
    """
    row = "" if roles.row is None else f"{level_text(roles.row, panel.row)}\n"
    between = ", " if roles.row is None else "\n"
    length = "" if roles.length is None else f"{between}T = {roles.length:g}"
    if roles.column is None:
        return row + left + length, roles.title
    return row + left + length, level_text(roles.column, panel.column)


def styles(frame: pd.DataFrame, roles: Roles) -> dict[Any, Line]:
    """The line of every level of the colour axis; that of None where there is none."""
    return {None: ONE} if roles.colour is None else lines(roles.colour, levels_of(frame, roles.colour))


def by_colour(frame: pd.DataFrame, roles: Roles) -> Iterator[tuple[Any, pd.DataFrame]]:
    """The levels of the colour axis that have rows, with these; all rows under None where there is no colour axis."""
    if roles.colour is None:
        yield None, frame
    else:
        yield from frame.groupby(roles.colour, observed=True)


def legend_of(style: dict[Any, Line], roles: Roles, *, markers: bool = False) -> list[Line2D]:
    """Entries of a legend, with the name of the axis in front of numbers; none where there is no colour axis."""
    if roles.colour is None:
        return []
    named = listed_levels(roles.colour, list(style))
    return [*(handle(style[level], text, markers=markers) for level, text in named), *unlisted(len(style) - len(named))]


def unlisted(count: int) -> list[Line2D]:
    """The entry of a legend that says how many levels it leaves out; none for none."""
    return [Line2D([], [], linestyle="none", label=f"and {count} more between")] if count else []


def listed_levels(axis: str, levels: Sequence[Any]) -> list[tuple[Any, str]]:
    """The levels that a legend names, and their texts: of numbers beyond `LISTED` the ends and some between; the name
    of the axis stands in front of each, of more than four before the first."""
    if any(isinstance(level, str) for level in levels) or len(levels) < 5:
        return [(level, level_text(axis, level)) for level in levels]
    at = np.unique(np.linspace(0, len(levels) - 1, min(len(levels), LISTED)).round().astype(int))
    named: list[tuple[Any, str]] = []
    for place in at:
        level = float(f"{levels[place]:.3g}") if len(levels) > LISTED else levels[place]
        text = level_said(axis, level)
        named.append((levels[place], text if named else f"{head(axis)} = {text}"))
    return named


def beside(
    frame: pd.DataFrame,
    inside: pd.Series | float,
    *,
    roles: Roles,
    at: dict[Any, float],
    logarithmic: bool,
    colours: Sequence[Any],
) -> pd.Series:
    """Where marks lie on the x axis: around their level, colour beside colour.

    Args:
        inside: -1 to 1, where in the room of its level and colour each lies.
    """
    x = frame[roles.x].map(at).astype(float)
    places = np.sort(np.log(list(at.values())) if logarithmic else list(at.values()))
    room = SPREAD * (float(np.diff(places).min()) if len(places) > 1 else 1.0)
    shift = 0.8 * inside / len(colours)
    if roles.colour is not None:
        middle = {level: (2 * index + 1) / len(colours) - 1 for index, level in enumerate(colours)}
        shift = shift + frame[roles.colour].map(middle).astype(float)
    return x * np.exp(room * shift) if logarithmic else x + room * shift


def positions(levels: Sequence[Any]) -> tuple[dict[Any, float], bool]:
    """Where the levels of an x axis lie, and whether the axis is logarithmic; names lie at 0, 1, 2 ..."""
    numbers = [level for level in levels if not isinstance(level, str)]
    if len(numbers) < len(levels) or not all(np.isfinite(numbers)):
        return {level: float(at) for at, level in enumerate(levels)}, False
    logarithmic = min(numbers) > 0 and max(numbers) / min(numbers) >= 8
    return {level: float(level) for level in levels}, logarithmic


def axis_name(axis: str) -> str:
    """How an x axis is labelled."""
    return {"length": "length T (steps)"}.get(axis, head(axis))
