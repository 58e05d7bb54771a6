"""The signals that end a command from outside: Ctrl-C, what batch systems send, and a terminal that is closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held_back() -> Iterator[None]:
    """They wait for the end; what is started meanwhile never gets them, as a mask is inherited.

    The mask is of this thread. Another one may take the signal, and Python would raise it here all the same, between
    the making of a temporary folder and the note that it is to be removed: so the handlers are held back too.
    """
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in handlers.items():
        if handler != signal.SIG_IGN:  # as under nohup
            signal.signal(number, lambda number, frame: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def ending_tidily(ended: list[int]) -> Iterator[None]:
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
