"""What `load` keeps beside the records to be fast the next time, and when it may be trusted.

A cache is found by a digest of the name, size, times and inode of every record file and of the code that reads
them, so a change of either is another cache. It is not kept while a file is so young that a change could go
unseen.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.reading import FRAMES, Found, read
from sweeps.analysis.loading.scan import Scan
from sweeps.analysis.loading.store import mapped
from sweeps.records.paths import SweepPaths
from sweeps.records.reading import read_text
from sweeps.records.summary import Summary

READERS = (
    "analysis/loading/axes",
    "analysis/loading/cache",
    "analysis/loading/cellfiles",
    "analysis/loading/csvfiles",
    "analysis/loading/reading",
    "analysis/loading/scan",
    "analysis/loading/store",
    "analysis/loading/duplicates",
    "config/identity",
    "records/columns",
    "records/paths",
    "records/plan_file",
    "records/reading",
    "records/rows",
    "records/summary",
)
"""The code between the files and the frames."""
INDEX = "found.json"
_OURS = re.compile(r"[0-9a-f]{64}|writing-.*")
ABANDONED = 3600
"""Seconds after which an unfinished cache belongs to a process that was killed."""


def fetch(here: Scan, *, keep: bool = True) -> tuple[Found, dict[str, pd.DataFrame]]:
    """What the records say and their frames, from a cache that is still true or from the files.

    Args:
        keep: False reads the files and leaves the sweep's folder as it is.
    """
    place = SweepPaths(here.root).cache
    writable = keep and _writable(place)
    if not (writable and here.settled()):
        with tempfile.TemporaryDirectory(prefix="writing-", dir=place if writable else None) as folder:
            found = read(here, Path(folder))
            return found, _frames(Path(folder), found)  # a mapped file lives on until it is let go
    name = hashlib.sha256((here.key() + _code()).encode()).hexdigest()
    try:
        return _open(place / name)
    except Exception:  # there is none, or it is not whole, in whatever way
        pass
    _tidy(place)
    with tempfile.TemporaryDirectory(prefix="writing-", dir=place, ignore_cleanup_errors=True) as folder:
        found = read(here, Path(folder))
        (Path(folder) / INDEX).write_text(json.dumps(asdict(found)), encoding="utf-8")
        frames = _frames(Path(folder), found)
        with suppress(OSError):  # another process was faster: its cache holds the same
            os.rename(folder, place / name)
    return found, frames


def _open(folder: Path) -> tuple[Found, dict[str, pd.DataFrame]]:
    kept = json.loads(read_text(folder / INDEX))
    kept["problems"] = {cell: (kind, reason) for cell, (kind, reason) in kept["problems"].items()}
    kept["summaries"] = {cell: Summary.from_json(content) for cell, content in kept["summaries"].items()}
    found = Found(**kept)
    return found, _frames(folder, found)


def _frames(folder: Path, found: Found) -> dict[str, pd.DataFrame]:
    return {name: mapped(folder / name, found.frames[name], found.done) for name in FRAMES}


def _tidy(place: Path) -> None:
    """Remove older caches, and what a killed process left; nothing else that lies there."""
    for old in place.iterdir():
        if not _OURS.fullmatch(old.name):
            continue
        with suppress(FileNotFoundError):  # another process was faster
            if not old.name.startswith("writing-") or time.time() - old.stat().st_mtime > ABANDONED:
                shutil.rmtree(old, ignore_errors=True)


def _writable(place: Path) -> bool:
    try:
        place.mkdir(exist_ok=True)
    except OSError:
        return False
    return os.access(place, os.W_OK) and not place.is_symlink()


@cache
def _code() -> str:
    """A digest of `READERS`."""
    package = Path(__file__).parents[2]
    files: Mapping[str, bytes] = {name: (package / f"{name}.py").read_bytes() for name in READERS}
    return hashlib.sha256(repr(files).encode()).hexdigest()
