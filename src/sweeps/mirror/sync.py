"""Send mirrored runs to the W&B server: each once, and no run is called sent that did not arrive.

What the server already knows decides, not what is on this disk, so a mirror folder that was copied, lost or
killed in the middle sends nothing twice. A run that the server does not know is uploaded from its offline file by
the client's own `wandb sync`; one that it knows, but that was never confirmed, is played again from the CSV
records with `resume="allow"`, which adds only the rows that are missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sweeps.errors import SweepsError
from sweeps.mirror import offline_file
from sweeps.mirror.client import SENT, Client, logged_errors
from sweeps.mirror.environment import client_environment, import_client
from sweeps.mirror.folder import hold_mirror, is_offline, offline_path, run_folders
from sweeps.mirror.run import run_content
from sweeps.mirror.server import Server
from sweeps.records.paths import SweepPaths

BATCH = 50  # runs that the client is given at once: it forgets messages beyond 128
PARALLEL = 5  # of them at the same time, the client's own default


@dataclass
class SyncResult:
    """What became of the mirrored runs of a sweep, by run id."""

    sent: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # run id -> reason
    damaged: dict[str, str] = field(default_factory=dict)  # run id -> what is wrong with its offline file


def sync(sweep: SweepPaths, said: Callable[[str], None] = lambda text: None) -> SyncResult:
    """Send every mirrored run of a sweep that is not sent yet.

    Args:
        said: is given a line of progress now and then.

    Raises:
        SweepsError: nothing can be sent, or no more (no key, a wrong key, no network, the server went away ...).
    """
    with client_environment(), hold_mirror(sweep):
        try:
            return _Upload(sweep, said).run()
        finally:
            with suppress(Exception):
                import_client().teardown()


class _Upload:
    def __init__(self, sweep: SweepPaths, said: Callable[[str], None]) -> None:
        self.sweep, self.said = sweep, said
        self.result = SyncResult()

    def run(self) -> SyncResult:
        files: dict[str, Path] = {}
        mirrored = run_folders(self.sweep.mirrored_runs)
        if not mirrored:
            again = f"python -m sweeps mirror experiment={self.sweep.root.name}"
            raise SweepsError(f"Nothing of {self.sweep.root} is mirrored yet: `{again}` does it from the CSV records.")
        for run, folders in mirrored.items():
            found = [offline_path(folder, run) for folder in folders]
            if any(_sent(file).exists() for file in found):
                self.result.already.append(run)
            else:
                files[run] = next((file for file in found if not offline_file.problem(file)), found[-1])
        if not files:
            return self.result
        self.server = Server()
        self.places = sorted({place for file in files.values() if (place := _place(file))})
        known = set().union(*(self.server.runs(*place) for place in self.places)) & files.keys()
        later = sorted(run for run, file in files.items() if run in known or not is_offline(file.parent))
        fresh = [run for run in files.keys() - set(later) if self._whole(run, files[run])]
        fresh.sort()
        for start in range(0, len(fresh), BATCH):
            self._send({run: files[run] for run in fresh[start : start + BATCH]})
        for run in later:
            self._complete(run, files[run])
        return self.result

    def _whole(self, run: str, file: Path) -> bool:
        if problem := offline_file.problem(file):
            self.result.damaged[run] = problem
        return problem is None

    def _send(self, batch: dict[str, Path]) -> None:
        """Upload offline files by `wandb sync`, and believe its log only."""
        logs = self.sweep.mirror / "sync-log"
        shutil.rmtree(logs, ignore_errors=True)
        wandb = import_client()
        wandb.teardown()  # its settings are read once, and the place of the log is one of them
        os.environ["WANDB_DIR"] = str(logs)
        for file in batch.values():
            file.with_name(file.name + ".synced").unlink(missing_ok=True)  # the server knows better
        try:
            logs.mkdir(parents=True)
            trouble = _wandb_sync(list(batch.values()))
            wandb.teardown()
            errors = logged_errors(logs.rglob("debug-sync*.log"))
        finally:
            del os.environ["WANDB_DIR"]
        for run, file in batch.items():
            reasons = errors.get(str(file), []) + errors.get("", []) + trouble
            if not reasons and file.with_name(file.name + ".synced").exists():
                self._is_sent(run, file)
            else:
                self.result.failed[run] = self.server.clean(reasons[-1] if reasons else "the client gave it up")
        self.said(f"{len(self.result.sent)} runs sent")
        self._still_there(batch)
        shutil.rmtree(logs, ignore_errors=True)

    def _complete(self, run: str, file: Path) -> None:
        """Let the server have the rest of a run of which it knows."""
        try:
            project, entity, _ = _place(file) or next(iter(self.places), ("sweeps", "", ""))
            client = Client(self.sweep.mirror, project=project, entity=entity or None, asked="online", fall_back=False)
            content = run_content(self.sweep.cell(run.partition("-")[0]))
            client.write(content, media=file.parent / "files")
            client.flush()
        except Exception as error:  # the client has many
            self.result.failed[run] = self.server.clean(error)
            self._still_there([run])
            return
        self._is_sent(run, file)
        for folder in run_folders(self.sweep.mirrored_runs)[run]:
            if folder != file.parent:
                shutil.rmtree(folder)  # this attempt and those that were cut off

    def _is_sent(self, run: str, file: Path) -> None:
        _sent(file).touch()
        self.result.sent.append(run)

    def _still_there(self, runs: Iterable[str]) -> None:
        """After a failure: whether going on makes sense."""
        if self.result.failed.keys() & set(runs):
            try:
                self.server.check()
            except SweepsError as error:
                raise SweepsError(
                    f"{error} {len(self.result.sent)} runs were sent; sync again for the rest."
                ) from error


def _sent(file: Path) -> Path:
    return file.with_name(file.name + SENT)


def _place(file: Path) -> tuple[str, str, str] | None:
    """(project, entity, group) of the run in an offline file, if it can be read that far."""
    try:
        for record in offline_file.records(file):
            if record.WhichOneof("record_type") == "run":
                return record.run.project, record.run.entity, record.run.run_group
    except (offline_file.LogError, OSError):
        pass
    return None


def _wandb_sync(files: Sequence[Path]) -> list[str]:
    """`wandb sync FILE ...` in this process, so that it ends when this does; gives what stopped it, if anything."""
    from wandb.cli.cli import cli

    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            cli.main(["sync", "-n", str(PARALLEL), *map(str, files)], standalone_mode=False)
    except (Exception, SystemExit) as error:
        return [f"{type(error).__name__}: {error}"]
    return []
