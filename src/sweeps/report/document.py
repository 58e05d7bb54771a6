"""A report as a document: titled sections of prose, tables and figures, and their form as Markdown.

Every text in it is Markdown. `to_markdown` joins the texts, `html.to_html` renders the same ones, so that the two forms
of a report cannot say different things.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from sweeps.report.as_it_is import escaper

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
"""CommonMark with tables; HTML tags in the text are shown as they are."""

PICTURE = re.compile(r"!\[[^\]]*\]\((?!\w+:)[^)\s]+\)")
"""A picture in the folder of a Markdown file."""
FOLDED_ABOVE = 40
"""Rows above which a table is folded: shown on the HTML page on a click, linked from the Markdown."""
LINKED_ABOVE = 500
"""Rows above which a table is not on the HTML page either: both forms only link to its files."""


@dataclass(frozen=True)
class Prose:
    """Paragraphs and lists."""

    text: str


@dataclass(frozen=True)
class Tabular:
    """A Markdown table with its caption; paragraphs of notes may follow the table in `text`."""

    text: str
    caption: str


@dataclass(frozen=True)
class Picture:
    """A drawn figure with its caption; the page shows `png`, and `pdf` is for a paper.

    Args:
        narrow: the same for a small screen.
        behind, behind_narrow: the runs that each shows, from `figures.behind`, for a page that can be looked into.
    """

    title: str
    png: Path
    pdf: Path
    caption: str
    narrow: Path | None = None
    behind: Mapping[str, Any] = field(default_factory=dict, repr=False)
    behind_narrow: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Attached:
    """A long table: folded on the HTML page; in the Markdown only links to `files`.

    Args:
        text: the Markdown table, empty if it is too long for a page.
    """

    summary: str
    text: str
    files: Sequence[Path]


Block = Prose | Tabular | Picture | Attached


@dataclass(frozen=True)
class Section:
    """A heading and the blocks below it; level 2 is a section of the report, level 3 a part of one."""

    title: str
    blocks: Sequence[Block]
    level: int = 2

    @property
    def anchor(self) -> str:
        return anchor(self.title)


@dataclass(frozen=True)
class Document:
    """A report; `first` is its first screen, before all sections: what was found, and the picture that shows it.

    Args:
        runs: every run that a picture may show, by id, in words.
        texts: those from the records, which are shown as they are whatever marks they hold.
        place: where the records lie, as arguments of a command line; empty for the usual folder.
    """

    title: str
    first: Sequence[Prose | Picture]
    sections: Sequence[Section]
    runs: Mapping[str, str] = field(default_factory=dict, repr=False)
    texts: Collection[str] = field(default=(), repr=False)
    place: str = ""

    @property
    def blocks(self) -> list[Block]:
        """All blocks, in order."""
        return [*self.first, *(block for section in self.sections for block in section.blocks)]

    def numbered(self, kind: type[Any]) -> dict[int, int]:
        """The number of each table or picture, counted from 1 through the document, by `id(block)`."""
        blocks = [block for block in self.blocks if isinstance(block, kind)]
        return {id(block): number for number, block in enumerate(blocks, start=1)}


def table_or_fold(text: str, caption: str, rows: int, files: Sequence[Path]) -> Block:
    """A table on the page; folded, with links to its files, if it is long; only the links if it is very long."""
    if rows <= FOLDED_ABOVE:
        return Tabular(text, caption)
    return Attached(f"{caption.rstrip('.')} ({rows} rows)", text if rows <= LINKED_ABOVE else "", files)


def with_task(title: str, task: Any) -> str:
    """The title of a part that is of one task among several."""
    return title if task is None else f"{title} ({task})"


def anchor(title: str) -> str:
    """The link target of a heading, as code hosts derive it from Markdown: `what-ran` for `What ran`."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def to_markdown(document: Document, folder: Path) -> str:
    """The document as Markdown.

    Args:
        folder: where the file will be; links are relative to it.
    """
    numbers = {**document.numbered(Tabular), **document.numbered(Picture)}
    safe = escaper(document.texts)
    parts = [f"# {safe(document.title)}", *(_block(each, folder, numbers, safe) for each in document.first)]
    for section in document.sections:
        parts.append(f"{'#' * section.level} {safe(section.title)}")
        parts += [_block(each, folder, numbers, safe) for each in section.blocks]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _block(block: Block, folder: Path, numbers: Mapping[int, int], safe: Callable[[str], str]) -> str:
    if isinstance(block, Prose):
        return safe(block.text)
    if isinstance(block, Tabular):
        return f"**Table {numbers[id(block)]}.** {safe(block.caption)}\n\n" + safe(block.text).strip("\n")
    if isinstance(block, Picture):
        png, pdf = (relative(path, folder) for path in (block.png, block.pdf))
        caption = f"**Figure {numbers[id(block)]}.** {safe(block.caption)} [PDF]({pdf})"
        return f"![{safe(block.title)}]({png})\n\n{caption}"
    return f"{safe(block.summary)}: {', '.join(f'[{path.name}]({relative(path, folder)})' for path in block.files)}."


def relative(path: Path, folder: Path) -> str:
    """A path as a link from a file in `folder`."""
    return Path(os.path.relpath(path, folder)).as_posix()


def readme(text: str) -> tuple[str | None, str]:
    """The title of a README (None if it has none) and its other text, with headings moved down to level 3 and below.

    A line that is a picture in the README's folder is left out: the report is elsewhere, and has figures of its own.

    Args:
        text: Markdown; the title is its first heading of level 1, if it begins with one.
    """
    lines = [line for line in text.strip("\n").split("\n") if not PICTURE.fullmatch(line.strip())]
    title, first = None, 0
    for token in MARKDOWN.parse("\n".join(lines)):
        if token.type != "heading_open" or token.map is None:
            continue
        start, end = token.map
        depth = int(token.tag[1])
        heading = " ".join(lines[start : end if end == start + 1 else end - 1]).lstrip("# ").rstrip("# ")
        if start == 0 and depth == 1:
            title, first = heading, end
        else:
            lines[start:end] = [f"{'#' * min(6, max(3, depth + 1))} {heading}", *[""] * (end - start - 1)]
    return title, "\n".join(lines[first:]).strip("\n")
