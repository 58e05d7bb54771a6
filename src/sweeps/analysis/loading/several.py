"""Several sweeps as one: a cell that two of them hold counts once, and where each row comes from stays known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from sweeps.analysis.loading.cache import scratch
from sweeps.analysis.loading.duplicates import duplicates
from sweeps.analysis.loading.one_sweep import assemble
from sweeps.analysis.loading.raw_records import FRAMES, TABLES, RawRecords
from sweeps.analysis.loading.records import IN_GRID, Records, Sweep
from sweeps.analysis.loading.store import Writer, code_dtype, mapped
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths, is_cell

Contradictory = Literal["refuse", "leave out"]
ROWS = 4_000_000
"""Rows of a frame that are copied at once."""


@dataclass(frozen=True)
class Source:
    """What the files of one sweep say; see `one_sweep.read_sweep`."""

    root: Path
    raw: RawRecords
    frames: Mapping[str, pd.DataFrame]
    plan: Mapping[str, Mapping[str, Any]] | None


def as_one(sources: Sequence[Source], contradictory: Contradictory, *, cache: bool) -> Records:
    """The records of several sweeps, each with a done cell, as one.

    Raises:
        SweepsError: a folder is given twice, the numerics of the sweeps differ, or they contradict each other and
            `contradictory` is "refuse".
    """
    by_name = dict(zip(names_of([source.root for source in sources]), sources, strict=True))
    _same_numerics(by_name)
    done = [(name, cell) for name, source in by_name.items() for cell in source.raw.done]
    clashes = duplicates(
        {f"{name}/{cell}": by_name[name].raw.settings[cell] for name, cell in done},
        lambda key: _content(by_name[key.rpartition("/")[0]].raw, key.rpartition("/")[2]),
    )
    against = [key for key, (kind, _) in clashes.items() if kind == "contradictory"]
    if against and contradictory == "refuse":
        raise SweepsError(_refusal(by_name, against))
    counted = {(name, cell): f"{name}/{cell}" not in clashes for name, cell in done}
    raw = RawRecords(done=[cell for (_, cell), counts in counted.items() if counts])
    first = {cell: name for (name, cell), counts in counted.items() if counts}
    for name, cell in ((name, cell) for name, cell in done if counted[name, cell]):
        raw.settings[cell] = by_name[name].raw.settings[cell]
        raw.summaries[cell] = by_name[name].raw.summaries[cell]
    raw.digests = {f"{name}/{path}": sha for name, each in by_name.items() for path, sha in each.raw.digests.items()}
    listed = _problems(by_name, first, {key: clashes[key] for key in against})
    for (name, cell), problem in listed.items():
        raw.problems[f"{name}/{cell}"] = problem
        raw.settings[f"{name}/{cell}"] = by_name[name].raw.settings.get(cell, {})
    roots = [source.root for source in sources]
    with scratch(roots[0], keep=cache) as folder:
        frames = _joined(by_name, counted, raw.done, folder)
    beside = SweepPaths.of_several(roots[0].parent, (name.replace("/", "-") for name in by_name))
    records = assemble(beside.root, raw, frames, _plan(sources))
    where = {f"{name}/{cell}": (name, cell) for name, cell in listed}
    problems, cells = records.problems.copy(), records.cells.copy()
    cells.insert(1, "sweep", cells["cell"].map(first))
    problems.insert(1, "sweep", [where[key][0] for key in problems["cell"]])
    problems["cell"] = [where[key][1] for key in problems["cell"]]
    parts = {name: Sweep(source.root, frozenset(source.raw.done)) for name, source in by_name.items()}
    return replace(records, cells=cells, problems=problems, sweeps=parts)


def names_of(roots: Sequence[Path]) -> list[str]:
    """What several folders are called: their last part, or as many parts as it takes to tell them apart.

    Raises:
        SweepsError: a folder is given twice.
    """
    parts = [root.resolve().parts for root in roots]
    for place, each in enumerate(parts):
        if each in parts[:place]:
            raise SweepsError(f"{roots[place]} is given twice; two sweeps in two folders can be taken together")
    taken = 1
    while len({each[-taken:] for each in parts}) < len(parts):
        taken += 1
    return ["/".join(each[-taken:]).lstrip("/") for each in parts]


def _same_numerics(by_name: Mapping[str, Source]) -> None:
    """Raise SweepsError if the sweeps are of several numerics versions; within each only the newest is done."""
    versions = {name: source.raw.summaries[source.raw.done[0]].numerics for name, source in by_name.items()}
    if len(set(versions.values())) > 1:
        told = ", ".join(f"{name} has {version}" for name, version in versions.items())
        raise SweepsError(f"numerics: {told}; numbers of two versions are never in one table. {_side_by_side(by_name)}")


def _side_by_side(by_name: Mapping[str, Source]) -> str:
    paths = [str(source.root.absolute()) for source in by_name.values()]
    two = " ".join(paths) if len(paths) == 2 else "ONE OTHER"
    return f"`python -m sweeps compare {two}` shows their cells side by side"


def _content(raw: RawRecords, cell: str) -> object:
    """What a cell recorded: its CSV files, and how it ended."""
    summary = raw.summaries[cell]
    ended = (summary.outcome, summary.step, summary.solved_step, *astuple(summary.best), *astuple(summary.final))
    return [raw.digests.get(f"{cell}/{file}") for file in TABLES], repr(ended)


def _refusal(by_name: Mapping[str, Source], against: Sequence[str]) -> str:
    keys = sorted({key.rpartition("/")[2] for key in against})
    names = [name for name in by_name if any(key.rpartition("/")[0] == name for key in against)]
    have, count = ("has", "1 cell") if len(keys) == 1 else ("have", f"{len(keys)} cells")
    return (
        f"{count} (cell={keys[0]}{', ...' if len(keys) > 1 else ''}) {have} the same settings in {' and '.join(names)} "
        f"and other numbers, so that which of them count is not known. {_side_by_side(by_name)}"
    )


def _problems(
    by_name: Mapping[str, Source], first: Mapping[str, str], against: Mapping[str, tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Every problem by sweep and cell. A place in the grid has at most one problem of `IN_GRID`, and none if some sweep
    has the cell done: what another sweep has instead of it is listed as a duplicate, and nothing is if it has nothing.
    """
    found = {(name, cell): problem for name, each in by_name.items() for cell, problem in each.raw.problems.items()}
    found |= {(key.rpartition("/")[0], key.rpartition("/")[2]): problem for key, problem in against.items()}
    order = sorted(found, key=lambda key: found[key][0] == "missing")  # what is on disk before what is not
    places: dict[str, str] = dict(first)
    listed: dict[tuple[str, str], tuple[str, str]] = {}
    for name, cell in order:
        kind, reason = found[name, cell]
        if is_cell(cell) and kind in IN_GRID and (other := places.setdefault(cell, name)) != name:
            if kind == "missing":
                continue
            counts = "which is counted" if cell in first else "which is listed"
            kind, reason = "duplicate", f"the same cell as in {other}, {counts}; here: {kind}, {reason}"
        listed[name, cell] = (kind, reason)
    return listed


