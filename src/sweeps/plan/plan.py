"""The plan of a sweep: its cells, which of them are done, the packs of the others, and a time forecast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sweeps.config.schema import Settings
from sweeps.plan.cells import Cell, distinct
from sweeps.plan.forecast import core_seconds, correction
from sweeps.plan.packs import Pack, make_packs


@dataclass(frozen=True)
class Plan:
    """The plan of a sweep. `cells` are in the order of the grid, `packs` in the order of training."""

    jobs: int  # points of the grid, duplicates included
    cells: list[Cell]
    done: list[Cell]
    packs: list[Pack]
    workers: int
    correction: float  # measured / forecast seconds of the cells already done
    otherwise: Counter[str] = field(
        default_factory=Counter
    )  # counts done cells by how they were computed, if not as now
    begun: Mapping[str, int] = field(default_factory=dict)  # cell id -> updates that its checkpoint has

    @property
    def to_train(self) -> list[Cell]:
        done = {cell.id for cell in self.done}
        return [cell for cell in self.cells if cell.id not in done]

    @property
    def forecast(self) -> float:
        """Forecast seconds until the last pack ends: packs go to the first free worker, in order."""
        free = [0.0] * max(1, self.workers)
        for pack in self.packs:
            first = free.index(min(free))
            free[first] += self.correction * self.left(pack.cells)
        return max(free)

    def left(self, cells: Iterable[Cell]) -> float:
        """Forecast core seconds until these cells end, from where their checkpoints are; not corrected."""
        return sum(core_seconds(cell.settings) * (1 - self.share_begun(cell)) for cell in cells)

    def share_begun(self, cell: Cell) -> float:
        """Share of the updates of a cell that its checkpoint has."""
        return min(1.0, self.begun.get(cell.id, 0) / cell.settings.train.steps)


def make_plan(
    settings: Sequence[Settings],
    done: Mapping[str, float],
    workers: int,
    lanes: int = 0,
    begun: Mapping[str, int] | None = None,
) -> Plan:
    """Plan a grid.

    Args:
        settings: one per point of the grid, all valid.
        done: seconds that each finished cell took, by id.
        workers: how many packs train at once.
        lanes: most cells in a pack; 0 chooses the number by `lanes_that_pay`.
        begun: updates that the checkpoint of a cell has, by id.
    """
    begun = begun or {}
    cells = distinct(settings)
    finished = [cell for cell in cells if cell.id in done]
    missing = [cell for cell in cells if cell.id not in done]
    factor = correction((cell.settings, done[cell.id]) for cell in finished)
    packs = make_packs(missing, workers, lanes, begun)
    return Plan(len(settings), cells, finished, packs, workers, factor, begun=begun)
