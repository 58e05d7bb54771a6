"""A table ready to be written: the frame with every digit, and the cells as a reader sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd


class Cell(NamedTuple):
    """A text with its marks; how they look is decided where the table is written."""

    text: str
    best: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """What `compare`, `rank`, `steps_to_solve` and `clipping_audit` return.

    Attributes:
        name: what it is, for file names and labels, e.g. "compare".
        frame: tidy, a row per combination, full precision; what CSV holds.
        heads: `[columns]` of the table for reading.
        rows: `[rows][columns]`, rounded for reading.
        caption: what the numbers are, over what they are aggregated, n and the kind of interval.
        notes: the rules of counting and the warnings, a sentence or more each.
        names: how many columns from the left hold names and not numbers.
        pairs: every paired comparison behind the marks, a row each.
    """

    name: str
    frame: pd.DataFrame
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str
    notes: tuple[str, ...]
    names: int
    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def legend(self) -> str:
        """Caption and notes in one paragraph."""
        return " ".join((self.caption, *self.notes))

    def to_csv(self) -> str:
        """The frame as CSV: floats that read back to the same bits, caption left out."""
        return str(self.frame.to_csv(index=False, lineterminator="\n"))

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        from sweeps.analysis.tables.markdown import to_markdown

        return to_markdown(self)
