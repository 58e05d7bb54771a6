"""Cells: a cell is one point of a grid, seed included, and so one training run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sweeps.config.identity import cell_id
from sweeps.config.schema import Settings


@dataclass(frozen=True)
class Cell:
    """The settings of one training run, and the id that is computed from them."""

    id: str
    settings: Settings

    @property
    def name(self) -> str:
        """A readable name, such as `lstm orthogonal clip=none T=50 seed=2`."""
        s = self.settings
        return f"{s.arch.name} {s.init.name} clip={s.clip.name} T={s.task.length} seed={s.seed}"


def distinct(settings: Iterable[Settings]) -> list[Cell]:
    """One cell per distinct id, in the order of first appearance: duplicates in a grid are trained once."""
    cells: dict[str, Cell] = {}
    for each in settings:
        key = cell_id(each)
        cells.setdefault(key, Cell(key, each))
    return list(cells.values())
