"""The section 'What was varied': the axes of a sweep, the settings that were the same, and those tied to an axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import label, level_said, level_text, listed, said
from sweeps.analysis.loading.axes import as_level, grid, lacks, may_vary, ordered_levels, owner_of, unusual
from sweeps.analysis.loading.records import IN_GRID, Records
from sweeps.analysis.loading.time_steps import SETTING, typed_length
from sweeps.analysis.text import number, number_of, render
from sweeps.config.analysis import NOTHING, Analysis
from sweeps.config.places import defaults
from sweeps.report.document import Prose, Section, Tabular
from sweeps.report.machines import mixed_warning

CONSTANT = ("task", "optim", "lr", "hidden", "gain", "steps", "batch", "task.solved_at")
"""Settings that the section names if they are the same in every cell."""
NAMES = {"task.solved_at": "solved at a score of"}
"""Of settings whose name says too little in that sentence."""


def what_varied(records: Records, analysis: Analysis = NOTHING) -> Section:
    """The section: the axes with their levels, the number of cells, and what was the same in all of them."""
    planned = records.planned()
    lost = records.problems[records.problems["problem"].isin(IN_GRID)]
    constant = [axis for axis in records.axes if planned[axis].nunique() < 2]
    axes = [*(axis for axis in records.axes if axis not in constant), "seed"]
    seeds = pd.concat([records.cells["seed"], lost["seed"]], ignore_index=True)
    having = {axis: planned.loc[~lacks(axis, planned), axis].astype(object) for axis in records.axes} | {"seed": seeds}
    levels = {axis: ordered_levels(axis, having[axis]) for axis in axes}
    alone = {axis: owners for axis in records.axes if (owners := _owners(planned, axis))}
    setting = typed_length(records.cells)
    typed = f" ({setting})" if setting else ""
    rows = [
        {
            "axis": said(axis),
            "levels": _levels(axis, levels[axis])
            + (f" ({alone[axis]} alone)" if axis in alone else "")
            + (typed if axis == "length" else ""),
            "number": len(levels[axis]),
        }
        for axis in axes
    ]
    total, product = len(records.cells) + len(lost), int(np.prod([len(values) for values in levels.values()]))
    by_axis = " × ".join(str(len(values)) for values in levels.values())
    size = f"{by_axis} = {number_of(product, 'cell')}" if len(levels) > 1 else number_of(product, "cell")
    if (alone or typed) and total == len(grid(planned, records.axes)) * len(levels["seed"]):
        size = f"{number_of(total, 'cell')}, every combination of the levels{_only(alone)}"
    elif total != product:
        size = f"{number_of(total, 'cell')} (every combination of the levels would be {product})"
    fixed = [
        level_text(axis, planned[axis].dropna().iloc[0]) + (typed if axis == "length" else "")
        for axis in constant
        if planned[axis].notna().any()
    ]
    same, tied = [*fixed, *_same(records)], _tied(records)
    along = "; ".join(_along(records, tied))
    texts = [f"{size}."]
    texts += [f"The same in every cell: {', '.join(same)}."] if same else []
    if records.own_init:
        texts.append(
            f"{listed([label(arch) for arch in records.own_init])} have no recurrent matrix for an init to draw."
        )
    texts += [f"Settings that go with a choice: {'; '.join(tied.values())}."] if tied else []
    texts += (
        [f"**Varied along with another axis, so that their effects cannot be told apart: {along}.**"] if along else []
    )
    texts += [text] if (text := mixed_warning(records)) else []
    several = [axis for axis in axes if axis in records.axes]
    texts += [text] if (text := analysis.not_varied(several)) else []
    texts += ["Runs of the same seed see the same data, so that comparisons are paired."]
    table = Tabular(render(pd.DataFrame(rows), names=2), "The axes and their levels.")
    return Section("What was varied", [table, Prose(" ".join(texts))])


def _only(alone: Mapping[str, str]) -> str:
    """` that there are: forget bias only with LSTM`: which settings only some choices have; empty for none."""
    texts = [f"{said(axis)} only with {owners}" for axis, owners in alone.items()]
    return f" that there are: {listed(texts)}" if texts else ""


def _owners(planned: pd.DataFrame, axis: str) -> str:
    """The levels of its group that have a setting which others lack, `LSTM`; empty for any other axis."""
    owner, lacking = owner_of(axis), lacks(axis, planned)
    if owner not in planned or not lacking.any():
        return ""
    return ", ".join(map(label, ordered_levels(str(owner), planned.loc[~lacking, owner].astype(object))))


def _levels(axis: str, levels: Sequence[Any]) -> str:
    if len(levels) > 8 and not any(isinstance(level, str) for level in levels):
        return f"{len(levels)} of them, {level_said(axis, levels[0])} to {level_said(axis, levels[-1])}"
    return ", ".join(level_said(axis, level) for level in levels) or "none"


def _same(records: Records) -> list[str]:
    """`learning rate 0.01`: those settings of `CONSTANT` that are the same in every cell; `size = 7`, those of the task
    that are not its defaults; and `layers = 2`, those that came later, where they are not what was always so before."""
    texts = []
    for name in CONSTANT:
        if name in records.cells and name not in records.axes and records.cells[name].nunique(dropna=False) == 1:
            value = records.cells[name].iloc[0]
            if pd.notna(value):
                texts.append(f"{NAMES.get(name, said(name))} {value if isinstance(value, str) else number(value, 6)}")
    beyond = unusual(records.cells)
    texts += [_named(name, level) for name, level in _of_the_task(records).items() if name not in beyond]
    return texts + [level_text(name, level) for name, level in beyond.items()]


def _named(name: str, level: Any) -> str:
    """`corpus kjv`, `size = 7`, `pixels: permuted`: a setting by its name, of whatever kind its level is."""
    told = level_text(name, level)
    return f"{said(name)} {told}" if told == level else told


def _of_the_task(records: Records) -> dict[str, Any]:
    """The settings of the one task of all cells that are the same in all and not the task's defaults."""
    [task, *others] = records.cells["task"].unique()
    if others:
        return {}
    known = {f"task.{name}": value for name, value in defaults("task", str(task)).items()}
    names = [name for name in records.settings if owner_of(name) == "task" and name not in (*records.axes, *CONSTANT)]
    same = {name: records.cells[name].iloc[0] for name in names if records.cells[name].nunique(dropna=False) == 1}
    return {name: level for name, level in same.items() if name in known and level != as_level(name, known[name])}


