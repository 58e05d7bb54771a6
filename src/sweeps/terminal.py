"""The terminal: text is printed as it is, for a path may hold [brackets], :colons: and more than a line's width."""

from __future__ import annotations

from typing import IO

from rich.console import Console


def terminal(stderr: bool = False, file: IO[str] | None = None) -> Console:
    """A console that reads no markup, no emoji codes and no numbers into what it prints, and folds no line."""
    return Console(file=file, stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line as it is, without reading markup in it."""
    terminal().print(text)
