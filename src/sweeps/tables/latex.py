"""Tables as LaTeX with booktabs; the document needs `\\usepackage{booktabs}` and nothing else."""

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

_POWER = re.compile(r"(?<![\w.])(-?)(\d+(?:\.\d+)?)e(-?\d+)(?![\w.])")
_MINUS = re.compile(r"(?<![\w$])-(?=[\d.]|inf\b)")
_SYMBOL = re.compile(r"(?<![\w\\$])(T(?!\w)|[np](?=$| = | \$<\$| \(Holm\)))")


def to_latex(
    table: Table, *, caption: str | None = None, label: str | None = None, size: str = "", comment: str = ""
) -> str:
    """The table as a `table` environment with booktabs rules.

    Args:
        caption: replaces the table's own; the notes (counting, tests, warnings) follow it.
        label: by default `tab:<name>`.
        size: of the cells, e.g. "small" where the table is wider than the page.
        comment: lines put in front as LaTeX comments, e.g. where the records come from.
    """
    own = table.caption if caption is None else caption
    legend = " ".join((own, *table.notes))
    body = pd.DataFrame(
        [[_latex_entry(cell) for cell in row] for row in table.rows],
        columns=[escaped(head) for head in table.heads],
    )
    text = body.style.hide(axis="index").to_latex(
        column_format="l" * table.names + "r" * (len(table.heads) - table.names),
        hrules=True,
        position="tbp",
        position_float="centering",
        caption=escaped(legend),
        label=label or f"tab:{table.name}",
    )
    before = "\\smallskip\n" + (f"\\{size}\n" if size else "")  # the standard classes leave no room under a caption
    text = text.replace(r"\begin{tabular}", before + r"\begin{tabular}", 1)
    return "".join(f"% {line}\n" for line in comment.splitlines()) + str(text)


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
