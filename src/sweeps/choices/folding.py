"""Prose, code and tables within a width: a docstring as a terminal shows it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest

GAP = 2
"""Columns between two of a table."""
LISTS = re.compile(r"(Args|Attributes|Returns|Raises|Yields):")
COLUMNS = re.compile(r" *\S+(?: \S+)* {2,}(\S.*)")
"""A line of two columns."""
RULE = re.compile(r"[|\s:-]+")
"""The line of a Markdown table between its head and its rows."""


def cut(text: str, width: int) -> str:
    """The text, or as many of its words as fit with an ellipsis behind them."""
    return text if len(text) <= width else textwrap.shorten(text, width, placeholder=" …")


def folded(text: str, width: int) -> list[str]:
    """A docstring within a width.

    Paragraphs are folded, Markdown tables laid out; indented lines stay as they are as far as they fit, and the entries
    of a list like `Args:` are folded one by one.
    """
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines += [*([""] if lines else []), *_paragraph(paragraph.splitlines(), width)]
    return lines


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Rows under heads within a width: the widest columns are folded, between words where there is room for these."""
    every = [list(heads), *(list(row) for row in rows)]
    natural = [max(map(len, column)) for column in zip(*every, strict=True)]
    widths, room = list(natural), width - GAP * (len(natural) - 1)
    longest = [[max(map(len, text.split()), default=0) for text in row] for row in every]
    words = [max(column) for column in zip(*longest, strict=True)]
    while sum(widths) > room and max(widths) > 1:
        wide = [n for n, own in enumerate(widths) if own > words[n]] or range(len(widths))
        widths[max(wide, key=widths.__getitem__)] -= 1
    lines = []
    for row in every:
        cells = [textwrap.wrap(text, own) or [""] for text, own in zip(row, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            lines.append((" " * GAP).join(part.ljust(own) for part, own in zip(parts, widths, strict=True)).rstrip())
    return lines


def _paragraph(lines: Sequence[str], width: int) -> Iterator[str]:
    listed = False
    for kind, run in groupby(lines, key=lambda line: "|" if line.startswith("|") else line[:1].isspace()):
        own = list(run)
        if kind == "|":
            heads, *rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in own if not _rule(line))
            yield from table(heads, rows, width)
        elif kind:
            yield from _entries(own, width) if listed else _kept(own, width)
        else:
            listed = bool(LISTS.fullmatch(own[-1]))
            yield from textwrap.wrap(" ".join(own), width, break_on_hyphens=False)


def _rule(line: str) -> bool:
    return RULE.fullmatch(line) is not None


def _kept(lines: Sequence[str], width: int) -> Iterator[str]:
    """Indented lines as they are, if all fit; else one that is too long goes on below, further in.

    Lines of two columns are folded in the second, with those below that belong to it.
    """
    entries: list[str] = []
    for line in lines:
        if entries and len(line) - len(line.lstrip()) >= _second(entries[-1]) > 0:
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line)
    for entry in [*lines] if max(map(len, lines)) <= width else entries:
        indent = len(entry) - len(entry.lstrip())
        further = " " * min(_second(entry) or indent + 4, width // 2)
        yield from [entry] if len(entry) <= width else textwrap.wrap(entry, width, subsequent_indent=further)


def _second(line: str) -> int:
    """Where the second of two columns begins, which two or more blanks divide; 0 for a line of one."""
    found = COLUMNS.fullmatch(line)
    return found.start(1) if found else 0


def _entries(lines: Sequence[str], width: int) -> Iterator[str]:
    """The entries of a list, each folded; what is indented further than the first line belongs to the one above."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    entries: list[str] = []
    for line in lines:
        if entries and len(line) - len(line.lstrip()) > indent:
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line.strip())
    for entry in entries:
        yield from textwrap.wrap(
            entry, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4), break_on_hyphens=False
        )
