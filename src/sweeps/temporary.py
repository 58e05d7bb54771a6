"""Temporary files of a process lie in a folder of its own. Whoever comes next removes those of the dead.

`kill -9` leaves what a process had in TMPDIR: sockets of `multiprocessing`, pictures of the W&B client. A folder is
locked by the process that it belongs to for as long as that lives: what is left can be told from what is in use.
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
"""Characters of a temporary folder within which the name of a socket still fits: the system allows some 100."""


@cache
def folder_of_this_process() -> Path:
    """Make the folder, on the first call, and have Python's `tempfile` use it; it goes when the process ends.

    Raises:
        OSError: there is no place for temporary files.
    """
    place = tempfile.gettempdir()
    sweep_away(Path(place))
    if len(place) > LONGEST and os.access("/tmp", os.W_OK):
        place = "/tmp"
        sweep_away(Path(place))
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=place))
    descriptor = os.open(new, os.O_RDONLY)  # open until the process ends, and not inherited
    with suppress(OSError):  # a file system without locks: nobody will remove it
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    folder = new.rename(new.with_name(new.name.replace(".new-", PREFIX)))  # only now others look at it
    tempfile.tempdir = str(folder)
    # after multiprocessing's own folder, which has a priority of -100 and must be there to be removed
    Finalize(None, shutil.rmtree, (folder, True), exitpriority=-200)
    return folder


def sweep_away(place: Path) -> None:
    """Remove the folders in `place` that belonged to processes of this user which live no more."""
    for name in os.listdir(place):
        if name.startswith(PREFIX):
            with suppress(OSError):
                _remove_if_left(place / name)


def _remove_if_left(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its owner would hold it
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
