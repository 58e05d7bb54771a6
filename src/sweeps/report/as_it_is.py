"""Names and texts from the records in Markdown: a level called `a*b` or `<x>` is shown as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sweeps.analysis.labels import label
from sweeps.analysis.loading.records import Records

CODE = re.compile(r"(```.*?```|`[^`\n]*`|\]\((?![a-z]+:)[^)\n]*\))", re.DOTALL)
"""What Markdown takes as it is, with the targets of links inside a report."""
MARK = re.compile(r"[\\`*<>\[\]|~&]|(?<![^\W_])_|_(?![^\W_])")
"""Characters that Markdown or HTML takes for a mark; an underscore inside a word is none."""


def texts_of(records: Records) -> set[str]:
    """The texts from outside that a report of these records shows: names of sweeps and levels, reasons."""
    levels = {str(level) for axis in records.axes for level in records.cells[axis].dropna().unique()}
    reasons = {str(text) for frame in (records.cells, records.problems) for text in frame["reason"].dropna().unique()}
    return {records.root.name, records.experiment, *records.sweeps} | levels | set(map(label, levels)) | reasons


def escaper(texts: Iterable[str]) -> Callable[[str], str]:
    """A function that writes these texts in Markdown so that they are shown as they are; other Markdown stays.

    Args:
        texts: in Markdown a `|` in one may have its backslash already, as in a table.
    """
    risky = sorted((text for text in texts if MARK.search(text) and re.search(r"[^\W_]", text)), key=len, reverse=True)
    if not risky:
        return lambda text: text
    known = re.compile("|".join(rf"(?<!\w){re.escape(text)}(?!\w)".replace(r"\|", r"\\?\|") for text in risky))

    def written(match: re.Match[str]) -> str:
        return MARK.sub(r"\\\g<0>", match[0].replace(r"\|", "|"))

    def escape(text: str) -> str:
        parts = CODE.split(text)
        return "".join(part if at % 2 else known.sub(written, part) for at, part in enumerate(parts))

    return escape
