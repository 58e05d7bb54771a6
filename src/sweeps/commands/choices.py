"""The command about what can be chosen: choices."""

from __future__ import annotations

import json

from sweeps.commands.arguments import HELP, Help
from sweeps.errors import CommandError
from sweeps.terminal import say, terminal

JSON = "--json"
NARROW = 80
"""Columns of what does not go to a terminal."""


def choices(arguments: list[str]) -> int:
    """List what can be chosen: every option of every group, one line each, and the settings outside of them.

    `choices arch=lstm` tells all of one choice: its equation, its source, its settings with their defaults and what
    they may be; `choices arch` of one group, `choices train` of one section, `choices arch.hidden` of one setting.
    --json gives the same as data. `choices markdown` writes the table of README.md anew.
    """
    from sweeps.choices import asked, printed, readme

    if HELP & set(arguments):
        raise Help(f"[GROUP] [GROUP=NAME] [SECTION] [SETTING] [{JSON}] | markdown")
    words = [text for text in arguments if text != JSON]
    if words == ["markdown"]:
        say(f"{readme.FILE.name}: the table {'is written anew' if readme.written() else 'is that of today already'}")
        return 0
    if problems := [sentence for word in words if (sentence := asked.problem(word))]:
        raise CommandError(problems)
    if JSON in arguments:
        say(json.dumps([each for word in words or [""] for each in asked.data(word)], indent=2, ensure_ascii=False))
        return 0
    console = terminal()
    width = console.width if console.is_terminal else NARROW
    parts = [asked.lines(word, width) for word in words] or [printed.everything(width)]
    say("\n\n".join("\n".join(lines) for lines in parts))
    return 0
