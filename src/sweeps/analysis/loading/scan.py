"""What lies in a sweep's folder, without opening a file: cell folders, their files, copies in nested folders."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeps.records.paths import CELL_FILES, CONFIG, FAILURE, SUMMARY, SweepPaths
from sweeps.records.safe_reading import printable, why

MARKS = frozenset({CONFIG, SUMMARY, FAILURE})
"""A folder with one of these is a cell."""
SETTLED = 2_000_000_000
"""Nanoseconds, generously, between two changes of a file that are certain to have different time stamps."""

Stamp = tuple[int, int, int, int]
"""Size, modification time, time of the last change of any kind (a user cannot set it), inode."""


@dataclass(frozen=True)
class Scan:
    """A sweep's folder as it was at one moment.

    Attributes:
        cells: files and their stamps of every cell folder directly under `root`, by folder name, sorted.
        nested: cell folders further down, relative to `root`, and those whose names are not valid text; neither are
            part of the sweep.
        closed: folders directly under `root` that cannot be listed, and why.
        plan: stamp of the plan, None without one.
        at: when the scan began, nanoseconds.
    """

    root: Path
    cells: dict[str, dict[str, Stamp]]
    nested: list[str]
    closed: dict[str, str]
    plan: Stamp | None
    at: int

    def key(self) -> str:
        """A digest of every name and stamp."""
        return hashlib.sha256(repr((self.cells, self.nested, self.closed, self.plan)).encode()).hexdigest()

    def settled(self) -> bool:
        """Whether every file is so old that any later change of it must show in its stamp."""
        stamps = [stamp for files in self.cells.values() for stamp in files.values()]
        newest = max((stamp[2] for stamp in [*stamps, *([self.plan] if self.plan else [])]), default=0)
        return newest < self.at - SETTLED


def scan(root: Path) -> Scan:
    """Scan every record of a sweep, `runs/<experiment>/`; a folder that does not exist gives an empty scan."""
    at, paths = time.time_ns(), SweepPaths(root)
    own = {paths.report.root.name, paths.mirror.name}
    cells: dict[str, dict[str, Stamp]] = {}
    nested: list[str] = []
    closed: dict[str, str] = {}
    for name in _folders(root):
        if name in own:
            continue
        try:
            files, inner = _look(root / name)
        except OSError as error:
            closed[printable(name)] = why(error)
            continue
        if MARKS & files.keys() and name == printable(name):
            cells[name] = files
        elif MARKS & files.keys():
            nested.append(printable(name))
        nested.extend(f"{printable(name)}/{printable(each)}" for each in inner)
    return Scan(root, cells, nested, closed, _stamp(paths.plan), at)


def _look(folder: Path, depth: int = 3) -> tuple[dict[str, Stamp], list[str]]:
    """The record files of a folder with their stamps, and the cell folders below it."""
    files: dict[str, Stamp] = {}
    inner: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in CELL_FILES:
                files[entry.name] = _stamp(entry) or (0, 0, 0, 0)
            elif depth and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                try:
                    below, further = _look(Path(entry.path), depth - 1)
                except OSError:
                    continue  # nested folders are no part of the sweep anyway
                inner.extend([entry.name] if MARKS & below.keys() else [])
                inner.extend(f"{entry.name}/{each}" for each in further)
    return dict(sorted(files.items())), sorted(inner)


def _folders(root: Path) -> Iterator[str]:
    """Names of the folders in `root` that are not hidden, sorted."""
    if not root.is_dir():
        return
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    yield from sorted(names)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _stamp(file: Path | os.DirEntry[str]) -> Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None  # there is no such file, or it is a broken link
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
