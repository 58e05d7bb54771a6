"""Cells of one shape make a pack. Split by what must be equal, then by how many lanes pay."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.config.cards import card
from sweeps.config.identity import deciding
from sweeps.config.schema import Settings
from sweeps.plan.cells import Cell
from sweeps.plan.forecast import seconds

VARIES = ("seed", "init", "clip", "optim.*")
"""What may differ inside a pack, with the options that the architecture's card names. All else that decides numbers is
the pack's shape, the name of `optim` too."""
CACHE = 2**20
"""Bytes that the working set of one time step may take: about the second-level cache of a core."""
MOST = 16
"""Lanes beyond which a CPU gains nothing more."""
GPU_MEMORY = 8 * 2**30
"""Bytes that the states of a pack may take on a GPU."""
GPU_MOST = 256
"""Lanes of a pack on a GPU."""


@dataclass(frozen=True)
class Pack:
    """Cells that train together; `id` names it in their summaries."""

    cells: tuple[Cell, ...]

    @property
    def id(self) -> str:
        return f"{self.cells[0].id}x{len(self.cells)}"

    def split(self) -> list[Pack]:
        """Two halves: what is tried after the whole was lost."""
        middle = -(-len(self.cells) // 2)
        return [Pack(part) for part in (self.cells[:middle], self.cells[middle:]) if part]


def shape(settings: Settings) -> str:
    """What the cells of a pack have in common, as canonical text: the same kernel on the same device, too."""
    common = deciding(settings) | {"kernel": settings.executor.kernel, "device": settings.executor.device}
    own = (f"arch.{name}" for name in card("arch", settings.arch.name).per_lane)
    for key in (*VARIES, *own):
        section, _, name = key.partition(".")
        if name == "*":
            common[section] = common[section]["name"]
        elif name:
            common[section].pop(name, None)
        else:
            del common[section]
    return json.dumps(common, sort_keys=True)


def lanes_that_pay(settings: Settings) -> int:
    """How many lanes keep the weights and one step's states in the cache, or all their states in a GPU's memory."""
    gates = card("arch", settings.arch.name).gates
    h, b = settings.arch.hidden, settings.train.batch
    if settings.executor.device == "cuda":
        return max(1, min(GPU_MOST, GPU_MEMORY // (4 * settings.task.length * (2 * gates + 2) * b * h)))
    bytes_per_lane = 4 * (gates * h * h + (2 * gates + 2) * b * h)
    return max(1, min(MOST, CACHE // bytes_per_lane))


def make_packs(cells: Sequence[Cell], workers: int, lanes: int = 0) -> list[Pack]:
    """Group cells into packs, the longest first.

    Args:
        cells: what is to train.
        workers: how many packs train at once; with few cells packs are made smaller, so that none idles.
        lanes: at most so many cells in a pack; 0 chooses from the cache.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(shape(cell.settings), []).append(cell)
    fair = max(1, math.ceil(len(cells) / max(1, workers)))
    packs = []
    for group in groups.values():
        size = min(lanes or lanes_that_pay(group[0].settings), fair)
        parts = math.ceil(len(group) / size)
        bounds = [round(i * len(group) / parts) for i in range(parts + 1)]
        packs += [Pack(tuple(group[a:b])) for a, b in itertools.pairwise(bounds)]
    return sorted(packs, key=lambda pack: -sum(seconds(cell.settings) for cell in pack.cells))
