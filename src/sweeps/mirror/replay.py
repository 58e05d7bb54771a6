"""Mirror done cells into W&B, by replay from their records.

Each cell becomes one W&B run, whose id is made from the cell's. It is written after the cell is done and counts as
mirrored once its offline file was read back and is complete. A complete or uploaded run is left alone and any other is
replaced, so mirroring again, also after a kill, adds nothing twice. Records are only read.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread

from sweeps.errors import SweepsError
from sweeps.mirror import offline_file
from sweeps.mirror.client import Client, UploadError
from sweeps.mirror.environment import client_environment, requested_mode
from sweeps.mirror.folder import hold_mirror, is_complete, is_offline, marked_uploaded, run_folders
from sweeps.mirror.helper import Helper, HelperError
from sweeps.mirror.run_content import run_content, run_id
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.summary import finished, read_summary

_GIVE_UP_AFTER = 3  # failures of the client in a row
_WORTH_HELP = 40  # number of cells from which on a second process is started
_LITTLE_SPACE = 1 << 20  # bytes free; below that an incomplete file means a full disk


@dataclass
class MirrorResult:
    """What became of the done cells of a sweep, by cell id."""

    mode: str  # offline, online or disabled: the mode in use at the end
    mirrored: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # cell -> reason
    notes: list[str] = field(default_factory=list)  # sentences the user should see


def mirror(sweep: SweepPaths, *, project: str, mode: str = "offline", entity: str | None = None) -> MirrorResult:
    """Mirror every done cell that is not mirrored yet, then return.

    Args:
        mode: `offline`, `online`, `auto` (online if a key is found, without a prompt) or `disabled`; WANDB_MODE
            overrules it. `online` without a key or a server becomes offline, with a note.

    Raises:
        SweepsError: nothing can be mirrored at all (no client, no space, another mirror is running ...).
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

    `mirror` calls this with a `done` that is always true; the other arguments and errors are described there.

    Args:
        done: called some ten times a second; must not block.
    """
    requested = requested_mode(mode)
    if requested == "disabled":
        note = "W&B is disabled, so nothing was mirrored; the CSV records are complete."
        return MirrorResult("disabled", notes=[note])
    with client_environment(), hold_mirror(sweep) as lock:
        client = Client(sweep.mirror, project=project, entity=entity, mode=requested)
        replay = _Replay(sweep, client, lock)
        try:
            while not done():
                replay.scan()
                _wait(interval, done)
            replay.scan()
            return replay.close()
        finally:
            with suppress(Exception):
                client.flush()  # has something to do only after an error or an interrupt


class _Replay:
    """The state of mirroring one sweep: which cells are written, checked or to be tried again."""

    def __init__(self, sweep: SweepPaths, client: Client, lock: int) -> None:
        self.sweep, self.client, self.lock = sweep, client, lock
        self.result = MirrorResult(client.mode)
        self.attempts = run_folders(client.runs)
        self.seen: set[str] = set()
        self.unverified: dict[str, Path] = {}  # cell -> file that is written but not yet checked
        self.retry: dict[str, str] = {}  # cell -> why the client failed at it
        self.failures = 0  # in a row

    def scan(self) -> None:
        """Write the cells that got done since the last scan; check the files that the last scan wrote."""
        self._verify()
        cells = (cell.root.name for cell in self.sweep.cells())
        new = [cell for cell in cells if cell not in self.seen and self._done(cell)]
        self.seen.update(new)
        self._write_all([cell for cell in new if self._wanted(cell)])

    def _done(self, cell: str) -> bool:
        return finished(self.sweep.cell(cell)) is not None

    def close(self) -> MirrorResult:
        """Flush the client, check every file, and try the cells at which the client failed once more."""
        self._flush()
        if self.retry:
            retried, self.retry, self.failures = self.retry, {}, 0
            self.attempts = run_folders(self.client.runs)
            self._write_all_by(self._write, deque(cell for cell in retried if self._wanted(cell)))
            self._flush()
        if self.retry and shutil.disk_usage(self.client.root).free < _LITTLE_SPACE:
            raise SweepsError(f"W&B runs cannot be written in {self.client.root}: no space left on the disk.")
        self.result.failed.update(self.retry)
        for cell in self.sweep.cells():  # a summary that is there and not complete will stay so
            if cell.root.name not in self.seen and (reason := _unfinished_summary(cell)) is not None:
                self.result.failed[cell.root.name] = reason
        self.result.mode, self.result.notes = self.client.mode, self.client.notes
        return self.result

    def _flush(self) -> None:
        self.client.flush()
        self._verify()
        for cell, path in self.unverified.items():
            self.retry[cell] = f"its W&B file is not complete: {offline_file.problem(path)}"
        self.unverified.clear()

    def _verify(self) -> None:
        for cell, path in list(self.unverified.items()):
            if offline_file.complete(path):
                del self.unverified[cell]
                self.result.mirrored.append(cell)

    def _wanted(self, cell: str) -> bool:
        """Whether a run must be written for the cell; if so, what is left of an earlier attempt has been removed."""
        try:
            settled = self._settled(run_id(self.sweep.cell(cell)))
        except (SweepsError, OSError, ValueError) as error:
            self.result.failed[cell] = str(error)
            return False
        if settled:
            self.result.already.append(cell)
        return not settled

    def _write_all(self, cells: list[str]) -> None:
        left = deque(cells)
        if self.client.mode == "online" or len(cells) < _WORTH_HELP:
            return self._write_all_by(self._write, left)
        with Helper(self.sweep, self.client, self.lock) as helper:
            thread = Thread(target=self._write_all_by, args=(partial(self._let_write, helper), left))
            thread.start()
            try:
                self._write_all_by(self._write, left)
            finally:
                left.clear()
                thread.join()

    def _write_all_by(self, write: Callable[[str], bool], left: deque[str]) -> None:
        """Write the cells of the queue, until it is empty or `write` returns False: it can write no more."""
        with suppress(IndexError):  # the queue is empty
            while write(left.popleft()):
                pass

    def _let_write(self, helper: Helper, cell: str) -> bool:
        try:
            self.unverified[cell] = helper.write(cell)
        except HelperError as error:
            self.retry[cell] = str(error)
        return helper.alive

    def _write(self, cell: str) -> bool:
        """Write the run of one cell; always True. An error is noted, and raised only if it concerns every cell."""
        try:
            content = run_content(self.sweep.cell(cell))
        except (SweepsError, OSError, ValueError) as error:
            self.result.failed[cell] = str(error)
            return True
        try:
            self.unverified[cell] = self.client.write(content)
            self.failures = 0
        except SweepsError:
            raise
        except UploadError as error:
            self.result.failed[cell] = f"its upload failed ({error}); `python -m sweeps sync` sends the rest"
            self.client.go_offline(f"The W&B server did not take a run ({error})")
        except Exception as error:
            self._client_failed(cell, error)
        return True

    def _client_failed(self, cell: str, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise SweepsError(f"W&B runs cannot be written in {self.client.root}: {error.strerror}.") from error
        reason = f"{type(error).__name__}: {error}"
        self.retry[cell] = reason
        self.failures += 1
        if self.failures >= _GIVE_UP_AFTER:
            raise SweepsError(
                f"The W&B client failed {self.failures} times in a row, so mirroring stopped; the CSV "
                f"records are complete and can be mirrored again at any time. It said: {reason}"
            ) from error

    def _settled(self, run: str) -> bool:
        """Whether the run is complete or uploaded already; any other attempt at it is removed."""
        folders = self.attempts.pop(run, [])
        kept = [folder for folder in folders if marked_uploaded(folder, run)]
        if not kept:
            kept = [folder for folder in folders if is_complete(folder, run)][:1]
        for folder in folders:
            if folder in kept:
                continue
            if self.client.mode == "offline" and not is_offline(folder):
                if kept:
                    continue  # `sync` was interrupted; it removes the folder once the run is sent
                raise SweepsError("its upload was interrupted; `python -m sweeps sync` sends the rest")
            shutil.rmtree(folder)
        return bool(kept)


def _unfinished_summary(cell: CellPaths) -> str | None:
    """Why a cell that has a summary is not done; None where it has none."""
    try:
        read_summary(cell)
    except SweepsError as error:
        return str(error) if os.path.lexists(cell.summary) else None
    return None


def _wait(seconds: float, done: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not done():
        time.sleep(min(left, 0.1))
