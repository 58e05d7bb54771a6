"""The command line: `python -m sweeps key=value ...` trains one cell, `-m` a sweep; a first word names a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from inspect import getdoc

from hydra.errors import HydraException

from sweeps.commands import COMMANDS
from sweeps.commands.arguments import Help
from sweeps.config.names import misread, quoted
from sweeps.errors import SweepsError, message_of
from sweeps.hydra_app import MULTIRUN, hydra_app
from sweeps.interrupts import ending_tidily
from sweeps.terminal import terminal


def main(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit status: 0, 1 when a cell failed, 2 when the command was wrong; 128 and the signal's number when one
        ended it: 130 after Ctrl-C, 143 after SIGTERM, 129 after a terminal was closed.
    """
    ended: list[int] = []
    with ending_tidily(ended):
        try:
            return _run(arguments)
        except BaseException as error:
            if ended:  # whatever error it is now: an import that was interrupted may raise another
                return _stopped(ended[0], sweep=any(text in MULTIRUN for text in arguments))
            if not isinstance(error, SweepsError | HydraException | OSError):
                raise
            terminal(stderr=True).print(message_of(error), style="red")
            return 2


def _run(arguments: Sequence[str]) -> int:
    arguments = quoted(arguments)
    command = arguments[0] if arguments else "--help"
    if command in COMMANDS:
        try:
            return COMMANDS[command](list(arguments[1:]))
        except Help as usage:
            print(f"python -m sweeps {command} {usage}\n\n{getdoc(COMMANDS[command])}")
            return 0
    if "=" not in command and not command.startswith(("-", "+", "~")):
        raise SweepsError(misread(command, COMMANDS))
    return hydra_app(arguments or [command])


def _stopped(number: int, sweep: bool) -> int:
    with suppress(OSError):
        terminal(stderr=True).print(
            "Stopped." + " What has ended is on disk; the same command goes on from there." * sweep
        )
        sys.stdout.flush()
    return 128 + number
