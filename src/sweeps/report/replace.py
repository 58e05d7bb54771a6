"""A report takes the place of an older one when all of its files are made; until then the older one is as it was."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sweeps.analysis.provenance import files_of
from sweeps.figures.catalogue import ALL
from sweeps.figures.style import FORMATS
from sweeps.records.paths import ReportPaths

STALE = 3600.0
"""Seconds after which a folder of an unfinished report is taken for one of a process that was killed."""


@contextmanager
def in_place_of(report: ReportPaths) -> Iterator[ReportPaths]:
    """A temporary folder beside `report` to make a report in; when the block ends its files are moved into place.

    Files of the older report that the new one lacks are removed; the user's own stay. If the block raises, nothing
    changes.

    Raises:
        OSError: a folder cannot be written, or a file not be replaced.
    """
    beside = report.root.absolute()
    beside.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(beside)
    folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", suffix=".new", dir=beside.parent))
    try:
        yield ReportPaths(folder)
        older = _older_files(report)
        new = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        for parent in sorted({(report.root / name).parent for name in new}):
            parent.mkdir(parents=True, exist_ok=True)
        for name in sorted(new, key=lambda name: len(name.parts), reverse=True):  # the page after what it refers to
            os.replace(folder / name, report.root / name)
        for name in older - set(new):
            _remove(report.root, name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _older_files(report: ReportPaths) -> set[Path]:
    """The files of the report on disk; of one that does not list them, the figures of the catalogue."""
    listed = files_of(report)
    if listed is not None:
        return {Path(name) for name in listed if not os.path.isabs(name) and ".." not in Path(name).parts}
    names = {f"{name}.{kind}" for name in ALL for kind in FORMATS}
    return {path.relative_to(report.root) for path in report.figures.rglob("*") if path.name in names}


def _remove(root: Path, name: Path) -> None:
    """Remove a file of the older report below `root`, and the folder that it was the last in."""
    path = root / name
    if not path.parent.resolve().is_relative_to(root.resolve()):
        return  # a link leads out of the report
    with suppress(OSError):
        path.unlink()
        if path.parent != root:
            path.parent.rmdir()  # fails, as it should, where something is left


def _remove_stale(beside: Path) -> None:
    for path in beside.parent.glob(f".{beside.name}.*.new"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > STALE:
                shutil.rmtree(path)
