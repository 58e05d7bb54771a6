"""The server that workers are forked from. It may be killed like anything else: another is started in its place."""

from __future__ import annotations

import resource
import time
import warnings
from collections.abc import Callable
from multiprocessing import forkserver, resource_tracker
from typing import TypeVar

from sweeps.errors import SweepsError
from sweeps.interrupts import held_back
from sweeps.temporary import folder_of_this_process

Started = TypeVar("Started")

ATTEMPTS = 5
"""How often a worker is tried to be started while the servers that should fork it die."""
PAUSE = 0.1
"""Seconds between two attempts."""
FILES, FILES_OF_A_WORKER = 24, 4
"""Files that a driver has open: its own, and four pipes to a worker."""


def room_for(workers: int) -> None:
    """Have as many files open at once as the workers need; without room the server itself would die.

    Raises:
        SweepsError: more than is allowed.
    """
    needed = FILES + FILES_OF_A_WORKER * workers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise SweepsError(
                f"{workers} workers need {needed} open files, {hard} are allowed here;"
                " raise it (ulimit -n) or set executor.workers lower"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def server_running() -> None:
    """Start the fork server unless it runs, with the ending signals held back for it and all it forks.

    Raises:
        OSError: there is no room for it: descriptors, processes, temporary files.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what a tracker that was killed might have left
        resource_tracker.ensure_running()  # first: it would let the signals through again
    with held_back():
        folder_of_this_process()  # its socket lies there
        forkserver.ensure_running()


def start_process(attempt: Callable[[], Started]) -> Started:
    """What `attempt` gives, which has the fork server start a process; the server is replaced when it turns out dead.

    Raises:
        SweepsError: one server after the other has died.
    """
    for _ in range(ATTEMPTS):
        try:
            server_running()
            return attempt()
        except (EOFError, ConnectionError) as error:
            cause = error
            time.sleep(PAUSE)  # the dead one has closed its socket, but cannot be told from a living one yet
    raise SweepsError(f"no worker could be started: {ATTEMPTS} fork servers in a row have died") from cause
