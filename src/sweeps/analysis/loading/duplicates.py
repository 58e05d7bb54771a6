"""Two records of the same settings: one cell, which must not be counted twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from sweeps.config.identity import decides


def duplicates(
    settings: Mapping[str, Mapping[str, Any]], content: Callable[[str], object]
) -> dict[str, tuple[str, str]]:
    """Kind of problem and reason for cells that have all the settings that decide numbers in common with another.

    Of cells that recorded the same numbers the first is kept; of cells that contradict each other none is.

    Args:
        settings: flattened, by cell.
        content: what a cell recorded, to be compared; called only for cells with equal settings.
    """
    same: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for cell, each in settings.items():
        deciding = ((name, repr(value)) for name, value in each.items() if decides(name))
        same[tuple(sorted(deciding))].append(cell)
    problems: dict[str, tuple[str, str]] = {}
    for first, *others in same.values():
        differ = [cell for cell in others if content(cell) != content(first)]
        for cell in others if not differ else [first, *others]:
            other = first if cell != first else others[0]
            problems[cell] = (
                ("contradictory", f"the same settings as cell {other} and other numbers; none of them is counted")
                if differ
                else ("duplicate", f"the same settings and numbers as cell {first}, which is counted")
            )
    return problems
