"""The provenance of a table or a figure, as it is written into its file. It depends on the records and on the versions
of the packages that made it, never on the time, the machine or the folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.amounts import number_of
from sweeps.analysis.loading.records import Records, cell_of
from sweeps.errors import SweepsError
from sweeps.records.files import write_atomically
from sweeps.records.paths import ReportPaths
from sweeps.records.safe_reading import read_json, read_text, why

DRAWN_WITH = ("matplotlib", "numpy", "pandas", "scipy", "statsmodels", "sweeps")
"""Packages whose versions are recorded as those that made a report."""
_DIGEST_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<path>.+)")


@dataclass(frozen=True)
class Provenance:
    """The provenance of a figure or a table.

    Attributes:
        cells: number of cells.
        cell_ids, records: SHA-256 over their ids, and over every file of their records.
        trained: commit and versions of the code that made the records; each with its number of cells if mixed.
        made: versions of the packages that made it from the records.
        command: the command line that makes it again.
    """

    experiment: str
    command: str
    cells: int
    cell_ids: str
    records: str
    numerics: str
    commit: str
    trained: str
    made: str

    def lines(self) -> dict[str, str]:
        """The text of every part, by its label."""
        return {
            "Experiment": self.experiment,
            "Cells": f"{self.cells}, sha256 of ids {self.cell_ids}",
            "Records": f"sha256 {self.records}",
            "Commit": self.commit,
            "Trained with": f"numerics {self.numerics}, {self.trained}",
            "Made with": self.made,
            "Command": self.command,
        }


def of_theory(command: str) -> Provenance:
    """The provenance of what is made without records by `python -m sweeps COMMAND`."""
    made = ", ".join(f"{name} {version(name)}" for name in DRAWN_WITH)
    none = "no records"
    return Provenance("theory", f"python -m sweeps {command}", 0, none, none, none, none, none, made)


def provenance(records: Records, command: str = "report") -> Provenance:
    """The provenance of what is made from `records` by `python -m sweeps COMMAND experiment=NAME`."""
    cells, name = records.cells, records.experiment
    ids = sorted(cells["cell"])
    kept = set(ids)
    files = sorted((path, digest) for path, digest in records.digests.items() if cell_of(path) in kept)
    return Provenance(
        experiment=name,
        command=f"python -m sweeps {command} experiment={name}",
        cells=len(cells),
        cell_ids=_sha256("\n".join(ids)),
        records=_sha256(_digest_lines(files)),
        numerics=distinct(cells["numerics"].map("{:g}".format)),
        commit=distinct(cells["commit"]),
        trained=distinct(cells["versions"]),
        made=", ".join(f"{name} {version(name)}" for name in DRAWN_WITH),
    )


def for_format(about: Provenance, title: str, kind: str) -> dict[str, Any]:
    """The metadata of a figure's file for matplotlib, without dates, so that the same figure has the same bytes.

    Args:
        kind: png (text chunks), pdf (the information dictionary) or svg (Dublin Core).

    Raises:
        ValueError: another kind.
    """
    lines = about.lines()
    summary = "; ".join(f"{name}: {text}" for name, text in lines.items())
    if kind == "png":
        return {"Title": title, "Software": "sweeps", **lines}
    if kind == "pdf":
        keys = {"Title": title, "Subject": summary, "Keywords": about.cell_ids, "Creator": "sweeps"}
        return {**keys, "CreationDate": None, "Producer": None}
    if kind == "svg":
        keys = {"Title": title, "Description": summary, "Source": lines["Records"], "Creator": "sweeps"}
        return {**keys, "Date": None, "Format": None, "Type": None}
    raise ValueError(f"no metadata for the format {kind!r}")


def write_provenance(records: Records, report: ReportPaths) -> None:
    """Write the provenance of a report into its folder, last: `provenance.json` and `records.sha256`.

    The former lists all files of the folder, so that a later report knows them from those of the user.
    The latter has a line for every file of every record, done or not: `cd runs/NAME && sha256sum --check
    report/records.sha256` names a file that has changed, and so does `python -m sweeps verify`. Of several sweeps the
    paths begin with the name of the sweep: `cd runs && sha256sum --check ONE+OTHER/report/records.sha256`.
    """
    write_atomically(report.digests, _digest_lines(sorted(records.digests.items())))
    files = {path.relative_to(report.root).as_posix() for path in report.root.rglob("*") if path.is_file()}
    about = asdict(provenance(records)) | {"files": sorted({*files, report.provenance.name})}
    write_atomically(report.provenance, json.dumps(about, indent=2) + "\n")


def cells_of(report: ReportPaths) -> int | None:
    """The number of cells that the report on disk was made of; None without a report that says so."""
    count = (read_json(report.provenance) or {}).get("cells")
    return count if type(count) is int else None


def files_of(report: ReportPaths) -> list[str] | None:
    """The files of the report on disk, relative to its folder; None without a report that lists them."""
    files = (read_json(report.provenance) or {}).get("files")
    return files if isinstance(files, list) and all(isinstance(name, str) for name in files) else None


def read_digests(path: Path) -> dict[str, str] | None:
    """Digest by path from a file that `sha256sum` can check; None if there is no such file.

    Raises:
        SweepsError: the file exists and cannot be read; the message is a clause.
    """
    try:
        lines = [_DIGEST_LINE.fullmatch(line) for line in read_text(path).splitlines()]
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SweepsError(why(error)) from error
    if None in lines:
        raise SweepsError(f"line {lines.index(None) + 1} is not a digest and a path")
    return {line["path"]: line["digest"] for line in lines if line}


def _digest_lines(digests: list[tuple[str, str]]) -> str:
    return "".join(f"{digest}  {path}\n" for path, digest in digests)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def distinct(values: pd.Series) -> str:
    """The distinct texts of a column, with their numbers of cells if there is more than one."""
    counts: Mapping[Any, int] = values.fillna("").replace("", "not recorded").value_counts().sort_index().to_dict()
    if len(counts) == 1:
        return str(next(iter(counts)))
    return "; ".join(f"{text} ({number_of(count, 'cell')})" for text, count in counts.items())
