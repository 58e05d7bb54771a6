"""Mirror finished cells into W&B by replay from their records: the CSV files are the truth, W&B is where people look.

One W&B run per cell, with an id made from the cell, written after the cell is done and called mirrored only when its
offline file was read back whole. A whole or uploaded run is left alone and anything else is replaced, so mirroring
again, after a kill too, adds nothing twice. No trouble here touches a record.
"""

from __future__ import annotations

import errno
import fcntl
import importlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SweepsError, unknown
from . import wandb_log
from .files import read_json
from .paths import SweepPaths
from .wandb_run import RunContent, run_content, run_id

_CELL = re.compile(r"[0-9a-f]{12}")
_RUN_FOLDER = re.compile(r"(?P<kind>offline-run|run)-\d{8}_\d{6}-(?P<id>[0-9a-f]{12}-n\d+)(-\d+)?")
_GIVE_UP_AFTER = 3  # failures of the client in a row
_LITTLE_SPACE = 1 << 20  # bytes free below which an incomplete file means a full disk



@dataclass
class MirrorResult:
    """What became of the done cells of a sweep, by cell id."""

    mode: str
    mirrored: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # sentences the user should see


def mirror(sweep: SweepPaths, *, project: str, mode: str, entity: str | None = None) -> MirrorResult:
    """Mirror every done cell that is not mirrored yet, then return.

    Args:
        mode: `offline`, `online`, `auto` (online only where a key is found, which asks nobody) or `disabled`;
            WANDB_MODE overrules it. Online without a key, or without a server, goes on offline with a note.

    Raises:
        SweepsError: nothing can be mirrored at all (no client, no space, another mirror at work ...).
    """
    return follow(sweep, lambda: True, project=project, mode=mode, entity=entity)


def follow(
    sweep: SweepPaths,
    done: Callable[[], bool],
    *,
    project: str,
    mode: str,
    entity: str | None = None,
    interval: float = 1.0,
) -> MirrorResult:
    """Mirror cells as they get done, looking every `interval` seconds until `done()`, then once more.

    `done` is asked about ten times a second and must not block. Otherwise as `mirror`, which is this with `done`
    true from the start.
    """
    asked = os.environ.get("WANDB_MODE") or mode
    asked = _SAME_MODE.get(asked, asked)
    if asked not in MODES:
        where = "WANDB_MODE" if os.environ.get("WANDB_MODE") else "tracker.mode"
        raise SweepsError(unknown(where, asked, MODES))
    if asked == "disabled":
        return MirrorResult(
            asked, notes=["W&B is disabled by its mode: nothing was mirrored; the CSV files are whole."]
        )
    with _environment(), _alone(sweep):
        replay = _Replay(sweep, _client(), project, asked, entity)
        try:
            while not done():
                replay.scan()
                _wait(interval, done)
            replay.scan()
            return replay.close()
        finally:
            with suppress(Exception):
                replay.client.teardown()  # nothing to do unless an error or an interrupt came first


