"""The mirror folder of a sweep: held by one process at a time; a folder for each attempt at a run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sweeps.errors import SweepsError
from sweeps.mirror import offline_file
from sweeps.mirror.client import SENT
from sweeps.records.lock import Held, hold
from sweeps.records.paths import SweepPaths

PATIENCE = 5.0
"""Seconds to wait for another process that holds the folder: it may be about to end."""

_RUN_FOLDER = re.compile(r"(offline-)?run-\d{8}_\d{6}-(?P<id>[0-9a-f]{12}-n\d+)(-\d+)?")


@contextmanager
def hold_mirror(sweep: SweepPaths) -> Iterator[int]:
    """Hold the mirror folder, which is made if need be: two processes would write, or send, each run twice.

    Yields:
        The descriptor of the lock; a child that inherits it holds the lock as well.

    Raises:
        SweepsError: another process holds it, or the folder cannot be written.
    """
    with ExitStack() as stack:
        try:
            sweep.mirror.mkdir(parents=True, exist_ok=True)
            descriptor = stack.enter_context(hold(sweep.mirror_lock, wait=PATIENCE))
        except Held:
            reason = f"Another process is mirroring or sending {sweep.root}; try again when it is done."
            raise SweepsError(reason) from None
        except OSError as error:
            raise SweepsError(f"W&B runs cannot be written in {sweep.mirror}: {error.strerror}.") from error
        yield descriptor


def run_folders(runs: Path) -> dict[str, list[Path]]:
    """Run id -> the folders of the attempts at it in `SweepPaths.mirrored_runs`, oldest first."""
    folders: dict[str, list[Path]] = {}
    for name in sorted(os.listdir(runs)) if runs.is_dir() else []:
        if match := _RUN_FOLDER.fullmatch(name):
            folders.setdefault(match["id"], []).append(runs / name)
    return folders


def offline_path(folder: Path, run: str) -> Path:
    """The client's file of a run in the folder of one attempt at it."""
    return folder / f"run-{run}.wandb"


def is_offline(folder: Path) -> bool:
    """Whether an attempt was made without a server."""
    return folder.name.startswith("offline-")


def marked_uploaded(folder: Path, run: str) -> bool:
    """Whether the client or `sync` marked the run as uploaded. The client does so after a failed upload too."""
    path = offline_path(folder, run)
    return any(path.with_name(path.name + ending).exists() for ending in (SENT, ".synced"))


def is_complete(folder: Path, run: str) -> bool:
    """Whether an attempt left a complete offline file."""
    return is_offline(folder) and offline_file.complete(offline_path(folder, run))
