"""Mirror finished cells into W&B, by replay from their records.

One W&B run per cell, with an id made from the cell, written after the cell is done and called mirrored only
when its offline file was read back whole. A whole or uploaded run is left alone, anything else is replaced:
mirroring again, after a kill too, adds nothing twice. No trouble here touches a record.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SweepsError
from . import wandb_log
from .files import read_json
from .paths import SweepPaths
from .wandb_client import Client, client_environment, requested_mode
from .wandb_run import run_content, run_id

_CELL = re.compile(r"[0-9a-f]{12}")
_RUN_FOLDER = re.compile(r"(offline-)?run-\d{8}_\d{6}-(?P<id>[0-9a-f]{12}-n\d+)(-\d+)?")
_GIVE_UP_AFTER = 3  # failures of the client in a row
_LITTLE_SPACE = 1 << 20  # bytes free below which an incomplete file means a full disk


@dataclass
class MirrorResult:
    """What became of the done cells of a sweep, by cell id."""

    mode: str  # offline, online or disabled: what was done, not what was asked
    mirrored: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # cell -> reason
    notes: list[str] = field(default_factory=list)  # sentences the user should see


def mirror(sweep: SweepPaths, *, project: str, mode: str = "offline", entity: str | None = None) -> MirrorResult:
    """Mirror every done cell that is not mirrored yet, then return.

    Args:
        mode: `offline`, `online`, `auto` (online only where a key is found, which asks nobody) or `disabled`;
            WANDB_MODE overrules it. Online without a key or a server goes on offline, with a note.

    Raises:
        SweepsError: nothing can be mirrored at all (no client, no space, another mirror at work ...).
    """
    return follow(sweep, lambda: True, project=project, mode=mode, entity=entity)


def follow(
    sweep: SweepPaths,
    done: Callable[[], bool],
    *,
    project: str,
    mode: str = "offline",
    entity: str | None = None,
    interval: float = 1.0,
) -> MirrorResult:
    """Mirror cells as they get done, looking every `interval` seconds until `done()`, then once more.

    `done` is asked some ten times a second and must not block. Otherwise as `mirror`, which is this with a
    `done` that is true from the start.
    """
    asked = requested_mode(mode)
    if asked == "disabled":
        note = "W&B is disabled, so nothing was mirrored; the CSV records are whole."
        return MirrorResult("disabled", notes=[note])
    with client_environment(), _alone(sweep):
        client = Client(sweep.wandb, project=project, entity=entity, asked=asked)
        replay = _Replay(sweep, client)
        try:
            while not done():
                replay.scan()
                _wait(interval, done)
            replay.scan()
            return replay.close()
        finally:
            with suppress(Exception):
                client.flush()  # something to do only after an error or an interrupt


class _Replay:
    """What is known about the cells of one sweep while they are mirrored."""

    def __init__(self, sweep: SweepPaths, client: Client) -> None:
        self.sweep, self.client = sweep, client
        self.result = MirrorResult(client.mode)
        self.attempts = _run_folders(client.root)
        self.seen: set[str] = set()
        self.unverified: dict[str, Path] = {}  # cell -> file that is written but not yet read back
        self.retry: dict[str, str] = {}  # cell -> why the client failed at it
        self.failures = 0  # in a row

    def scan(self) -> None:
        """Replay the cells that got done since the last scan; check what the scan before wrote."""
        self._verify()
        for cell in _cell_names(self.sweep.root):
            if cell not in self.seen and read_json(self.sweep.cell(cell).summary) is not None:
                self.seen.add(cell)
                self._add(cell)

    def close(self) -> MirrorResult:
        """Flush the client, check every file, and give what the client failed at one more chance."""
        self._flush()
        if self.retry:
            again, self.retry, self.failures = self.retry, {}, 0
            self.attempts = _run_folders(self.client.root)
            for cell in again:
                self._add(cell)
            self._flush()
        if self.retry and shutil.disk_usage(self.client.root).free < _LITTLE_SPACE:
            raise SweepsError(f"W&B runs cannot be written in {self.client.root}: no space left on the disk.")
        self.result.failed.update(self.retry)
        self.result.mode, self.result.notes = self.client.mode, self.client.notes
        return self.result

    def _flush(self) -> None:
        self.client.flush()
        self._verify()
        for cell, path in self.unverified.items():
            self.retry[cell] = f"its W&B file is not whole: {wandb_log.problem(path)}"
        self.unverified.clear()

    def _verify(self) -> None:
        for cell, path in list(self.unverified.items()):
            if wandb_log.complete(path):
                del self.unverified[cell]
                self.result.mirrored.append(cell)

    def _add(self, cell: str) -> None:
        """Mirror one cell. What goes wrong is noted; only what would go wrong for every cell is raised."""
        record = self.sweep.cell(cell)
        try:
            if self._settled(run_id(record)):
                self.result.already.append(cell)
                return
            content = run_content(record)
        except (SweepsError, OSError, ValueError) as error:
            self.result.failed[cell] = str(error)
            return
        try:
            self.unverified[cell] = self.client.write(content)
            self.failures = 0
        except SweepsError:
            raise
        except Exception as error:
            self._client_failed(cell, error)

    def _client_failed(self, cell: str, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise SweepsError(f"W&B runs cannot be written in {self.client.root}: {error.strerror}.") from error
        reason = f"{type(error).__name__}: {error}"
        self.retry[cell] = reason
        self.failures += 1
        if self.failures >= _GIVE_UP_AFTER:
            raise SweepsError(
                f"The W&B client failed {self.failures} times in a row, so mirroring stopped; the CSV "
                f"records are whole and can be mirrored again at any time. It said: {reason}"
            ) from error

    def _settled(self, run: str) -> bool:
        """Whether the run is whole or uploaded already; any other attempt at it is removed."""
        folders = self.attempts.pop(run, [])
        kept = [folder for folder in folders if _sent(folder, run)]
        if not kept:
            kept = [folder for folder in folders if _whole(folder, run)][:1]
        for folder in folders:
            if folder in kept:
                continue
            if self.client.mode == "offline" and not _offline(folder):
                raise SweepsError("its upload was interrupted: mirror it online, or it would be there twice")
            shutil.rmtree(folder)
        return bool(kept)


@contextmanager
def _alone(sweep: SweepPaths) -> Iterator[None]:
    """Two mirrors of one sweep would write each run twice; the lock goes with the process that holds it."""
    try:
        sweep.wandb.mkdir(parents=True, exist_ok=True)
        file = (sweep.wandb / ".lock").open("w")
    except OSError as error:
        raise SweepsError(f"W&B runs cannot be written in {sweep.wandb}: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SweepsError(f"Another process is mirroring {sweep.root}; try again when it is done.") from error
        yield


def _wait(seconds: float, done: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not done():
        time.sleep(min(left, 0.1))


def _cell_names(root: Path) -> list[str]:
    return sorted(name for name in os.listdir(root) if _CELL.fullmatch(name)) if root.is_dir() else []


def _run_folders(root: Path) -> dict[str, list[Path]]:
    """Run id -> the folders of the attempts at it, oldest first. Listed: a path may hold glob characters."""
    found: dict[str, list[Path]] = {}
    folder = root / "wandb"
    for name in sorted(os.listdir(folder)) if folder.is_dir() else []:
        if match := _RUN_FOLDER.fullmatch(name):
            found.setdefault(match["id"], []).append(folder / name)
    return found


def _offline(folder: Path) -> bool:
    return folder.name.startswith("offline-")


def _sent(folder: Path, run: str) -> bool:
    return (folder / f"run-{run}.wandb.synced").exists()


def _whole(folder: Path, run: str) -> bool:
    return _offline(folder) and wandb_log.complete(folder / f"run-{run}.wandb")
