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

from sweeps.analysis.loading.axes import flatten
from sweeps.analysis.loading.cellfiles import config_of, is_own, trouble_of
from sweeps.analysis.loading.csvfiles import Columns, Unreadable, parse, split
from sweeps.analysis.loading.duplicates import duplicates
from sweeps.analysis.loading.scan import Scan
from sweeps.analysis.loading.store import Writer, code_dtype
from sweeps.records import paths
from sweeps.records.columns import GRADIENT_THROUGH_TIME, METRICS, PARAMETERS
from sweeps.records.paths import CONFIG, SUMMARY, is_cell
from sweeps.records.reading import LARGE, SMALL, json_object, read_bytes, why
from sweeps.records.rows import wrong_rows
from sweeps.records.summary import Summary

BATCH = 48_000_000
"""Bytes of records in memory at once, about; several times that while they are parsed."""
FRAMES = {
    "metrics": (paths.METRICS, METRICS),
    "gradient": (paths.GRADIENT_THROUGH_TIME, GRADIENT_THROUGH_TIME),
    "parameters": (paths.PARAMETERS, PARAMETERS),
}
"""Per frame its file and the columns that must be there."""


@dataclass
class Found:
    """What the files of a sweep say. All but `frames` is plain text and numbers.

    Attributes:
        done: ids of the cells in the frames; the column `cell` counts in this order.
        settings: flattened, of every cell whose config.yaml is whole and its own; empty for the others.
        summaries: of every done cell.
        problems: kind and reason, for every cell that is not done.
        digests: SHA-256 of every record file, by its path in the sweep's folder.
        frames: per frame what `store.mapped` needs.
    """

    done: list[str] = field(default_factory=list)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    summaries: dict[str, Summary] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    frames: dict[str, Any] = field(default_factory=dict)


def read(here: Scan, folder: Path) -> Found:
    """Read every record of a sweep and write the rows as columns under `folder`.

    Raises:
        OSError: `folder` cannot be written.
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
        read = _read(here, cell, "yaml", "json")
        found.digests |= read.digests
        config, summary = config_of(read.files.get(CONFIG)), json_object(read.files.get(SUMMARY))
        trouble = trouble_of(cell, read.files, read.unread, config, summary)
        found.settings[cell] = flatten(config) if config and (trouble is None or is_own(config, cell)) else {}
        if trouble is None and summary is not None:
            found.summaries[cell] = Summary.from_json(summary)
        elif trouble is not None and trouble[0] == "foreign" and summary is not None and summary["cell"] in here.cells:
            found.problems[cell] = ("duplicate", f"a copy of cell {summary['cell']}")
        elif trouble is not None:
            found.problems[cell] = trouble
    for folder, reason in here.closed.items():
        found.problems[folder] = ("damaged" if is_cell(folder) else "foreign", f"the folder cannot be read: {reason}")
    for path in here.nested:
        found.problems[path] = ("foreign", "a record in a folder inside the sweep; only folders directly in it count")
    version = {cell: summary.numerics for cell, summary in found.summaries.items()}
    newest = max(version.values(), default=0)
    for cell in [cell for cell in version if version[cell] < newest]:
        found.problems[cell] = ("other numerics", f"numerics {version[cell]}, the newest here is {newest}")
    found.problems |= duplicates(
        {cell: found.settings[cell] for cell in version if cell not in found.problems},
        lambda cell: tuple(_read(here, cell, "csv").digests.values()),
    )
    for cell in found.problems.keys() & here.cells.keys():  # not worth parsing, but vouched for
        found.digests |= _read(here, cell, "csv").digests
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


@dataclass(frozen=True)
class _Read:
    """Some files of a cell by name: their contents, or why they cannot be read; and their digests by path."""

    files: dict[str, bytes]
    unread: dict[str, str]
    digests: dict[str, str]


def _read(here: Scan, cell: str, *endings: str) -> _Read:
    """The files of a cell with one of the endings. Safe in a thread: reading and hashing leave the others running."""
    files: dict[str, bytes] = {}
    unread: dict[str, str] = {}
    for name in here.cells[cell]:
        if name.endswith(endings):
            try:
                files[name] = read_bytes(f"{here.root}/{cell}/{name}", LARGE if name.endswith("csv") else SMALL)
            except FileNotFoundError:
                continue  # gone since the scan, or a link that leads nowhere
            except OSError as error:
                unread[name] = why(error)
    digests = {f"{cell}/{name}": hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return _Read(files, unread, digests)


def _add(found: Found, contents: Mapping[str, _Read], writers: Mapping[str, Writer], codes: np.dtype[Any]) -> None:
    """Append the rows of those cells of a batch whose files are all whole; list the others."""
    parsed: dict[str, list[tuple[list[str], list[int], Columns]]] = {}
    metrics: dict[str, Columns] = {}  # by cell, its part of them
    good = list(contents)
    for read in contents.values():
        found.digests |= read.digests
    for name, (file, columns) in FRAMES.items():
        parsed[name] = _parse_frame(found, file, columns, {cell: contents[cell] for cell in good})
        for cell, part in _by_cell(parsed[name]):
            if (what := wrong_rows(name, part, found.summaries[cell], metrics.setdefault(cell, part))) is not None:
                found.problems[cell] = ("damaged", f"{file} {what}")
        good = [cell for cell in good if cell not in found.problems]
    place = {cell: len(found.done) + code for code, cell in enumerate(good)}
    found.done += good
    for name, blocks in parsed.items():
        for cells, counts, data in blocks:
            rows = np.repeat(np.array([place.get(cell, -1) for cell in cells], codes), counts)
            if (rows < 0).any():  # another file of the cell turned out not to be whole
                data = {column: values[rows >= 0] for column, values in data.items()}
            writers[name].append({"cell": rows[rows >= 0], **data})


def _parse_frame(
    found: Found, file: str, columns: Sequence[str], contents: Mapping[str, _Read]
) -> list[tuple[list[str], list[int], Columns]]:
    """The blocks of one frame; cells whose file cannot be parsed become problems."""
    rows: dict[str, tuple[bytes, bytes]] = {}
    for cell, read in contents.items():
        try:
            if file in read.unread:
                raise Unreadable(f"{file} cannot be read: {read.unread[file]}")
            rows[cell] = split(file, read.files.get(file), columns)
        except Unreadable as reason:
            found.problems[cell] = ("damaged", str(reason))
    blocks, bad = parse(rows)
    found.problems |= {cell: ("damaged", f"{file} holds a row that cannot be read") for cell in bad}
    return blocks


def _by_cell(blocks: Sequence[tuple[list[str], list[int], Columns]]) -> Iterator[tuple[str, Columns]]:
    """Each cell's part of the columns of a frame."""
    for cells, counts, data in blocks:
        ends = np.cumsum(counts)
        for cell, start, end in zip(cells, ends - counts, ends, strict=True):
            yield cell, {column: values[start:end] for column, values in data.items()}
