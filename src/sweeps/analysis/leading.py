"""Which axes a study is about, by the shares of the variation that go with them, and their roles in one picture."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import is_number, told_by
from sweeps.analysis.statistics.arrival import learned
from sweeps.analysis.statistics.effects import by_importance
from sweeps.analysis.statistics.measures import Measure
from sweeps.config.short_names import column_of

MOST_COLOURS, MOST_PANELS = 9, 6
"""Levels of an axis that can be told apart as colours, and as panels beside each other."""


def shown_measure(records: Records, measure: Measure | None) -> Measure:
    """The measure that was asked for; how well the runs learned where none was, or a share, which no one run has."""
    return learned(records) if measure is None or measure.share else measure


def leading_roles(records: Records, measure: Measure | None = None) -> dict[str, str]:
    """The roles of the three axes with the largest shares of the variation.

    x is that of numbers with the most levels, or the first. Colour comes before column. An axis with more levels than
    can be told apart as colours or panels has no role, nor has one that another tells (`roles.told_by`).

    Args:
        measure: whose variation it is; by default that of `effects.measure_that_varies`, as in the answer.
    """
    told = told_by(records)
    leading = [axis for axis in by_importance(records, measure) if axis not in told][:3]
    levels = {axis: records.cells[axis].nunique() for axis in leading}
    if not levels:
        return {}
    numbers = [axis for axis in levels if is_number(axis, records)]
    roles = {"x": max(numbers, key=lambda axis: levels[axis]) if numbers else next(iter(levels))}
    for axis in levels:
        if axis == roles["x"]:
            continue
        if "colour" not in roles and levels[axis] <= MOST_COLOURS:
            roles["colour"] = axis
        elif "column" not in roles and levels[axis] <= MOST_PANELS:
            roles["column"] = axis
    return roles


def with_leading(
    records: Records, measure: Measure | None, chosen: Mapping[str, str], preferred: Mapping[str, str]
) -> dict[str, str]:
    """Axes by role: those chosen, and in the other roles the leading axes that are neither chosen nor preferred.

    Args:
        preferred: roles by axis.
    """
    axes = {*preferred, *(column_of(axis, records.axes) for axis in chosen.values())}
    taken = {*chosen, *preferred.values()}
    leading = leading_roles(records, measure).items()
    return {**chosen, **{slot: axis for slot, axis in leading if slot not in taken and axis not in axes}}
