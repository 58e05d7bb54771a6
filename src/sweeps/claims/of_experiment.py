"""The claims of an experiment: its `claims.yaml`, judged on its records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import provenance
from sweeps.claims.claim import parse_claims
from sweeps.claims.judge import Judged, judge_all
from sweeps.claims.words import markdown, rows
from sweeps.errors import SweepsError
from sweeps.records.files import write_atomically
from sweeps.records.safe_reading import SMALL, read_bytes


def claims_of(path: Path, records: Records) -> list[Judged]:
    """The verdicts on the claims of a file; none where there is no such file.

    Raises:
        SweepsError: the file is not what it must be, or names settings that the records do not have.
    """
    return judge_all(records, parse_claims(node_of(path))) if path.is_file() else []


def node_of(path: Path) -> Any:
    """What stands in a YAML file.

    Raises:
        SweepsError: it is none.
    """
    try:
        return yaml.safe_load(read_bytes(path, SMALL))
    except yaml.YAMLError as error:
        raise SweepsError(f"{path} is no YAML: {error}") from None


def write_verdicts(records: Records, found: list[Judged], folder: Path) -> list[Path]:
    """Write `claims.md` and `claims.csv`; returns their paths."""
    paths = [folder / "claims.md", folder / "claims.csv"]
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(paths[0], markdown(found, provenance(records, "claims")))
    write_atomically(paths[1], rows(found).to_csv(index=False, lineterminator="\n"))
    return paths
