"""Which settings vary over a sweep, in which order their levels are shown, and the grid they span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sweeps.config.cards import cards
from sweeps.config.identity import EXCLUDED
from sweeps.records.plan_file import flat

AXES = ("arch", "init", "clip", "length")
"""The axes of every table, swept or not; further ones are found by `extra_axes`."""

COLUMN_OF_SETTING = {
    "task.name": "task",
    "optim.name": "optim",
    "arch.name": "arch",
    "init.name": "init",
    "clip.name": "clip",
    "task.length": "length",
    "arch.hidden": "hidden",
    "init.gain": "gain",
    "clip.threshold": "threshold",
    "optim.lr": "lr",
    "train.steps": "steps",
    "train.batch": "batch",
    "seed": "seed",
}
"""Short column names of the settings that a study is about; any other setting keeps its dotted name."""


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings as `{column: value}`; a list becomes its text, None stays None."""
    return {COLUMN_OF_SETTING.get(name, name): plain(value) for name, value in flat(config).items()}


def plain(value: Any) -> Any:
    """YAML reads 1e-3 as text and a list cannot be compared by pandas: make both comparable."""
    if isinstance(value, list | tuple):
        return str(list(value))
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def ordered_levels(axis: str, values: pd.Series) -> list[Any]:
    """The distinct values of an axis in the order of tables and figures: numbers, names with cards, other names."""
    present = [value for value in values.unique() if not pd.isna(value)]
    first = tuple(cards(axis))
    numbers = sorted(value for value in present if not isinstance(value, str))
    names = sorted(value for value in present if isinstance(value, str))
    return numbers + [name for name in first if name in names] + [name for name in names if name not in first]


def extra_axes(settings: pd.DataFrame) -> tuple[str, ...]:
    """Settings beyond arch, init, clip, length and seed that vary where those four are the same.

    A setting that merely goes along with an axis (the threshold of each kind of clipping) is not one; neither
    is a setting that goes along with an extra axis already found (the momentum of each optimiser).

    Args:
        settings: a row per cell, its flattened settings as columns.
    """
    candidates = [str(name) for name in settings if may_vary(str(name)) and settings[name].nunique(dropna=False) > 1]
    order = {column: place for place, column in enumerate(COLUMN_OF_SETTING.values())}
    candidates.sort(key=lambda name: (order.get(name, len(order)), name))
    found: list[str] = ["task"] if "task" in candidates else []  # two tasks are never one row, whatever else
    for name in candidates:
        if name in found:
            continue
        groups = settings.groupby([*AXES, *found], dropna=False, observed=True)[name]
        if (groups.nunique(dropna=False) > 1).any():
            found.append(name)
    return tuple(found)


def may_vary(name: str) -> bool:
    """Whether a setting can be an axis beyond arch, init, clip, length and seed."""
    parts = name.split(".")
    return parts[0] not in EXCLUDED and parts[-1] != "seed" and name not in AXES


def owner_of(axis: str) -> str | None:
    """The axis whose choice a setting belongs to: `init` for `gain` and `init.std`, `optim` for `lr`."""
    dotted = next((key for key, column in COLUMN_OF_SETTING.items() if column == axis), axis)
    group, _, rest = dotted.partition(".")
    return group if rest and rest != "name" else None


def grid(settings: pd.DataFrame, axes: tuple[str, ...]) -> pd.DataFrame:
    """Every combination that a full grid would hold, a row each, columns `axes` in order.

    Levels are those seen anywhere; the levels of a setting that belongs to a choice (`gain` to `init`) are
    those seen with that choice. A sweep that is far from a grid (over ten times fewer combinations than the
    product, a random search) is returned as the combinations it has.
    """
    seen = settings[list(axes)].drop_duplicates()
    levels = {axis: list(settings[axis].cat.categories) for axis in axes}
    first = [axis for axis in ("task", "optim") if axis in axes]
    order = [*first, *(axis for axis in axes if axis not in first)]
    rows: list[dict[str, Any]] = [{}]
    for axis in order:
        owner = owner_of(axis)
        longer: list[dict[str, Any]] = []
        for row in rows:
            here = seen if owner not in row else seen[seen[owner] == row[owner]]
            present = set(here[axis].dropna())
            choices = [level for level in levels[axis] if level in present]
            longer.extend({**row, axis: level} for level in choices + ([None] if here[axis].isna().any() else []))
        rows = longer
        if len(rows) > max(500, 10 * len(seen)):
            return seen.sort_values(list(axes), ignore_index=True)
    frame = pd.DataFrame(rows, columns=order)[list(axes)]
    for axis in axes:
        frame[axis] = pd.Categorical(frame[axis], categories=levels[axis], ordered=True)
    return frame.sort_values(list(axes), ignore_index=True)
