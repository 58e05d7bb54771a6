"""The exceptions that a user may meet, and the nearest-name helper that their messages use."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from sweeps.amounts import number_of


class SweepsError(Exception):
    """Something the user can put right; shown without a traceback, exit status 2."""


class ConfigError(SweepsError):
    """One or more settings are wrong; the message lists every problem, not only the first."""

    where = "in the settings; nothing was trained or written."

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(dict.fromkeys(problems))
        head = number_of(len(self.problems), "problem")
        super().__init__(f"{head} {self.where}\n" + "\n".join(f"  - {problem}" for problem in self.problems))


class CommandError(ConfigError):
    """The same of a command that trains nothing."""

    where = "in the settings; nothing was written."


def message_of(error: Exception) -> str:
    """The message shown to the user for an error without its traceback; for an OSError its path and reason."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error).strip()


def exception_text(trace: str) -> str:
    """The type and text of the exception that ends a traceback, all its lines; text without a traceback as it is."""
    *_, last = trace.strip().split("Traceback (most recent call last):\n")
    lines = last.splitlines()
    start = next((i for i, line in enumerate(lines) if not line.startswith(" ")), 0)  # frames are indented
    return "\n".join(lines[start:])


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name closest to `name` (a prefix counts as close), or None if none is near."""
    names = list(allowed)
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if matches:
        return matches[0]
    return next((candidate for candidate in names if name and candidate.startswith(name)), None)


def unknown(what: str, given: str, allowed: Iterable[str]) -> str:
    """The message for a name that does not exist: the name, the nearest allowed one, all allowed ones."""
    names = sorted(allowed)
    near = nearest(given, names)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{what}: {given!r} is not known{hint} (allowed: {', '.join(names)})"
