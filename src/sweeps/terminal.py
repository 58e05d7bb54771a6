"""Printing to the terminal. Text is printed as it is: a path may hold [brackets] or :colons:, and exceed a line."""

from __future__ import annotations

from typing import IO

from rich.console import Console


def terminal(stderr: bool = False, file: IO[str] | None = None) -> Console:
    """A console that interprets no markup or emoji codes, highlights no numbers and folds no line."""
    return Console(file=file, stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line as it is, without interpreting markup."""
    terminal().print(text)
