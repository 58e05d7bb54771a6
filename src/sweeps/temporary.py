"""A temporary folder for each process; the next process removes the folders of processes that were killed.

`kill -9` leaves what a process had in TMPDIR: sockets of `multiprocessing`, pictures of the W&B client. Each process
locks its folder until it ends, so a folder that is not locked is no longer in use.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

PREFIX = "sweeps-run-"
LONGEST = 50
"""Longest path of TMPDIR, in characters, that is used: the system allows some 100 for a socket below it."""


@cache
def folder_of_this_process() -> Path:
    """Make the folder on the first call and have Python's `tempfile` use it; it is removed when the process ends.

    Raises:
        OSError: no folder for temporary files can be written.
    """
    parent = tempfile.gettempdir()
    remove_unused(Path(parent))
    if len(parent) > LONGEST and os.access("/tmp", os.W_OK):
        parent = "/tmp"
        remove_unused(Path(parent))
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    descriptor = os.open(new, os.O_RDONLY)  # open until the process ends, and not inherited
    with suppress(OSError):  # a file system without locks: no other process will remove it
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    folder = new.rename(new.with_name(new.name.replace(".new-", PREFIX)))  # other processes look at it from here on
    tempfile.tempdir = str(folder)
    # after multiprocessing's own folder, which has a priority of -100 and must be there to be removed
    Finalize(None, shutil.rmtree, (folder, True), exitpriority=-200)
    return folder


def remove_unused(parent: Path) -> None:
    """Remove the folders in `parent` of this user's processes that have ended."""
    for name in os.listdir(parent):
        if name.startswith(PREFIX):
            with suppress(OSError):
                _remove_if_unlocked(parent / name)


def _remove_if_unlocked(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if its process is running
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
