"""Cells of one shape that go on from one update are grouped; each group is cut into packs of the fastest size."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sweeps.config.cards import card
from sweeps.config.identity import deciding
from sweeps.config.schema import Settings
from sweeps.config.steps import about_steps
from sweeps.plan.cells import Cell
from sweeps.plan.forecast import core_seconds

VARIES = ("seed", "init", "clip", "optim.*", "schedule", "penalty", "train.patience")
"""What may differ inside a pack, with the options that the architecture's card names. All else that decides numbers is
the pack's shape, the name of `optim` too."""
CACHE = 2**20
"""Bytes allowed for the working set of one time step: about the second-level cache of a core."""
MOST = 16
"""Most lanes of a pack on a CPU; more are no faster."""
GPU_MEMORY = 8 * 2**30
"""Bytes allowed for the states of a pack on a GPU."""
GPU_MOST = 256
"""Most lanes of a pack on a GPU."""


@dataclass(frozen=True)
class Pack:
    """Cells that train together, one per lane; their summaries name the pack by its `id`."""

    cells: tuple[Cell, ...]

    @property
    def id(self) -> str:
        return f"{self.cells[0].id}x{len(self.cells)}"

    def split(self) -> list[Pack]:
        """The pack in two halves, to be trained after the worker of the whole pack died."""
        middle = -(-len(self.cells) // 2)
        return [Pack(part) for part in (self.cells[:middle], self.cells[middle:]) if part]


def shape(settings: Settings) -> str:
    """The settings that all cells of a pack share, kernel and device included, as canonical JSON."""
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
        per_lane = 4 * settings.stack.recurrences * about_steps(settings) * (2 * gates + 2) * b * h
        return max(1, min(GPU_MOST, GPU_MEMORY // per_lane))
    bytes_per_lane = 4 * (gates * h * h + (2 * gates + 2) * b * h)
    return max(1, min(MOST, CACHE // bytes_per_lane))


def make_packs(
    cells: Sequence[Cell], workers: int, lanes: int = 0, begun: Mapping[str, int] | None = None
) -> list[Pack]:
    """Group cells into packs, the longest first.

    Args:
        cells: the cells to train.
        workers: how many packs train at once; with few cells packs are made smaller, so that no worker idles.
        lanes: most cells in a pack; 0 chooses the number by `lanes_that_pay`.
        begun: updates that the checkpoint of a cell has, by id; those of one pack have as many.
    """
    groups: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((shape(cell.settings), (begun or {}).get(cell.id, 0)), []).append(cell)
    fair = max(1, math.ceil(len(cells) / max(1, workers)))
    packs = []
    for group in groups.values():
        size = min(lanes or lanes_that_pay(group[0].settings), fair)
        parts = math.ceil(len(group) / size)
        bounds = [round(i * len(group) / parts) for i in range(parts + 1)]
        packs += [Pack(tuple(group[a:b])) for a, b in itertools.pairwise(bounds)]
    return sorted(packs, key=lambda pack: -sum(core_seconds(cell.settings) for cell in pack.cells))
