"""The server that workers are forked from. If it was killed, another is started in its place."""

from __future__ import annotations

import os
import resource
import signal
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from typing import TypeVar

from sweeps.amounts import number_of
from sweeps.errors import SweepsError
from sweeps.interrupts import deferred
from sweeps.temporary import folder_of_this_process

Started = TypeVar("Started")

ATTEMPTS = 5
"""Attempts to start a worker if one fork server after the other dies."""
PAUSE = 0.1
"""Seconds between two attempts."""
FILES, FILES_OF_A_WORKER = 24, 4
"""Open files of the process that runs a sweep: its own, and the ends of pipes to each worker."""
MANY_FILES = 4096


def room_for(workers: int) -> None:
    """Raise the limit on open files to what the workers need; without that, the fork server itself would die.

    Raises:
        SweepsError: they need more than this user may have.
    """
    needed = FILES + FILES_OF_A_WORKER * workers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise SweepsError(
                f"{number_of(workers, 'worker')} need {needed} open files, {hard} are allowed here;"
                " raise it (ulimit -n) or set executor.workers lower"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def more_files() -> None:
    """Raise the limit on open files, as far as it may be, for a server that starts before its workers are counted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def server_running() -> None:
    """Start the fork server unless it runs, with the signals of `interrupts.ENDING` blocked in it and all it forks.

    Raises:
        OSError: no descriptor, process or temporary file is left for it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a killed resource tracker, that something may have leaked
        resource_tracker.ensure_running()  # before signals are blocked: it unblocks them
    with deferred():
        folder_of_this_process()  # its socket lies there
        forkserver.ensure_running()


def end_server() -> None:
    """End the fork server, if it runs: by itself it would go on until it has imported what it was told to."""
    pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # others are blocked in it


def start_process(attempt: Callable[[], Started]) -> Started:
    """The result of `attempt`, which has the fork server start a process; a server that has died is replaced.

    Raises:
        SweepsError: `ATTEMPTS` servers in a row have died.
    """
    for _ in range(ATTEMPTS):
        try:
            server_running()
            return attempt()
        except (EOFError, ConnectionError) as error:
            cause = error
            time.sleep(PAUSE)  # its socket is closed, but it still counts as running for a moment
    raise SweepsError(f"no worker could be started: {ATTEMPTS} fork servers in a row have died") from cause
