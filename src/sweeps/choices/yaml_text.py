"""The comments of a YAML file under `conf/`: what it is about, and what stands behind each of its settings."""

from __future__ import annotations

import re
from pathlib import Path

KEY = re.compile(r"(?P<indent> *)(?:- )?(?P<key>\w+):(?P<value>.*)")
APART = re.compile(r"\s{3,}")
"""Between what a choice is and where it comes from, in the first comment of its file."""
COMMENT = re.compile(r"(?:^|\s)#\s*(.*)$")
QUOTED = re.compile(r"\s*('[^']*'|\"[^\"]*\")")


def opening(path: Path) -> tuple[str, str]:
    """What a file's first line says, if it is a comment: what it is about and, behind three spaces, the source.

    Both are empty for a file without such a line.
    """
    [first] = path.read_text(encoding="utf-8").splitlines()[:1] or [""]
    if not first.startswith("#"):
        return "", ""
    what, *source = APART.split(first.lstrip("# ").rstrip(), maxsplit=1)
    return what, "".join(source)


def further(path: Path) -> str:
    """The comments directly below the first line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith("#"):
        return ""
    rest = lines[1:]
    end = next((n for n, line in enumerate(rest) if not line.startswith("#")), len(rest))
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in rest[:end])


def notes(path: Path) -> dict[str, str]:
    """The comment behind each setting, by its name in the file: `hidden`, or `train.steps` inside a section.

    A comment goes on in the lines below that hold nothing else and are indented.
    """
    found: dict[str, str] = {}
    section = last = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := KEY.fullmatch(line):
            section = section if match["indent"] else match["key"]
            last = f"{section}.{match['key']}" if match["indent"] else match["key"]
            comment = COMMENT.search(_unquoted(match["value"]))
            found[last] = comment[1] if comment else ""
        elif last and line.startswith(" ") and line.lstrip().startswith("#"):
            found[last] = f"{found[last]} {line.lstrip(' #')}".strip()
        else:
            last = ""
    return {key: note for key, note in found.items() if note}


def _unquoted(value: str) -> str:
    """The text behind a key without a value in quotes, which may hold a number sign; quotes in a comment stay."""
    return QUOTED.sub("", value, count=1) if QUOTED.match(value) else value
