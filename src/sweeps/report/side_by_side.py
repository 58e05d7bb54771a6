"""The same cells of two sweeps beside each other, in words: under two commits, kernels, machines or numerics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sweeps.analysis.beside.conclusions import Conclusions, conclusions
from sweeps.analysis.beside.made_with import made_with
from sweeps.analysis.beside.movement import movements
from sweeps.analysis.beside.pairing import Pairing, pair
from sweeps.analysis.loading.records import Records
from sweeps.analysis.loading.several import names_of
from sweeps.analysis.text import number_of
from sweeps.records.files import write_atomically
from sweeps.report.as_it_is import texts_of
from sweeps.report.beside_cells import alone, made
from sweeps.report.beside_concluded import concluded, verdict
from sweeps.report.beside_moved import moved, outcomes
from sweeps.report.document import Document, Prose, Section, to_markdown
from sweeps.report.make import records_to_report


@dataclass(frozen=True, repr=False)
class SideBySide:
    """Two sweeps of the same cells.

    Attributes:
        pairing: which cells were compared.
        cells: a row for each pair: what is equal and what moved (`analysis.beside.movement.movements`).
        made_with: what either was computed with.
        conclusions: for each task what either says.
    """

    pairing: Pairing
    cells: pd.DataFrame
    made_with: pd.DataFrame
    conclusions: Sequence[Conclusions]

    def document(self) -> Document:
        """All of it in words and tables."""
        one, other = self.pairing.names
        subtitle = f"{number_of(len(self.cells), 'cell')} in both; a is {one}, b is {other}."
        return Document(
            f"{one} and {other} side by side",
            [Prose(subtitle)],
            [
                Section("In short", [Prose(verdict(self.cells, self.conclusions))]),
                Section("What moved", moved(self.cells)),
                Section("Outcomes", outcomes(self.cells, self.pairing.varied)),
                *(Section(title, blocks) for title, blocks in concluded(self.conclusions)),
                Section("Cells of one sweep only", alone(self.pairing)),
                Section("What they were made with", made(self.made_with, self.pairing)),
            ],
            texts={*self.pairing.names, *texts_of(self.pairing.a), *texts_of(self.pairing.b)},
        )

    def to_markdown(self) -> str:
        return to_markdown(self.document(), Path())

    def __repr__(self) -> str:
        return self.to_markdown()

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return self.to_markdown()

    def write(self, folder: Path) -> list[Path]:
        """Write `side_by_side.md`, `cells.csv`, and `combinations.csv` of each task; returns the paths.

        Raises:
            OSError: a file cannot be written.
        """
        files = {folder / "side_by_side.md": self.to_markdown(), folder / "cells.csv": _csv(self.cells)}
        for each in self.conclusions:
            stem = "combinations" if len(self.conclusions) == 1 else f"{each.task}_combinations"
            files[folder / f"{stem}.csv"] = _csv(each.combinations)
        for path, text in files.items():
            write_atomically(path, text)
        return list(files)


def side_by_side(a: str | Path | Records, b: str | Path | Records) -> SideBySide:
    """Compare the records of the same cells in two sweeps: what is equal, what moved, whether a conclusion changes.

    Cells are paired by their settings. Of a folder the cells count that its last sweep asked for, as in its report.

    Args:
        a, b: folders `runs/<experiment>/`, or records.

    Raises:
        SweepsError: a folder has no finished cell, both are the same, or no cell of one has the settings of one of
            the other.
    """
    name_a, name_b = names_of([each.root if isinstance(each, Records) else Path(each) for each in (a, b)])
    one, other = (each if isinstance(each, Records) else records_to_report(Path(each)) for each in (a, b))
    pairing = pair(one, other, (name_a, name_b))
    return SideBySide(pairing, movements(pairing), made_with(pairing), conclusions(pairing))


def _csv(frame: pd.DataFrame) -> str:
    return str(frame.to_csv(index=False, lineterminator="\n"))
