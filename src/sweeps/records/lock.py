"""One lock for all that must not be done twice at once: it ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAUSE = 0.1
"""Seconds between two attempts to take a lock that another process holds."""


class Held(Exception):
    """Another process holds the lock."""


@contextmanager
def hold(path: Path, *, wait: float = 0.0) -> Iterator[int]:
    """Hold a lock file, which is made if need be, while the context is open.

    It is `flock` of the system. A file lock of a library would truncate what lies there, and wait for a reader where
    that is a pipe; this does neither.

    Args:
        wait: seconds to wait for another process; `math.inf` waits for as long as it takes.

    Yields:
        The descriptor of the file: a child that inherits it holds the lock as well.

    Raises:
        Held: another process holds it, and still does after `wait` seconds.
        OSError: the file cannot be made, or is a folder.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(descriptor, time.monotonic() + wait)
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock, for one that only looks: the file is neither made nor written.

    It holds a shared lock itself for a moment, so a process that takes the lock should `wait` a little longer.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # there is none
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no file that can be locked
        return False
    finally:
        os.close(descriptor)
    return False


def _take(descriptor: int, end: float) -> None:
    if math.isinf(end):
        return fcntl.flock(descriptor, fcntl.LOCK_EX)
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise Held from None
            time.sleep(PAUSE)
