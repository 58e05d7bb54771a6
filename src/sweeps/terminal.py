"""Printing to the terminal. Text is printed as it is: a path may hold [brackets] or :colons:, and exceed a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console


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
