"""A document in the terminal: prose folded between words, tables within the width; in a pipe its Markdown."""

from __future__ import annotations

import textwrap
from pathlib import Path

from sweeps.report.document import MARKDOWN, Block, Document, Tabular, to_markdown
from sweeps.terminal import say, say_table, terminal

WIDEST = 100
"""Columns beyond which a line of prose is hard to read."""


def say_document(document: Document) -> None:
    """Print a document of prose and tables."""
    console = terminal()
    if not console.is_terminal:
        say(to_markdown(document, Path()).rstrip("\n").replace("**", ""))
        return
    width = min(console.width, WIDEST)
    numbers = document.numbered(Tabular)
    console.print(f"{document.title}\n", style="bold")
    for title, blocks in (("", document.first), *((each.title, each.blocks) for each in document.sections)):
        if title:
            console.print(title, style="bold")
        for block in blocks:
            _say_block(block, numbers, width)


def _say_block(block: Block, numbers: dict[int, int], width: int) -> None:
    if isinstance(block, Tabular):
        _say_prose(f"Table {numbers[id(block)]}. {block.caption}", width)
        heads, rows = _cells(block.text)
        say_table(heads, rows)
        say("")
    else:
        _say_prose(getattr(block, "text", ""), width)
        say("")


def _say_prose(text: str, width: int) -> None:
    for paragraph in text.replace("**", "").split("\n"):
        say(textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False))


def _cells(table: str) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of a Markdown table."""
    tokens = MARKDOWN.parse(table)
    texts = [token.content.replace("**", "").replace("\\|", "|") for token in tokens if token.type == "inline"]
    columns = sum(token.type == "th_open" for token in tokens)
    heads, *rows = (texts[at : at + columns] for at in range(0, len(texts), columns))
    return heads, rows