class _Replay:
    """One W&B client, and what it knows about the cells of one sweep."""

    def __init__(self, sweep: SweepPaths, client: Any, project: str, asked: str, entity: str | None) -> None:
        self.sweep, self.client, self.project, self.entity = sweep, client, project, entity
        mode, note = _choose(asked, client)
        self.result = MirrorResult(mode, notes=[note] if note else [])
        self.root = Path(os.path.abspath(sweep.wandb))
        self.runs = _run_folders(self.root / "wandb")
        self.seen: set[str] = set()
        self.unverified: dict[str, Path] = {}  # cell -> file of a run that is written but not yet read back
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
        again, self.retry, self.failures = self.retry, {}, 0
        if again:
            self.runs = _run_folders(self.root / "wandb")
        for cell in again:
            self._add(cell)
        if again:
            self._flush()
        self.result.failed.update(self.retry)
        if self.retry and shutil.disk_usage(self.root).free < _LITTLE_SPACE:
            raise SweepsError(
                f"No space is left on the disk of {self.root}: W&B runs could not be written there."
            )
        return self.result

    def _flush(self) -> None:
        self.client.teardown()  # until then the files of finished runs may be unwritten
        self._verify()
        self.retry.update(
            (cell, f"its file is not whole: {wandb_log.problem(path)}")
            for cell, path in self.unverified.items()
        )
        self.unverified.clear()

    def _verify(self) -> None:
        for cell, path in list(self.unverified.items()):
            if wandb_log.complete(path):
                del self.unverified[cell]
                self.result.mirrored.append(cell)

    def _add(self, cell: str) -> None:
        """Mirror one done cell. What goes wrong is noted; only what would go wrong for every cell is raised."""
        try:
            if self._exists(run_id(self.sweep.cell(cell))):
                self.result.already.append(cell)
                return
            content = run_content(self.sweep.cell(cell))
        except (SweepsError, OSError, ValueError) as error:
            self.result.failed[cell] = str(error)
            return
        try:
            self.unverified[cell] = self._replay(content)
            self.failures = 0
        except SweepsError:
            raise
        except Exception as error:  # the client raises many kinds, none of which may reach the sweep
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise SweepsError(f"W&B runs cannot be written in {self.root}: {error.strerror}.") from error
            self.retry[cell] = f"{type(error).__name__}: {error}"
            self.failures += 1
            if self.failures >= _GIVE_UP_AFTER:
                raise SweepsError(
                    f"The W&B client failed {self.failures} times in a row, so mirroring stops; the CSV records are "
                    f"whole and can be mirrored again at any time. Its last words: {type(error).__name__}: {error}"
                ) from error

    def _exists(self, run: str) -> bool:
        """Whether the run is whole or uploaded already; removes every lesser attempt at it."""
        attempts = self.runs.pop(run, [])
        whole = [path for path in attempts if _sent(path, run) or _whole(path, run)]
        whole.sort(key=lambda path: not _sent(path, run))
        for path in attempts:
            if path not in whole[:1] and not _sent(path, run):
                if self.result.mode == "offline" and not _offline(path):
                    raise SweepsError(
                        "its upload was interrupted: mirror it online again, or it would be there twice"
                    )
                shutil.rmtree(path)
        self.runs[run] = whole
        return bool(whole)

    def _replay(self, content: RunContent) -> Path:
        run = self._start(content)
        path = Path(run.settings.sync_dir) / f"run-{content.id}.wandb"
        try:
            if self.root not in path.parents:  # the client falls back to the system's temporary folder
                raise SweepsError(f"W&B cannot write in {self.root}.")
            for step, row in content.history:
                run.log(row, step=step)
            run.summary.update(content.summary)
        except BaseException:
            with suppress(Exception):
                run.finish(exit_code=1)  # not a whole run: the next attempt replaces it
            raise
        run.finish()
        if not _offline(path.parent):
            path.with_name(path.name + ".synced").touch()
        return path

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
            raise SweepsError(
                f"{sweep.root} is being mirrored by another process; try again when it is done."
            ) from error
        yield


def _wait(seconds: float, done: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not done():
        time.sleep(min(left, 0.1))


def _cell_names(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(name for name in os.listdir(root) if _CELL.fullmatch(name))


def _run_folders(root: Path, only: str | None = None) -> dict[str, list[Path]]:
    """Run id -> the folders of the attempts at it, oldest first."""
    found: dict[str, list[Path]] = {}
    if root.is_dir():
        for name in sorted(os.listdir(root)):
            match = _RUN_FOLDER.fullmatch(name)
            if match and only in (None, match["id"]):
                found.setdefault(match["id"], []).append(root / name)
    return found


def _offline(folder: Path) -> bool:
    return folder.name.startswith("offline-")


def _sent(folder: Path, run: str) -> bool:
    return (folder / f"run-{run}.wandb.synced").exists()


def _whole(folder: Path, run: str) -> bool:
    return _offline(folder) and wandb_log.complete(folder / f"run-{run}.wandb")
