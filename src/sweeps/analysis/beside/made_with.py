"""What two sweeps were computed with, where it is not the same: commit, numerics, kernel, machine, versions."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.beside.pairing import Pairing
from sweeps.analysis.provenance import distinct

COLUMNS = {
    "numerics": "numerics",
    "commit": "commit",
    "kernel": "kernel",
    "instructions": "instructions",
    "processor": "processor",
    "ran_on": "device",
}
"""Columns of `Records.cells`, and what each is called; versions of packages come after them."""


def made_with(pairing: Pairing) -> pd.DataFrame:
    """A row for each thing that the paired cells were made with: `name, a, b` as texts, and `same`.

    A text names every value with its number of cells where there are several.
    """
    a, b = (
        _columns(records.cells[records.cells["cell"].isin(pairing.pairs[column])])
        for records, column in ((pairing.a, "cell_a"), (pairing.b, "cell_b"))
    )
    names = list(dict.fromkeys([*a, *b]))
    missing = pd.Series([""] * len(pairing.pairs))
    rows = [(name, distinct(a.get(name, missing)), distinct(b.get(name, missing))) for name in names]
    return pd.DataFrame(
        [(name, one, other, one == other) for name, one, other in rows], columns=["name", "a", "b", "same"]
    )


def _columns(cells: pd.DataFrame) -> dict[str, pd.Series]:
    """By name the texts of all cells: the columns, and the version of each package."""
    texts = {name: cells[column].astype(object) for column, name in COLUMNS.items()}
    texts["numerics"] = cells["numerics"].map("{:g}".format)
    versions = [dict(part.rsplit(" ", 1) for part in text.split(", ") if " " in part) for text in cells["versions"]]
    packages = sorted({package for each in versions for package in each})
    return texts | {package: pd.Series([each.get(package, "") for each in versions]) for package in packages}
