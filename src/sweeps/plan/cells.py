"""A cell: one point of a grid, seed included; one training run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sweeps.config.identity import cell_id
from sweeps.config.schema import Settings


@dataclass(frozen=True)
class Cell:
    id: str
    settings: Settings

    @property
    def name(self) -> str:
        """What a person would call it."""
        s = self.settings
        return f"{s.arch.name} {s.init.name} clip={s.clip.name} T={s.task.length} seed={s.seed}"


def distinct(settings: Iterable[Settings]) -> list[Cell]:
    """A cell per distinct id, in the order of first appearance: a grid that names a cell twice trains it once."""
    cells: dict[str, Cell] = {}
    for each in settings:
        key = cell_id(each)
        cells.setdefault(key, Cell(key, each))
    return list(cells.values())
