"""The table of choices in README.md, written between two marks."""

from __future__ import annotations

import re
from pathlib import Path

from sweeps.choices.catalogue import EXPERIMENT, groups, options, section_settings, sections
from sweeps.choices.printed import union
from sweeps.config.places import ROOT
from sweeps.config.rules import NAMES
from sweeps.errors import SweepsError

FILE = ROOT / "README.md"
BEGIN, END = "<!-- choices: `python -m sweeps choices markdown` writes this table -->", "<!-- end of choices -->"


def markdown() -> str:
    """The table: a row for each group and section, its options and its settings."""
    rows = [("choice", "options", "settings"), ("---", "---", "---")]
    for group in groups():
        every = options(group)
        names = ", ".join(f"`{each.name}`{' (default)' * each.is_default}" for each in every)
        settings = [_named(each.name, owners) for each, owners in union(every)]
        rows.append((f"`{group}`", names, ", ".join(settings)))
    for section in [*sections(), ""]:
        own = [_named(each.name, "") for each in section_settings(section) if each.name != EXPERIMENT]
        rows.append((f"`{section}`" if section else "", "", ", ".join(own)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _named(name: str, owners: str) -> str:
    values = f"={','.join(NAMES[name])}" if name in NAMES else ""
    return f"`{name}{values}`" + (f" ({owners})" if owners else "")


def written(path: Path = FILE) -> bool:
    """Put the table of today's choices into a file; False where it stands there already.

    Raises:
        SweepsError: the file has not the two marks.
    """
    text = path.read_text(encoding="utf-8")
    found = re.search(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", text, re.S)
    if found is None:
        raise SweepsError(f"{path} has no place for the table; it goes between the lines {BEGIN} and {END}")
    new = text[: found.start()] + f"{BEGIN}\n{markdown()}\n{END}" + text[found.end() :]
    if new == text:
        return False
    path.write_text(new, encoding="utf-8")
    return True
