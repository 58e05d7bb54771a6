"""Cells: a cell is one point of a grid, seed included, and so one training run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sweeps.config.identity import cell_id, deciding
from sweeps.config.schema import Settings
from sweeps.config.short_names import SHORT_NAMES
from sweeps.config.steps import known_steps


@dataclass(frozen=True)
class Cell:
    """The settings of one training run, and the id that is computed from them.

    Attributes:
        apart: its levels of the axes that its name would lack, such as `lr=0.01`.
    """

    id: str
    settings: Settings
    apart: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """A readable name, such as `lstm orthogonal clip=none T=50 lr=0.01 seed=2`, each cell of a sweep its own."""
        s = self.settings
        steps = known_steps(s)
        length = f"length={s.task.length}" if steps is None else f"T={steps}"
        return " ".join((s.arch.name, s.init.name, f"clip={s.clip.name}", length, *self.apart, f"seed={s.seed}"))


def distinct(settings: Iterable[Settings]) -> list[Cell]:
    """One cell per distinct id, in the order of first appearance: duplicates in a grid are trained once."""
    cells: dict[str, Cell] = {}
    for each in settings:
        key = cell_id(each)
        cells.setdefault(key, Cell(key, each))
    return _told_apart(list(cells.values()))


NAMED = ("arch.name", "init.name", "clip.name", "task.length", "seed")
"""Settings that every name holds."""


def _told_apart(cells: list[Cell]) -> list[Cell]:
    """The cells with the settings in their names in which they differ; not those that another choice brings along."""
    flat = [_flat(deciding(each.settings)) for each in cells]
    axes = []
    for key in dict.fromkeys(key for each in flat for key in each if key not in NAMED):
        choice = f"{key.partition('.')[0]}.name"
        pairs = {(each.get(choice) if key != choice else None, str(each.get(key))) for each in flat}
        if len(pairs) > len({level for level, _ in pairs}):
            axes.append(key)
    words = {key: SHORT_NAMES.get(key, key).rpartition(".")[2] for key in axes}
    return [
        replace(cell, apart=tuple(f"{words[key]}={own[key]}" for key in axes if key in own)) if axes else cell
        for cell, own in zip(cells, flat, strict=True)
    ]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by dotted name."""
    sections = {name: node if isinstance(node, dict) else {"": node} for name, node in settings.items()}
    return {f"{name}.{key}".rstrip("."): value for name, node in sections.items() for key, value in node.items()}
