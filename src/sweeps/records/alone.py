"""One process at a time in a sweep's mirror folder: two would write, or send, each run twice."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sweeps.errors import SweepsError
from sweeps.records.files import open_lock
from sweeps.records.paths import SweepPaths

PATIENCE = 5.0
"""Seconds to wait for another process, which may only be ending."""


@contextmanager
def alone(sweep: SweepPaths) -> Iterator[int]:
    """Hold the lock of the mirror folder, which is made; gives its descriptor. It goes with the last holder.

    Raises:
        SweepsError: another process holds it, or the folder cannot be written.
    """
    try:
        sweep.wandb.mkdir(parents=True, exist_ok=True)
        file = open_lock(sweep.wandb / ".lock")
    except OSError as error:
        raise SweepsError(f"W&B runs cannot be written in {sweep.wandb}: {error.strerror}.") from error
    with file:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > end:
                    raise SweepsError(
                        f"Another process is mirroring or sending {sweep.root}; try again when it is done."
                    ) from error
                time.sleep(0.1)
        yield file.fileno()
