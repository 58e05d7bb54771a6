"""The cache that `load` keeps beside the records, so that the same records are parsed only once.

A cache is a folder named by a digest of the name, size, times and inode of every record file and of the code that
reads them: after a change of either the name is another one. Nothing is kept while a record file is so young that a
later change might not show in its time stamp.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.raw_records import FRAMES, RawRecords, read
from sweeps.analysis.loading.scan import Scan
from sweeps.analysis.loading.store import mapped
from sweeps.records.paths import SweepPaths
from sweeps.records.safe_reading import read_text
from sweeps.records.summary import Summary

READERS = (
    "analysis/loading/axes",
    "analysis/loading/cache",
    "analysis/loading/cellfiles",
    "analysis/loading/csvfiles",
    "analysis/loading/raw_records",
    "analysis/loading/scan",
    "analysis/loading/store",
    "analysis/loading/duplicates",
    "config/identity",
    "config/short_names",
    "records/columns",
    "records/paths",
    "records/plan_file",
    "records/safe_reading",
    "records/rows",
    "records/summary",
)
"""The modules between the files and the frames; a cache is of one version of them."""
INDEX = "index.json"
"""The file of a cache that holds everything but the columns of the frames."""
_OURS = re.compile(r"[0-9a-f]{64}|writing-.*")  # a cache, or one that is being written
ABANDONED = 3600
"""Seconds after which an unfinished cache belongs to a process that was killed."""


def fetch(scanned: Scan, *, keep: bool = True) -> tuple[RawRecords, dict[str, pd.DataFrame]]:
    """The records of a sweep and their frames, from the cache of exactly these files or from the files themselves.

    Args:
        keep: False reads the files and writes nothing in the sweep's folder.
    """
    cache_folder = SweepPaths(scanned.root).cache
    if not (keep and _writable(cache_folder) and scanned.settled()):
        with scratch(scanned.root, keep=keep) as folder:
            raw = read(scanned, folder)
            return raw, _frames(folder, raw)
    name = hashlib.sha256((scanned.key() + _code()).encode()).hexdigest()
    try:
        return _open(cache_folder / name)
    except Exception:  # there is no such cache, or it is damaged in any way
        pass
    _tidy(cache_folder)
    with scratch(scanned.root) as folder:
        raw = read(scanned, folder)
        (folder / INDEX).write_text(json.dumps(asdict(raw)), encoding="utf-8")
        frames = _frames(folder, raw)
        with suppress(OSError):  # another process was faster; its cache has the same content
            os.rename(folder, cache_folder / name)
    return raw, frames


@contextmanager
def scratch(root: Path, *, keep: bool = True) -> Iterator[Path]:
    """A folder for columns that are mapped and then not needed by name: in the sweep's cache if that can be written.

    Args:
        keep: False writes nothing in the sweep's folder.
    """
    cache_folder = SweepPaths(root).cache
    place = cache_folder if keep and _writable(cache_folder) else None
    with tempfile.TemporaryDirectory(prefix="writing-", dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)  # a deleted file stays readable while it is mapped


def _open(folder: Path) -> tuple[RawRecords, dict[str, pd.DataFrame]]:
    index = json.loads(read_text(folder / INDEX))
    index["problems"] = {cell: (kind, reason) for cell, (kind, reason) in index["problems"].items()}
    index["summaries"] = {cell: Summary.from_json(content) for cell, content in index["summaries"].items()}
    raw = RawRecords(**index)
    return raw, _frames(folder, raw)


def _frames(folder: Path, raw: RawRecords) -> dict[str, pd.DataFrame]:
    return {name: mapped(folder / name, raw.frames[name], raw.done) for name in FRAMES}


def _tidy(cache_folder: Path) -> None:
    """Remove older caches and unfinished ones of killed processes, but no other file in the folder."""
    for old in cache_folder.iterdir():
        if not _OURS.fullmatch(old.name):
            continue
        with suppress(FileNotFoundError):  # another process was faster
            if not old.name.startswith("writing-") or time.time() - old.stat().st_mtime > ABANDONED:
                shutil.rmtree(old, ignore_errors=True)


def _writable(cache_folder: Path) -> bool:
    try:
        cache_folder.mkdir(exist_ok=True)
    except OSError:
        return False
    return os.access(cache_folder, os.W_OK) and not cache_folder.is_symlink()


@cache
def _code() -> str:
    """A digest of `READERS`."""
    package = Path(__file__).parents[2]
    files: Mapping[str, bytes] = {name: (package / f"{name}.py").read_bytes() for name in READERS}
    return hashlib.sha256(repr(files).encode()).hexdigest()
