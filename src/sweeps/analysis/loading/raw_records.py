"""The records of a sweep read from their files, in batches of cells: the rows of sound cells go into columns on disk,
every other cell is listed with the reason."""

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
from sweeps.analysis.loading.cellfiles import config_of, id_matches, problem_of
from sweeps.analysis.loading.csvfiles import Columns, Unreadable, parse, split
from sweeps.analysis.loading.duplicates import duplicates
from sweeps.analysis.loading.scan import Scan
from sweeps.analysis.loading.store import Writer, code_dtype
from sweeps.records import paths
from sweeps.records.columns import GRADIENT_THROUGH_TIME, METRICS, PARAMETERS
from sweeps.records.paths import CONFIG, FAILURE, SUMMARY, is_cell
from sweeps.records.rows import wrong_rows
from sweeps.records.safe_reading import LARGE, SMALL, json_object, read_bytes, why
from sweeps.records.summary import Summary

BATCH = 48_000_000
"""Bytes of records in memory at once, roughly; several times as many while they are parsed."""
SMALL_FILES = (CONFIG, SUMMARY, FAILURE)
"""The files of a cell that are read first."""
FRAMES = {
    "metrics": (paths.METRICS, METRICS),
    "gradient": (paths.GRADIENT_THROUGH_TIME, GRADIENT_THROUGH_TIME),
    "parameters": (paths.PARAMETERS, PARAMETERS),
}
"""Per frame its file and the columns that the file must have."""
TABLES = tuple(file for file, _ in FRAMES.values())
"""The files of a cell with the rows of the frames."""


@dataclass
class RawRecords:
    """What the files of a sweep hold, apart from the rows, which are on disk. Everything can be written as JSON.

    Attributes:
        done: ids of the cells in the frames, in the order of the codes of the column `cell`.
        settings: flattened, of every cell whose config.yaml is complete and matches its id; empty for the others.
        summaries: of every done cell.
        problems: kind and reason, for every cell that is not done.
        digests: SHA-256 of every record file, by its path in the sweep's folder.
        frames: per frame the description that `store.mapped` needs.
    """

    done: list[str] = field(default_factory=list)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    summaries: dict[str, Summary] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    frames: dict[str, Any] = field(default_factory=dict)


def read(scanned: Scan, folder: Path) -> RawRecords:
    """Read every record of a sweep and write the rows as columns under `folder`.

    Raises:
        OSError: `folder` cannot be written.
    """
    raw = RawRecords()
    candidates = _read_small_files(scanned, raw)
    writers = {name: Writer(folder / name) for name in FRAMES}
    codes = code_dtype(len(candidates))
    batches = list(_batches(scanned, candidates))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        ahead = [pool.submit(_read, scanned, cell, TABLES) for cell in batches[0]] if batches else []
        for index, batch in enumerate(batches):
            contents = {cell: each.result() for cell, each in zip(batch, ahead, strict=True)}
            following = batches[index + 1] if index + 1 < len(batches) else []
            ahead = [pool.submit(_read, scanned, cell, TABLES) for cell in following]  # while this batch is parsed
            _add(raw, contents, writers, codes)
    raw.summaries = {cell: raw.summaries[cell] for cell in raw.done}
    raw.frames = {name: writer.meta() for name, writer in writers.items()}
    return raw


def _read_small_files(scanned: Scan, raw: RawRecords) -> list[str]:
    """Add settings, summaries and problems to `raw`; returns the cells without a problem, whose rows are read next."""
    for cell in scanned.cells:
        read = _read(scanned, cell, SMALL_FILES)
        raw.digests |= read.digests
        config, summary = config_of(read.files.get(CONFIG)), json_object(read.files.get(SUMMARY))
        problem = problem_of(cell, read.files, read.unread, config, summary)
        raw.settings[cell] = flatten(config) if config and (problem is None or id_matches(config, cell)) else {}
        if problem is None and summary is not None:
            raw.summaries[cell] = Summary.from_json(summary)
        elif problem is not None:
            copied = summary["cell"] if problem[0] == "foreign" and summary is not None else None
            raw.problems[cell] = ("duplicate", f"a copy of cell {copied}") if copied in scanned.cells else problem
    for folder, reason in scanned.closed.items():
        raw.problems[folder] = ("damaged" if is_cell(folder) else "foreign", f"the folder cannot be read: {reason}")
    for path in scanned.nested:
        raw.problems[path] = ("foreign", "a record in a folder inside the sweep; only folders directly in it count")
    version = {cell: summary.numerics for cell, summary in raw.summaries.items()}
    newest = max(version.values(), default=0)
    for cell in [cell for cell in version if version[cell] < newest]:
        raw.problems[cell] = ("other numerics", f"numerics {version[cell]}, the newest here is {newest}")
    raw.problems |= duplicates(
        {cell: raw.settings[cell] for cell in version if cell not in raw.problems},
        lambda cell: tuple(_read(scanned, cell, TABLES).digests.values()),
    )
    for cell in raw.problems.keys() & scanned.cells.keys():  # not parsed, but their digests are recorded
        raw.digests |= _read(scanned, cell, TABLES).digests
    return [cell for cell in version if cell not in raw.problems]


