"""The front door: `python -m sweeps key=value ...` trains one cell, `-m` a sweep, and a few words do the rest."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from hydra.errors import HydraException

from sweeps.application import MULTIRUN, hydra_app
from sweeps.arguments import Help
from sweeps.commands import COMMANDS
from sweeps.config.names import misread
from sweeps.errors import SweepsError, told
from sweeps.terminal import terminal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit status: 0, 1 when a cell failed, 2 when the command was wrong; 128 and the signal's number when one
        ended it: 130 after Ctrl-C, 143 after SIGTERM, 129 after a terminal was closed.
    """
    ended: list[int] = []
    with _ending_tidily(ended):
        try:
            return _run(arguments)
        except BaseException as error:
            if ended:  # whatever became of the interrupt on its way here: a library may be in the middle of its import
                return _stopped(ended[0], sweep=any(text in MULTIRUN for text in arguments))
            if not isinstance(error, SweepsError | HydraException | OSError):
                raise
            terminal(stderr=True).print(told(error), style="red")
            return 2


def _run(arguments: Sequence[str]) -> int:
    command = arguments[0] if arguments else "--help"
    if command in COMMANDS:
        try:
            return COMMANDS[command](list(arguments[1:]))
        except Help as asked:
            print(f"python -m sweeps {command} {asked}\n\n{COMMANDS[command].__doc__}")
            return 0
    if "=" not in command and not command.startswith(("-", "+", "~")):
        raise SweepsError(misread(command, COMMANDS))
    return hydra_app(arguments or [command])


@contextmanager
def _ending_tidily(ended: list[int]) -> Iterator[None]:
    """What ends a command from outside ends it as Ctrl-C does: children are ended, temporary folders removed.

    Only the first: `timeout` sends its signal twice, and the second would cut tidying short. What is ignored from the
    start, as under nohup, stays so.
    """

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        ended.append(number)
        _let_go_of_a_closed_terminal()
        raise KeyboardInterrupt(number)

    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _let_go_of_a_closed_terminal() -> None:
    """What is still to be said goes nowhere; it would be an error in the middle of tidying."""
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"")
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _stopped(number: int, sweep: bool) -> int:
    with suppress(OSError):
        terminal(stderr=True).print(
            "Stopped." + " What has ended is on disk; the same command goes on from there." * sweep
        )
        sys.stdout.flush()
    return 128 + number