def _tied(records: Records) -> dict[str, str]:
    """Settings with one value for each level of an axis, such as the threshold of each clipping: name -> text."""
    cells, tied = records.cells, {}
    of_task = [name for name in records.settings if owner_of(name) == "task"]
    for name in ("hidden", "gain", "threshold", "lr", "steps", *of_task):
        owner = "arch" if name in ("hidden", "lr") else "length" if name == "steps" else owner_of(name)
        if name not in cells or name in records.axes or owner not in cells or cells[name].nunique(dropna=False) < 2:
            continue
        groups = cells.groupby(owner, observed=True)[name].unique()
        if all(len(values) == 1 for values in groups):
            known = {level: values[0] for level, values in groups.items() if values[0] == values[0] not in (np.inf, "")}
            texts = [
                f"{label(level)} {value if isinstance(value, str) else number(value)}" for level, value in known.items()
            ]
            if texts:
                tied[name] = f"{NAMES.get(name, said(name))} ({', '.join(texts)})"
    return tied


def _along(records: Records, tied: Iterable[str]) -> list[str]:
    """Settings that vary and are neither an axis nor tied to a level: they follow another axis or the seed."""
    known = {*records.axes, *tied, SETTING}
    names = [name for name in records.settings if may_vary(name) and name not in known]
    varied = [name for name in names if records.cells[name].nunique() > 1]
    return [
        f"{NAMES.get(name, said(name))} {_levels(name, ordered_levels(name, records.cells[name]))}" for name in varied
    ]
