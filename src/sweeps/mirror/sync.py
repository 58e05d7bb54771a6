"""Send mirrored runs to the W&B server: each once, and a run counts as sent only if it arrived.

The server's list of runs decides what is sent, not the files on this disk, so nothing is sent twice, even if the
mirror folder was copied or lost or a sync was killed. A run that the server does not have is uploaded from its offline
file by the client's own `wandb sync`. One that it has, but that was never confirmed, is replayed from the CSV records
with `resume="allow"`, which adds only the rows that are missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sweeps.amounts import number_of
from sweeps.errors import SweepsError
from sweeps.mirror import offline_file
from sweeps.mirror.client import SENT, Client, logged_errors
from sweeps.mirror.environment import client_environment, import_client
from sweeps.mirror.folder import hold_mirror, is_offline, offline_path, run_folders
from sweeps.mirror.run_content import run_content
from sweeps.mirror.server import Server
from sweeps.records.paths import SweepPaths

BATCH = 50  # runs per call of the client, which loses messages beyond 128
PARALLEL = 5  # runs that it uploads at the same time, its own default


@dataclass
class SyncResult:
    """What became of the mirrored runs of a sweep, by run id."""

    sent: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # run id -> reason
    damaged: dict[str, str] = field(default_factory=dict)  # run id -> what is wrong with its offline file


def sync(sweep: SweepPaths, report: Callable[[str], None] = lambda text: None) -> SyncResult:
    """Send every mirrored run of a sweep that is not sent yet.

    Args:
        report: called with a line of progress after every batch.

    Raises:
        SweepsError: no run, or no further run, can be sent (no key, a wrong key, no network, the server went away ...).
    """
    with client_environment(), hold_mirror(sweep):
        try:
            return _Upload(sweep, report).run()
        finally:
            with suppress(Exception):
                import_client().teardown()


class _Upload:
    """One sync of a sweep.

    Attributes:
        server: set once there is something to send.
        destinations: (project, entity, group) of the runs to send.
    """

    server: Server
    destinations: list[tuple[str, str, str]]

    def __init__(self, sweep: SweepPaths, report: Callable[[str], None]) -> None:
        self.sweep, self.report = sweep, report
        self.result = SyncResult()

    def run(self) -> SyncResult:
        files: dict[str, Path] = {}
        mirrored = run_folders(self.sweep.mirrored_runs)
        if not mirrored:
            command = f"python -m sweeps mirror experiment={self.sweep.root.name}"
            raise SweepsError(
                f"Nothing of {self.sweep.root} is mirrored yet: `{command}` does it from the CSV records."
            )
        for run, folders in mirrored.items():
            attempts = [offline_path(folder, run) for folder in folders]
            if any(_sent_marker(file).exists() for file in attempts):
                self.result.already.append(run)
            else:
                files[run] = next((file for file in attempts if offline_file.complete(file)), attempts[-1])
        if not files:
            return self.result
        self.server = Server()
        self.destinations = sorted({destination for file in files.values() if (destination := _destination(file))})
        known = set().union(*(self.server.runs(*destination) for destination in self.destinations)) & files.keys()
        begun = sorted(run for run, file in files.items() if run in known or not is_offline(file.parent))
        fresh = sorted(run for run in files.keys() - set(begun) if self._is_complete(run, files[run]))
        for start in range(0, len(fresh), BATCH):
            self._send({run: files[run] for run in fresh[start : start + BATCH]})
        for run in begun:
            self._complete(run, files[run])
        return self.result

    def _is_complete(self, run: str, file: Path) -> bool:
        """Whether an offline file is complete; if not, the run is listed as damaged."""
        if problem := offline_file.problem(file):
            self.result.damaged[run] = problem
        return problem is None

    def _send(self, batch: dict[str, Path]) -> None:
        """Upload offline files, run id -> file, by `wandb sync`. Only its log shows reliably what failed."""
        logs = self.sweep.sync_log
        shutil.rmtree(logs, ignore_errors=True)
        wandb = import_client()
        wandb.teardown()  # its settings, with the folder of the log, are read once per process
        os.environ["WANDB_DIR"] = str(logs)
        for file in batch.values():
            file.with_name(file.name + ".synced").unlink(missing_ok=True)  # wrong: the server does not have the run
        try:
            logs.mkdir(parents=True)
            failures = _wandb_sync(list(batch.values()))
            wandb.teardown()
            errors = logged_errors(logs.rglob("debug-sync*.log"))
        finally:
            del os.environ["WANDB_DIR"]
        for run, file in batch.items():
            reasons = errors.get(str(file), []) + errors.get("", []) + failures
            if not reasons and file.with_name(file.name + ".synced").exists():
                self._mark_sent(run, file)
            else:
                self.result.failed[run] = self.server.clean(reasons[-1] if reasons else "the client gave up")
        self.report(f"{number_of(len(self.result.sent), 'run')} sent")
        self._check_server(batch)
        shutil.rmtree(logs, ignore_errors=True)

    def _complete(self, run: str, file: Path) -> None:
        """Send the rest of a run of which the server has a part."""
        try:
            project, entity, _ = _destination(file) or next(iter(self.destinations), ("sweeps", "", ""))
            client = Client(self.sweep.mirror, project=project, entity=entity or None, mode="online", fall_back=False)
            content = run_content(self.sweep.cell(run.partition("-")[0]))
            client.write(content, media=file.parent / "files")
            client.flush()
        except Exception as error:  # the client raises many kinds
            self.result.failed[run] = self.server.clean(error)
            self._check_server([run])
            return
        self._mark_sent(run, file)
        for folder in run_folders(self.sweep.mirrored_runs)[run]:
            if folder != file.parent:
                shutil.rmtree(folder)  # the attempt just made, and earlier ones that were interrupted

    def _mark_sent(self, run: str, file: Path) -> None:
        _sent_marker(file).touch()
        self.result.sent.append(run)

    def _check_server(self, runs: Iterable[str]) -> None:
        """If one of `runs` failed, end the sync with a SweepsError unless the server still answers."""
        if self.result.failed.keys() & set(runs):
            try:
                self.server.check()
            except SweepsError as error:
                raise SweepsError(
                    f"{error} {number_of(len(self.result.sent), 'run')} sent; sync again for the rest."
                ) from error


def _sent_marker(file: Path) -> Path:
    return file.with_name(file.name + SENT)


def _destination(file: Path) -> tuple[str, str, str] | None:
    """(project, entity, group) of the run in an offline file; None if the file is damaged before they come."""
    try:
        for record in offline_file.records(file):
            if record.WhichOneof("record_type") == "run":
                return record.run.project, record.run.entity, record.run.run_group
    except (offline_file.LogError, OSError):
        pass
    return None


def _wandb_sync(files: Sequence[Path]) -> list[str]:
    """Run `wandb sync FILE ...` in this process, so that both end together; returns the errors that stopped it."""
    from wandb.cli.cli import cli

    try:
        with open(os.devnull, "w") as null, redirect_stdout(null), redirect_stderr(null):
            cli.main(["sync", "-n", str(PARALLEL), *map(str, files)], standalone_mode=False)
    except (Exception, SystemExit) as error:
        return [f"{type(error).__name__}: {error}"]
    return []
