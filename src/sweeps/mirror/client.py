"""The W&B client, set up to be lean and quiet, to give up in time and never to prompt."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sweeps.errors import SweepsError
from sweeps.mirror.environment import find_key, import_client
from sweeps.mirror.run_content import HEAT_MAP, RunContent

_LEAN = {  # a third of the default cost per run; the records hold what is left out
    "console": "off",
    "disable_git": True,
    "save_code": False,
    "symlink": False,
    "x_disable_meta": True,
    "x_disable_machine_info": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
_BOUNDED = {  # seconds; the defaults wait for minutes, or for ever
    "init_timeout": 15.0,
    "finish_timeout": 120.0,
    "finish_timeout_raises": True,
}
SENT = ".sent"
"""Suffix of the empty file beside a run's `.wandb` file that marks it as sent: the server took all of it.

The client's own `.synced` does not mean that: it is written after a failed upload too.
"""


class Client:
    """Writes runs into `<root>/wandb/`, one at a time; use it inside `client_environment`.

    Attributes:
        mode: `offline` or `online`; becomes `offline` for good when the server cannot be reached.
        notes: sentences the user should see.
    """

    def __init__(self, root: Path, *, project: str, entity: str | None, mode: str, fall_back: bool = True) -> None:
        """Import the client and find its key.

        Args:
            mode: requested, one of `offline`, `online` and `auto`, which is online if there is a key.
            fall_back: go offline when the server cannot be reached, instead of raising.

        Raises:
            SweepsError: the client is not installed, or does not import.
        """
        self.root, self.project, self.entity = Path(os.path.abspath(root)), project, entity
        self.runs = self.root / "wandb"
        self.fall_back = fall_back
        self.notes: list[str] = []
        self._wandb = import_client()
        self.mode = "offline" if mode == "offline" else self._mode_by_key(mode)

    def write(self, content: RunContent, media: Path | None = None) -> Path:
        """Write one run and return its file, which may be incomplete until `flush`.

        Args:
            media: `files` folder of an earlier attempt; rows that the server has already may refer to its pictures.

        Raises:
            UploadError: online, the server did not take everything.
            Exception: anything else that the client raises.
        """
        run = self._start(content)
        # The only private interface in use: `log` would wait until each row is handed over, a third of a run's time.
        run._interface._publish = partial(run._interface._publish, nowait=True)
        path = Path(run.settings.sync_dir) / f"run-{content.id}.wandb"
        try:
            if self.root not in path.parents:  # the client falls back to the system's temporary folder
                raise SweepsError(f"W&B cannot write in {self.root}.")
            last = max((step for step, _ in content.history), default=-1)
            picture = self._picture(content) if run.starting_step <= last else {}  # else the server has the last row
            for image in media.rglob("*.png") if media else ():
                run.save(image, base_path=media, policy="now", glob=False)
            for step, row in content.history:
                run.log({**row, **picture} if step == last else row, step=step, commit=True)
            run.summary.update(content.summary)
        except BaseException:
            with suppress(Exception):
                run.finish(exit_code=1)
            raise
        run.finish()  # online this waits for the upload, and raises when it takes too long
        if self.mode == "online":
            if errors := logged_errors((path.parent / "logs").glob("debug-internal*.log")):
                raise UploadError(errors[""][-1])  # finish() does not raise it
            path.with_name(path.name + SENT).touch()
        return path

    def _picture(self, content: RunContent) -> dict[str, Any]:
        if content.heat_map is None:
            return {}
        return {HEAT_MAP: self._wandb.Image(content.heat_map, caption="log10 ||dL/dh_t|| by lag and training step")}

    def flush(self) -> None:
        """Wait until every file is written, and end the client's background process; `write` starts a new one."""
        self._wandb.teardown()

    def go_offline(self, reason: str) -> None:
        """Write all further runs to this disk only."""
        self.mode = "offline"
        self.notes.append(f"{reason}: runs are kept offline in {self.root}; `python -m sweeps sync` sends them.")

    def _start(self, content: RunContent) -> Any:
        online = self.mode == "online"
        try:
            return self._wandb.init(
                project=self.project,
                entity=self.entity,
                mode=self.mode,
                dir=str(self.root),
                id=content.id,
                name=content.name,
                group=content.group,
                job_type=content.job_type,
                tags=content.tags,
                config=content.config,
                reinit="create_new",
                resume="allow" if online else None,  # in an offline run it takes effect at upload and shifts the steps
                settings={**_LEAN, **_BOUNDED} if online else dict(_LEAN),  # a Settings object leaks state
            )
        except Exception as error:
            if not (online and self.fall_back):
                raise
            self.go_offline(f"W&B could not be reached ({type(error).__name__})")
            for folder in self.runs.iterdir():  # the attempt, of which nothing was sent
                if folder.name.startswith("run-") and folder.name.endswith(content.id):
                    shutil.rmtree(folder)
            self.flush()  # otherwise the client reports that the id is in use
            return self._start(content)

    def _mode_by_key(self, requested: str) -> str:
        """Online if a key is found."""
        try:
            key = find_key(self._wandb)
        except SweepsError as error:
            self.notes.append(f"{error} Runs are kept offline in {self.root}.")
            return "offline"
        if key is None and requested == "online":
            self.notes.append(f"No W&B key (`wandb login` makes one): runs are kept offline in {self.root}.")
        return "online" if key else "offline"


class UploadError(Exception):
    """The server did not take everything; the message is the last error in the client's log."""


def brief(text: str) -> str:
    """A message of the client in one line of at most 300 characters, from its cause on, which it names last."""
    return " ".join(text.split()).rpartition("while retrying: ")[2][:300]


def logged_errors(logs: Iterable[Path]) -> dict[str, list[str]]:
    """Errors in the client's own logs: file of a run ("" where none is named) -> messages.

    Only these logs show that an upload was given up: the client still exits with status 0, makes its marker and
    returns from `finish`.
    """
    messages: dict[str, list[str]] = {}
    for log in logs:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if '"level":"ERROR' not in line:
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"msg": line}
            if entry.get("msg") != "api: HTTP error":  # logged at every attempt, also if a later one succeeds
                message = " ".join(str(entry[key]) for key in ("msg", "error") if entry.get(key))
                messages.setdefault(entry.get("sync_path", ""), []).append(brief(message))
    return messages
