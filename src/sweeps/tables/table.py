"""A table ready to be written: the frame in full precision, and its entries rounded for reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from sweeps.analysis.text import render


class Entry(NamedTuple):
    """One entry of a table for reading: a text with its marks, whose look is left to Markdown or LaTeX."""

    text: str
    best: bool = False
    mark: str = ""


@dataclass(frozen=True, repr=False)
class Table:
    """What `compare`, `rank`, `steps_to_solve`, `pairwise` and `clipping_audit` return.

    Attributes:
        name: the kind of table, for file names and labels, e.g. "compare".
        frame: tidy, a row per combination, full precision; this is written as CSV.
        heads: `[columns]` of the table for reading.
        rows: `[rows][columns]`, rounded for reading.
        caption: what the numbers are, over what they are aggregated, n and the kind of interval.
        notes: how runs were counted, and warnings; a sentence or more each.
        names: how many columns from the left hold names and not numbers.
        pairs: every paired comparison behind the marks, a row each.
    """

    name: str
    frame: pd.DataFrame
    heads: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
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

    def __repr__(self) -> str:
        return to_markdown(self)

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return to_markdown(self)


def to_markdown(table: Table, *, caption: str | None = None, comment: str = "") -> str:
    """A table as Markdown: caption, entries, notes.

    Args:
        caption: replaces the table's own.
        comment: put in front as an HTML comment, e.g. where the records come from.
    """
    frame = pd.DataFrame([[_marked(cell) for cell in row] for row in table.rows], columns=list(table.heads))
    front = f"<!-- {comment} -->\n\n" if comment else ""
    own = table.caption if caption is None else caption
    return f"{front}{own}\n\n{render(frame, names=table.names)}\n{' '.join(table.notes)}\n"


def _marked(cell: Entry) -> str:
    """Best in bold, without its interval; then the mark of significance."""
    first, space, rest = cell.text.partition(" ")
    text = f"**{first}**{space}{rest}" if cell.best else cell.text
    return text + cell.mark.replace("*", "\\*")