def _batches(scanned: Scan, cells: Sequence[str]) -> Iterator[list[str]]:
    """The cells in order, in groups of about `BATCH` bytes."""
    group: list[str] = []
    size = 0
    for cell in cells:
        group.append(cell)
        size += sum(stamp[0] for stamp in scanned.cells[cell].values())
        if size > BATCH:
            yield group
            group, size = [], 0
    if group:
        yield group


@dataclass(frozen=True)
class _CellFiles:
    """Some files of a cell by name: their contents, or why they cannot be read; and their digests by path."""

    files: dict[str, bytes]
    unread: dict[str, str]
    digests: dict[str, str]


def _read(scanned: Scan, cell: str, names: Sequence[str]) -> _CellFiles:
    """Those of the named files that a cell has. Fit for threads: reading and hashing release the interpreter's lock."""
    files: dict[str, bytes] = {}
    unread: dict[str, str] = {}
    for name in scanned.cells[cell]:
        if name in names:
            try:
                files[name] = read_bytes(f"{scanned.root}/{cell}/{name}", LARGE if name in TABLES else SMALL)
            except FileNotFoundError:
                continue  # removed since the scan, or a broken link
            except OSError as error:
                unread[name] = why(error)
    digests = {f"{cell}/{name}": hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return _CellFiles(files, unread, digests)


def _add(
    raw: RawRecords, contents: Mapping[str, _CellFiles], writers: Mapping[str, Writer], codes: np.dtype[Any]
) -> None:
    """Append the rows of the cells of a batch whose files are all sound; add the other cells to the problems."""
    parsed: dict[str, list[tuple[list[str], list[int], Columns]]] = {}
    metrics: dict[str, Columns] = {}  # by cell
    good = list(contents)
    for read in contents.values():
        raw.digests |= read.digests
    for name, (file, columns) in FRAMES.items():
        parsed[name] = _parse_frame(raw, file, columns, {cell: contents[cell] for cell in good})
        for cell, part in _by_cell(parsed[name]):
            if (what := wrong_rows(name, part, raw.summaries[cell], metrics.setdefault(cell, part))) is not None:
                raw.problems[cell] = ("damaged", f"{file} {what}")
        good = [cell for cell in good if cell not in raw.problems]
    code_of = {cell: len(raw.done) + code for code, cell in enumerate(good)}
    raw.done += good
    for name, blocks in parsed.items():
        for cells, counts, data in blocks:
            rows = np.repeat(np.array([code_of.get(cell, -1) for cell in cells], codes), counts)
            if (rows < 0).any():  # another file of the cell is damaged
                data = {column: values[rows >= 0] for column, values in data.items()}
            writers[name].append({"cell": rows[rows >= 0], **data})


def _parse_frame(
    raw: RawRecords, file: str, columns: Sequence[str], contents: Mapping[str, _CellFiles]
) -> list[tuple[list[str], list[int], Columns]]:
    """The blocks of one frame; cells whose file cannot be parsed become problems."""
    rows: dict[str, tuple[bytes, bytes]] = {}
    for cell, read in contents.items():
        try:
            if file in read.unread:
                raise Unreadable(f"{file} cannot be read: {read.unread[file]}")
            rows[cell] = split(file, read.files.get(file), columns)
        except Unreadable as reason:
            raw.problems[cell] = ("damaged", str(reason))
    blocks, bad = parse(rows)
    raw.problems |= {cell: ("damaged", f"{file} holds a row that cannot be read") for cell in bad}
    return blocks


def _by_cell(blocks: Sequence[tuple[list[str], list[int], Columns]]) -> Iterator[tuple[str, Columns]]:
    """Each cell's part of the columns of a frame."""
    for cells, counts, data in blocks:
        ends = np.cumsum(counts)
        for cell, start, end in zip(cells, ends - counts, ends, strict=True):
            yield cell, {column: values[start:end] for column, values in data.items()}
