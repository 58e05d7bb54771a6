"""Which settings vary over a sweep, in which order their levels are shown, and the grid they span."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sweeps.config.cards import cards
from sweeps.config.identity import ALWAYS, decides
from sweeps.config.places import IDLE
from sweeps.config.short_names import SHORT_NAMES
from sweeps.records.plan_file import flat

AXES = ("arch", "init", "clip", "length")
"""The axes of every table, swept or not; further ones are those of `extra_axes`."""


UNLIMITED = {"train.truncate": 0}
"""Settings of which one value says that there is no limit: in frames it is inf, which lies beyond every limit."""


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings as `{column: level}`; a list becomes its text, None stays None."""
    return {SHORT_NAMES.get(name, name): as_level(name, plain(value)) for name, value in flat(config).items()}


def as_level(name: str, value: Any) -> Any:
    """The level of an axis that a value of its setting is: inf where the value says that there is no limit, `true` and
    `false` as they are typed, for they are names and no numbers."""
    if isinstance(value, bool):
        return str(value).lower()
    return math.inf if name in UNLIMITED and value == UNLIMITED[name] else value


def as_typed(name: str, level: Any) -> Any:
    """The value to type for a level of an axis, as `as_level` took it."""
    return UNLIMITED[name] if name in UNLIMITED and level == math.inf else level


def plain(value: Any) -> Any:
    """A setting that pandas can compare: text that is a number (YAML reads 1e-3 as text) as a float, a list as text."""
    if isinstance(value, list | tuple):
        return str(list(value))
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def typed(text: str) -> Any:
    """A setting written as text, in `plan.csv` or by hand, as YAML would read it: an integer, a boolean, another number
    or text."""
    try:
        return int(text)
    except ValueError:
        return {"true": True, "false": False}.get(text.lower(), plain(text))


def ordered_levels(axis: str, values: pd.Series) -> list[Any]:
    """The distinct values of an axis in the order of tables and figures: numbers, names with cards, other names."""
    present = [value for value in values.unique() if not pd.isna(value)]
    first = tuple(cards(axis))
    numbers = sorted(value for value in present if not isinstance(value, str))
    names = sorted(value for value in present if isinstance(value, str))
    return numbers + [name for name in first if name in names] + [name for name in names if name not in first]


def extra_axes(settings: pd.DataFrame) -> tuple[str, ...]:
    """Settings beyond arch, init, clip, length and seed that vary where those four are the same.

    A setting that is determined by an axis (each kind of clipping has its own threshold) is not an axis; neither is
    one that is determined by another extra axis (each optimiser has its own momentum).

    Args:
        settings: a row per cell, its flattened settings as columns.
    """
    candidates = [str(name) for name in settings if may_vary(str(name)) and settings[name].nunique(dropna=False) > 1]
    order = {column: position for position, column in enumerate(SHORT_NAMES.values())}
    candidates.sort(key=lambda name: (order.get(name, len(order)), name))
    extra: list[str] = ["task"] if "task" in candidates else []  # runs of two tasks are never in one row
    for name in candidates:
        if name in extra:
            continue
        groups = settings.groupby([*AXES, *extra], dropna=False, observed=True)[name]
        if (groups.nunique(dropna=False) > 1).any():
            extra.append(name)
    return tuple(extra)


def may_vary(name: str) -> bool:
    """Whether a setting can be an axis beyond arch, init, clip, length and seed."""
    return decides(name) and name.rpartition(".")[2] != "seed" and name not in AXES


def unusual(cells: pd.DataFrame) -> dict[str, Any]:
    """The settings that are the same in all cells, came after the first records and are not what was always so before.

    Args:
        cells: a row per cell, with its settings.
    """
    same = {name: cells[name].unique() for name in ALWAYS if name in cells and decides(name)}
    only = {name: levels[0] for name, levels in same.items() if len(levels) == 1 and not pd.isna(levels[0])}
    return {name: level for name, level in only.items() if level != as_level(name, ALWAYS[name])}


def setting_of(axis: str) -> str:
    """The setting that an axis is, under its full dotted name: `optim.lr` of `lr`."""
    return next((full for full, short in SHORT_NAMES.items() if short == axis), axis)


def owner_of(axis: str) -> str | None:
    """The group of settings that an axis belongs to: `init` for `gain` and `init.std`, `optim` for `lr`.

    None for a setting outside the groups (`seed`) and for the choice of a group itself (`init`).
    """
    group, _, rest = setting_of(axis).partition(".")
    return group if rest and rest != "name" else None


def sets_problem(axis: str) -> bool:
    """Whether an axis sets the problem to be solved: the task, and its settings, but for the score to be reached."""
    return axis == "task" or (owner_of(axis) == "task" and setting_of(axis) != "task.solved_at")


def lacks(axis: str, cells: pd.DataFrame) -> pd.Series:
    """Which of some cells have no such setting, or have it in name only (`clip.threshold` without clipping).

    Args:
        cells: a row per cell, with the axis and the group that it belongs to.
    """
    owner = owner_of(axis)
    if owner not in cells:
        return cells[axis].isna()
    setting = setting_of(axis).partition(".")[2]
    idle = [choice for choice in cells[owner].unique() if setting in IDLE.get((str(owner), str(choice)), ())]
    return cells[axis].isna() | cells[owner].isin(idle)


def grid(settings: pd.DataFrame, axes: tuple[str, ...]) -> pd.DataFrame:
    """Every combination that a full grid would hold, a row each, columns `axes` in order.

    The levels of an axis are all those in `settings`; the levels of a setting that belongs to another axis (`gain` to
    `init`) are those that occur with that level of it. A sweep that is far from a grid (over ten times fewer
    combinations than the product, a random search) is returned as the combinations it has.

    Args:
        settings: a row per cell, the axes as ordered categories.
    """
    seen = settings[list(axes)].drop_duplicates()
    levels = {axis: list(settings[axis].cat.categories) for axis in axes}
    first = [axis for axis in ("task", "optim") if axis in axes]
    owned = [axis for axis in axes if owner_of(axis) in axes]
    order = [*first, *(axis for axis in axes if axis not in (*first, *owned)), *owned]
    rows: list[dict[str, Any]] = [{}]
    for axis in order:
        owner = owner_of(axis)
        longer: list[dict[str, Any]] = []
        for row in rows:
            matching = seen if owner not in row else seen[seen[owner] == row[owner]]
            present = set(matching[axis].dropna())
            choices = [level for level in levels[axis] if level in present]
            longer.extend({**row, axis: level} for level in choices + ([None] if matching[axis].isna().any() else []))
        rows = longer
        if len(rows) > max(500, 10 * len(seen)):
            return seen.sort_values(list(axes), ignore_index=True)
    frame = pd.DataFrame(rows, columns=order)[list(axes)]
    for axis in axes:
        frame[axis] = pd.Categorical(frame[axis], categories=levels[axis], ordered=True)
    return frame.sort_values(list(axes), ignore_index=True)
