"""Tables as LaTeX: rules of booktabs, a caption of two lines at most, everything else as notes of threeparttable.

The document needs `\\usepackage{booktabs}` and `\\usepackage{threeparttable}` and nothing else.
"""

from __future__ import annotations

import re

import pandas as pd

from sweeps.tables.table import Entry, Table

ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    "–": "--",
    "−": r"$-$",
    "→": r"$\to$",
    "×": r"$\times$",
    "“": "``",
    "”": "''",
    "∂": r"$\partial$",
    "‖": r"$\|$",
}
"""Characters that mean something else in LaTeX, or cannot be typeset without a package."""

CAPTION = 200
"""Characters of a caption at most: two typeset lines."""

_POWER = re.compile(r"(?<![\w.])(-?)(\d+(?:\.\d+)?)e(-?\d+)(?![\w.])")
_MINUS = re.compile(r"(?<![\w$])-(?=[\d.]|inf\b)")
_SYMBOL = re.compile(r"(?<![\w\\$])(T(?!\w)|[np](?=$| = | \$<\$| \(Holm\)))")


def to_latex(
    table: Table, *, caption: str | None = None, label: str | None = None, size: str = "", comment: str = ""
) -> str:
    """The table as a `table` environment with booktabs rules; its notes are `tablenotes`, as wide as the table.

    Args:
        caption: replaces the table's own. Sentences beyond `CAPTION` characters become the first of the notes (what was
            counted, how it was tested, warnings).
        label: by default `tab:<name>`.
        size: of the cells, e.g. "small" where the table is wider than the page.
        comment: lines put in front as LaTeX comments, e.g. where the records come from.
    """
    short, rest = split_caption(table.caption if caption is None else caption)
    body = pd.DataFrame(
        [[_latex_entry(cell) for cell in row] for row in table.rows],
        columns=[escaped(head) for head in table.heads],
    )
    columns = "l" * table.names + "r" * (len(table.heads) - table.names)
    tabular = body.style.hide(axis="index").to_latex(column_format=columns, hrules=True).strip()
    notes = [rf"\item {escaped(note)}" for note in (rest, *table.notes) if note]
    lines = [
        *(f"% {line}" for line in comment.splitlines()),
        r"\begin{table}[tbp]",
        r"\centering",
        r"\begin{threeparttable}",
        rf"\caption{{{escaped(short)}}}",
        rf"\label{{{label or f'tab:{table.name}'}}}",
        r"\smallskip",  # the standard classes leave no room under a caption
        *([rf"\{size}"] if size else []),
        tabular,
        *([r"\begin{tablenotes}[flushleft]", r"\footnotesize", *notes, r"\end{tablenotes}"] if notes else []),
        r"\end{threeparttable}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def split_caption(text: str) -> tuple[str, str]:
    """The sentences of a caption that fit into `CAPTION` characters, at least the first, and the others."""
    sentences = re.split(r"(?<=[.!?]) (?=\S)", text.strip())
    kept = 1
    while kept < len(sentences) and len(" ".join(sentences[: kept + 1])) <= CAPTION:
        kept += 1
    return " ".join(sentences[:kept]), " ".join(sentences[kept:])


def escaped(text: str) -> str:
    """A text as LaTeX source: special characters escaped, powers of ten, minus signs and symbols as mathematics."""
    parts: list[str] = []
    end = 0
    for power in _POWER.finditer(text):
        parts.append(_plain(text[end : power.start()]))
        parts.append(rf"${power[1]}{power[2]}\times10^{{{power[3]}}}$")
        end = power.end()
    return "".join([*parts, _plain(text[end:])])


def _plain(text: str) -> str:
    text = "".join(ESCAPES.get(character, character) for character in text)
    return _SYMBOL.sub(r"$\1$", _MINUS.sub("$-$", text))


def _latex_entry(cell: Entry) -> str:
    """Best in bold, without its interval; then the mark of significance, raised."""
    text = escaped(cell.text)
    if cell.best:
        first, space, rest = text.partition(" ")
        text = rf"\textbf{{{first}}}{space}{rest}"
    return text + (rf"\textsuperscript{{{escaped(cell.mark)}}}" if cell.mark else "")
