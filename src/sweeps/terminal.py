"""Printing to the terminal. Text is printed as it is: a path may hold [brackets] or :colons:, and exceed a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.table import Table

GAP = 2
"""Columns between two of a table."""


def terminal(stderr: bool = False, file: IO[str] | None = None) -> Console:
    """A console that interprets no markup or emoji codes, highlights no numbers and folds no line."""
    return Console(file=file, stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line as it is, without interpreting markup."""
    terminal().print(text)


@contextmanager
def passing(text: str) -> Iterator[Callable[[], None]]:
    """Show a line in a terminal, and nothing anywhere else, until the context ends or what it yields is called."""
    console = terminal()
    shown = [console.file] if console.is_terminal and not console.is_dumb_terminal else []

    def clear() -> None:
        for file in shown:
            file.write("\r\x1b[2K")  # to the start of the line, which is erased
            file.flush()
        shown.clear()

    for file in shown:
        file.write(text)
        file.flush()
    try:
        yield clear
    finally:
        clear()


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under heads: within the width of a terminal, where it has to on several lines each, between words if
    that is enough, the first column whole; in a pipe each row is one line, its fields whole and two spaces apart.
    """
    console = terminal()
    if not console.is_terminal:
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        for row in (heads, *rows):
            say("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        return
    columns = list(zip(heads, *rows, strict=True))
    words = [max(len(word) for text in column for word in [*text.split(), ""]) for column in columns]
    words[0] = max(map(len, columns[0][1:]), default=0)
    fit = sum(words) + GAP * (len(words) - 1) <= console.width
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, (head, longest) in enumerate(zip(heads, words, strict=True)):
        whole = longest if fit or not place else None
        table.add_column(head, no_wrap=place == 0, overflow="fold", min_width=whole)
    for row in rows:
        table.add_row(*row)
    console.print(table, soft_wrap=False)
