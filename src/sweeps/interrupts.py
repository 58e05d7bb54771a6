"""The signals that end a command from outside: SIGINT (Ctrl-C), SIGTERM (batch systems), SIGHUP (a closed terminal)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """What a signal of `ENDING` raises. Of a KeyboardInterrupt itself that passes through `exec`, as in a module that
    defines dataclasses, Python takes note, and ends by SIGINT whatever exit status it is given.
    """


@contextmanager
def deferred() -> Iterator[None]:
    """Defer the signals of `ENDING` to the end of the context. Processes started in it block them: a mask is inherited.

    The mask covers only this thread. If another thread takes the signal, Python still runs the handler in the main
    thread, perhaps after a temporary folder was made and before it was registered for removal. So the handlers are
    replaced too.
    """
    arrived: list[int] = []
    handlers = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in handlers.items():
        if handler != signal.SIG_IGN:  # as under nohup
            signal.signal(number, lambda number, frame: arrived.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])


@contextmanager
def ending_tidily(ended: list[int]) -> Iterator[None]:
    """Raise KeyboardInterrupt on any signal of `ENDING`, so that children are ended and temporary folders removed.

    Later signals are ignored: `timeout` sends its signal twice, and the second would interrupt the clean-up. A signal
    that was ignored before, as under nohup, stays ignored.

    Args:
        ended: the number of the signal is appended to it.
    """

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        ended.append(number)
        _redirect_closed_output()
        raise Interrupted(number)

    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _redirect_closed_output() -> None:
    """Send output to /dev/null if the terminal is closed: writing to it would raise an error during the clean-up."""
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"")
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
