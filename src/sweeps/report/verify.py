"""Check a report against its records: make it again in a temporary folder and compare every file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from sweeps.analysis.loading.records import Records, cell_of
from sweeps.analysis.provenance import files_of, read_digests
from sweeps.config.analysis import NOTHING, Analysis
from sweeps.errors import SweepsError
from sweeps.records.paths import DIGESTS, PROVENANCE, ReportPaths, SweepPaths
from sweeps.records.safe_reading import json_object, printable, read_bytes, read_json, why
from sweeps.report.make import make_report, records_to_report


@dataclass(frozen=True)
class Verdict:
    """The result of `verify`: what differs, one sentence each; no sentence if the report is what the records give.

    Attributes:
        records: record files that have changed since the report was made.
        report: files of the report that are not what the records give now.
        stale: names of files that differ only in the provenance inside them.
        left: names of other files in the report's folder: the user's own, or those of an older version.
        files: how many files of the report were compared.
    """

    records: list[str]
    report: list[str]
    stale: list[str]
    left: list[str]
    files: int

    @property
    def differs(self) -> bool:
        return bool(self.records or self.report or self.stale)


def verify(
    sweep: SweepPaths,
    question: str | None = None,
    *,
    claims: str | None = None,
    roots: Path | Sequence[Path] | None = None,
    analysis: Analysis = NOTHING,
) -> Verdict:
    """Read the record files, make the report again in a temporary folder and compare it with the one on disk.

    Nothing is written to the sweep's folder.

    Args:
        question, claims, analysis: as for `make_report`.
        roots: the folders of the records, where they are not that of the report.

    Raises:
        SweepsError: there is no report, or there are no records to make one from.
    """
    before, unread = _digests(sweep.report.digests)
    if before is None and unread is None:
        made = "`python -m sweeps report` makes one"
        raise SweepsError(f"{sweep.report.root} holds no report that can be verified; {made}")
    records = records_to_report(roots or sweep.root, cache=False)
    with tempfile.TemporaryDirectory() as folder:
        old, again = sweep.report.root, Path(folder)
        pages = _has_pages(sweep.report)
        make_report(sweep, question, claims=claims, into=again, records=records, pages=pages, analysis=analysis)
        names, left = sorted(_files(again)), sorted(_files(old) - _files(again))
        same = _renamed(sweep.report.provenance, ReportPaths(again).provenance)
        stale = [name for name in names if _differs_in_provenance_alone(old / name, again / name, same)]
        others = [name for name in names if name not in stale]
        different = [text for name in others if (text := _difference(old / name, again / name, name)) is not None]
    changed = _changed(records, before) if before is not None else [str(unread)]
    return Verdict(changed, different, stale, left, len(names))


def _has_pages(report: ReportPaths) -> bool | None:
    """Whether the report was made with the pages of its runs; None if it does not list its files."""
    files = files_of(report)
    folder = f"{report.runs.name}/"
    return None if files is None else any(name.startswith(folder) for name in files)


def _digests(path: Path) -> tuple[dict[str, str] | None, str | None]:
    """The digests stored with the report, or a sentence on why they cannot be read; (None, None) without a report."""
    try:
        return read_digests(path), None
    except SweepsError as error:
        return None, f"{path.name} cannot be read ({error}), so which files of the records changed is not known"


def _changed(records: Records, before: dict[str, str]) -> list[str]:
    """A sentence for each record file whose digest has changed, that is new, or that is gone."""
    now, cells = records.digests, {str(row["cell"]): row for row in records.cells.to_dict("records")}
    changes = []
    for path in sorted(before.keys() | now.keys()):
        if before.get(path) != now.get(path):
            what = "is gone" if path not in now else "is new" if path not in before else "has changed"
            changes.append(f"{path} {what} since the report was made{_axes_of(cells.get(cell_of(path)))}")
    return changes


def _axes_of(cell: dict[Any, Any] | None) -> str:
    """The axis values of a cell in brackets; empty for a cell that the report does not count."""
    if cell is None:
        return ""
    return f" ({cell['arch']}, {cell['init']}, clip {cell['clip']}, T = {cell['length']}, seed {cell['seed']})"


def _difference(there: Path, again: Path, name: str) -> str | None:
    """A sentence on how one file of the report differs from the one made again; None if it does not."""
    try:
        old = read_bytes(there)
    except FileNotFoundError:
        return f"{name} is missing"
    except OSError as error:
        return f"{name} cannot be read: {why(error)}"
    if old == again.read_bytes():
        return None
    before = json_object(old)
    if name != PROVENANCE or before is None:
        return f"{name} differs"
    now = json.loads(again.read_bytes())
    parts = [
        f"{key} was {before.get(key)!r}, is {now[key]!r}"
        for key in now
        if before.get(key) != now[key] and key != "files"
    ]
    return f"{name} differs: {'; '.join(parts)}" if parts else f"{name} differs"


def _differs_in_provenance_alone(there: Path, again: Path, same: dict[bytes, bytes]) -> bool:
    """Whether two files differ, and would be equal with the same digests inside.

    Args:
        same: from digests of the old provenance to those of the new one.
    """
    if there.name in (PROVENANCE, DIGESTS):
        return False
    try:
        old, new = read_bytes(there), again.read_bytes()
    except OSError:
        return False
    if old == new:
        return False
    renamed = old
    for was, now in same.items():
        renamed = renamed.replace(was, now)
    return renamed == new or (there.suffix == ".png" and _same_pixels(old, new))


def _renamed(old: Path, new: Path) -> dict[bytes, bytes]:
    """A mapping of the digests of the old provenance to those of the new one; empty if the old one cannot be read."""
    before, now = read_json(old) or {}, json.loads(new.read_bytes())
    digests = {key: before.get(key) for key in ("cell_ids", "records")}
    return {old.encode(): now[key].encode() for key, old in digests.items() if isinstance(old, str) and _is_digest(old)}


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _same_pixels(one: bytes, other: bytes) -> bool:
    """Whether two pictures have the same pixels; False if one is not a complete picture."""
    try:
        with Image.open(BytesIO(one)) as first, Image.open(BytesIO(other)) as second:
            return first.size == second.size and first.tobytes() == second.tobytes()
    except Exception:  # a broken file makes Pillow raise many kinds
        return False


def _files(folder: Path) -> set[str]:
    """The paths of all files in a folder and below it, relative to the folder."""
    return {printable(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if not path.is_dir()}
