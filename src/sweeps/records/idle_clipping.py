"""Which clipping of a sweep never changed a gradient: its cells are those without clipping, trained once more."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from sweeps.config.schema import Clip, Settings
from sweeps.records.paths import CellPaths, SweepPaths


def idle_clippings(sweep: SweepPaths, cells: Iterable[tuple[str, Settings]]) -> dict[str, tuple[int, bool]]:
    """The clippings that changed no gradient in any of their cells, as they are typed: `clip=norm clip.threshold=100`.

    Args:
        cells: ids and settings of done cells.

    Returns:
        Of each the number of its cells, and whether every update of all of them was looked at (the probe `clipping`);
        else only the logged ones were.
    """
    groups: dict[str, list[str]] = {}
    for cell, settings in cells:
        if settings.clip.name != "none":
            groups.setdefault(_typed(settings.clip), []).append(cell)
    found = {}
    for text, ids in groups.items():
        folders = [sweep.cell(each) for each in ids]
        if not any(_acted(each) for each in folders):  # most stop at their first cell
            found[text] = (len(ids), all(each.probe("clipping").is_file() for each in folders))
    return found


def _typed(clip: Clip) -> str:
    own = [f"clip.{name}={value:g}" for name, value in clip.options.items() if isinstance(value, float | int)]
    return " ".join([f"clip={clip.name}", f"clip.threshold={clip.threshold:g}", *own])


def _acted(cell: CellPaths) -> bool:
    shares = _column(cell.probe("clipping"), "clipped")
    return any(share > 0 for share in shares) or any(scale < 1 for scale in _column(cell.metrics, "clip_scale"))


def _column(path: Path, name: str) -> list[float]:
    """The numbers of a column; none where there is no such file."""
    try:
        with path.open(newline="") as lines:
            return [float(row[name]) for row in csv.DictReader(lines) if row.get(name)]
    except (OSError, ValueError):
        return []
