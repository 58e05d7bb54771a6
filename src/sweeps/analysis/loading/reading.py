"""The records of a sweep read from their files, in batches of cells: the rows of whole cells go into columns on
disk, every other cell is listed with the reason."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sweeps.analysis.loading.cellfiles import number, trouble_of
from sweeps.analysis.loading.cellfiles import settings_of as settings_in
from sweeps.analysis.loading.csvfiles import Columns, Unreadable, parse, split
from sweeps.analysis.loading.scan import Scan
from sweeps.analysis.loading.store import Writer, code_dtype
from sweeps.analysis.loading.twins import twins
from sweeps.records.columns import GRADIENT_THROUGH_TIME, METRICS, PARAMETERS
from sweeps.records.files import json_object

BATCH = 48_000_000
"""Bytes of records in memory at once, about; several times that while they are parsed."""
FRAMES = {
    "metrics": ("metrics.csv", METRICS),
    "gradient": ("gradient_through_time.csv", GRADIENT_THROUGH_TIME),
    "parameters": ("parameters.csv", PARAMETERS),
}
"""Per frame its file and the columns that must be there."""


@dataclass
class Found:
    """What the files of a sweep say. All but `frames` is plain text and numbers.

    Attributes:
        done: ids of the cells in the frames; the column `cell` counts in this order.
        settings: flattened, of every cell whose config.yaml is whole; empty for the others.
        summaries: of every done cell.
        problems: kind and reason, for every cell that is not done.
        digests: SHA-256 of every record file, by its path in the sweep's folder.
        frames: per frame what `store.mapped` needs.
    """

    done: list[str] = field(default_factory=list)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    summaries: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    frames: dict[str, Any] = field(default_factory=dict)


def read(here: Scan, folder: Path) -> Found:
    """Read every record of a sweep and write the rows as columns under `folder`.

    Raises:
        OSError: a file cannot be read, or `folder` not be written.
    """
    found = Found()
    whole = _read_small_files(here, found)
    writers = {name: Writer(folder / name) for name in FRAMES}
    codes = code_dtype(len(whole))
    batches = list(_batches(here, whole))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        ahead = [pool.submit(_read, here, cell, "csv") for cell in batches[0]] if batches else []
        for place, batch in enumerate(batches):
            contents = {cell: each.result() for cell, each in zip(batch, ahead, strict=True)}
            following = batches[place + 1] if place + 1 < len(batches) else []
            ahead = [pool.submit(_read, here, cell, "csv") for cell in following]  # while this batch is parsed
            _add(found, contents, writers, codes)
    found.summaries = {cell: found.summaries[cell] for cell in found.done}
    found.frames = {name: writer.meta() for name, writer in writers.items()}
    return found


def _read_small_files(here: Scan, found: Found) -> list[str]:
    """Settings and summaries into `found`; returns the cells whose CSV files are worth reading."""
    for cell in here.cells:
        files, digests = _read(here, cell, "yaml", "json")
        found.digests |= digests
        settings, summary = settings_in(files.get("config.yaml")), json_object(files.get("summary.json"))
        found.settings[cell] = settings or {}
        trouble = trouble_of(cell, files, settings, summary)
        if trouble is None and summary is not None:
            found.summaries[cell] = summary
        elif trouble is not None and trouble[0] == "foreign" and summary is not None and summary["cell"] in here.cells:
            found.problems[cell] = ("duplicate", f"a copy of cell {summary['cell']}")
        elif trouble is not None:
            found.problems[cell] = trouble
    for path in here.nested:
        found.problems[path] = ("foreign", "a record in a folder inside the sweep; only folders directly in it count")
    version = {cell: number(summary.get("numerics")) for cell, summary in found.summaries.items()}
    newest = max(version.values(), default=0.0)
    for cell in [cell for cell in version if version[cell] < newest]:
        found.problems[cell] = ("other numerics", f"numerics {version[cell]:g}, the newest here is {newest:g}")
    found.problems |= twins(
        {cell: found.settings[cell] for cell in version if cell not in found.problems},
        lambda cell: tuple(_read(here, cell, "csv")[1].values()),
    )
    for cell in found.problems.keys() & here.cells.keys():  # not worth parsing, but vouched for
        found.digests |= _read(here, cell, "csv")[1]
    return [cell for cell in version if cell not in found.problems]


def _batches(here: Scan, cells: Sequence[str]) -> Iterator[list[str]]:
    """The cells in order, in groups of about `BATCH` bytes."""
    group: list[str] = []
    size = 0
    for cell in cells:
        group.append(cell)
        size += sum(stamp[0] for stamp in here.cells[cell].values())
        if size > BATCH:
            yield group
            group, size = [], 0
    if group:
        yield group


def _read(here: Scan, cell: str, *endings: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """The files of a cell with one of the endings, by name, and their digests by path.

    Safe in a thread: reading and hashing leave the others running.
    """
    files: dict[str, bytes] = {}
    for name in here.cells[cell]:
        if name.endswith(endings):
            try:
                with open(f"{here.root}/{cell}/{name}", "rb") as file:
                    files[name] = file.read()
            except FileNotFoundError:
                continue  # gone since the scan
    return files, {f"{cell}/{name}": hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _add(
    found: Found,
    contents: Mapping[str, tuple[dict[str, bytes], dict[str, str]]],
    writers: Mapping[str, Writer],
    codes: np.dtype[Any],
) -> None:
    """Append the rows of those cells of a batch whose files are all whole; list the others."""
    parsed: dict[str, list[tuple[list[str], list[int], Columns]]] = {}
    good = list(contents)
    for _, digests in contents.values():
        found.digests |= digests
    for name, (file, columns) in FRAMES.items():
        parsed[name], good = _parse_frame(found, name, file, columns, {cell: contents[cell][0] for cell in good})
    place = {cell: len(found.done) + code for code, cell in enumerate(good)}
    found.done += good
    for name, blocks in parsed.items():
        for cells, counts, data in blocks:
            rows = np.repeat(np.array([place.get(cell, -1) for cell in cells], codes), counts)
            if (rows < 0).any():  # another file of the cell turned out not to be whole
                data = {column: values[rows >= 0] for column, values in data.items()}
            writers[name].append({"cell": rows[rows >= 0], **data})


def _parse_frame(
    found: Found, frame: str, file: str, columns: Sequence[str], contents: Mapping[str, dict[str, bytes]]
) -> tuple[list[tuple[list[str], list[int], Columns]], list[str]]:
    """The blocks of one frame and the cells whose file is whole; the others become problems."""
    rows: dict[str, tuple[bytes, bytes]] = {}
    for cell, files in contents.items():
        try:
            rows[cell] = split(file, files.get(file), columns)
        except Unreadable as reason:
            found.problems[cell] = ("damaged", str(reason))
    blocks, bad = parse(rows)
    found.problems |= {cell: ("damaged", f"{file} holds a row that cannot be read") for cell in bad}
    for cells, counts, data in blocks:
        found.problems |= {cell: ("damaged", reason) for cell, reason in _cut(found, frame, file, cells, counts, data)}
    return blocks, [cell for cell in contents if cell not in found.problems]


def _cut(
    found: Found, frame: str, file: str, cells: Sequence[str], counts: Sequence[int], data: Columns
) -> Iterator[tuple[str, str]]:
    """The cells whose file lacks rows at its end, by the last step that the summary tells of."""
    if frame == "parameters":  # measured at evaluations only: it may end before the run
        return
    steps, lags = data["step"], data.get("lag")
    for cell, end, count in zip(cells, np.cumsum(counts), counts, strict=True):
        last = found.summaries[cell].get("step")
        if not count or steps[end - 1] != last:
            told = f"ends at step {steps[end - 1]}" if count else "has no rows"
            yield cell, f"{file} {told}, the run at step {last}"
        elif lags is not None and lags[end - 1] != 0:
            yield cell, f"{file} ends at lag {lags[end - 1]} of the last step"