def _joined(
    by_name: Mapping[str, Source], counted: Mapping[tuple[str, str], bool], done: Sequence[str], folder: Path
) -> dict[str, pd.DataFrame]:
    """The frames of all sweeps one after another, as columns on disk: rows of the cells in `done`."""
    kind = code_dtype(len(done))
    writers = {frame: Writer(folder / frame) for frame in FRAMES}
    code = 0
    for name, source in by_name.items():
        new = np.full(len(source.raw.done), -1, kind)
        for place, cell in enumerate(source.raw.done):
            if counted[name, cell]:
                new[place], code = code, code + 1
        for frame, writer in writers.items():
            _copy(source.frames[frame], new, writer)
    return {frame: mapped(folder / frame, writer.meta(), done) for frame, writer in writers.items()}


def _copy(frame: pd.DataFrame, new: np.ndarray, writer: Writer) -> None:
    """Append a frame, a part at a time; cells whose new code is -1 are left out."""
    for start in range(0, max(len(frame), 1), ROWS):
        part = frame.iloc[start : start + ROWS]
        codes = new[part["cell"].cat.codes.to_numpy()]
        if (codes < 0).any():
            part, codes = part[codes >= 0], codes[codes >= 0]
        columns: dict[str, Any] = {str(name): _values(part[name]) for name in part if name != "cell"}
        writer.append({"cell": codes, **columns})


def _values(column: pd.Series) -> Any:
    return column.array if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()


def _plan(sources: Sequence[Source]) -> tuple[str, ...] | None:
    """The cells that the last sweep of each folder requested; of a folder without a plan all its cells."""
    if all(source.plan is None for source in sources):
        return None
    each = (source.raw.settings if source.plan is None else source.plan for source in sources)
    return tuple(dict.fromkeys(cell for cells in each for cell in cells))
