"""The W&B client, told to be lean, quiet, bounded in time and never to ask anything."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import SweepsError, unknown
from .wandb_run import RunContent

MODES = ("offline", "online", "auto", "disabled")
_SAME_MODE = {"dryrun": "offline", "run": "online"}  # the client's old names
_LEAN = {  # a third of the default cost per run; what is left out is known from the records
    "console": "off",
    "disable_git": True,
    "save_code": False,
    "symlink": False,
    "x_disable_meta": True,
    "x_disable_machine_info": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
_BOUNDED = {  # the defaults wait for minutes, or for ever
    "init_timeout": 15.0,
    "finish_timeout": 120.0,
    "finish_timeout_raises": True,
    "x_graphql_retry_max": 3,
}
_QUIET = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
_PER_RUN = (  # meant for one run of some other program; here they would apply to every cell
    "WANDB_DIR",
    "WANDB_RUN_ID",
    "WANDB_NAME",
    "WANDB_NOTES",
    "WANDB_TAGS",
    "WANDB_RUN_GROUP",
    "WANDB_JOB_TYPE",
    "WANDB_RESUME",
    "WANDB_SWEEP_ID",
    "WANDB_SWEEP_PARAM_PATH",
    "WANDB_SERVICE",
)


def requested_mode(setting: str) -> str:
    """The mode that is asked for, one of `MODES`: WANDB_MODE where it is set, else the setting.

    Raises:
        SweepsError: there is no such mode.
    """
    variable = os.environ.get("WANDB_MODE")
    asked = variable or setting
    asked = _SAME_MODE.get(asked, asked)
    if asked not in MODES:
        raise SweepsError(unknown("WANDB_MODE" if variable else "tracker mode", asked, MODES))
    return asked


@contextmanager
def client_environment() -> Iterator[None]:
    """Keeps the client quiet, and away from what the environment says about some other run."""
    before = dict(os.environ)
    os.environ.update(_QUIET)
    for name in _PER_RUN:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name in (*_QUIET, *_PER_RUN):
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


class Client:
    """Writes runs into `<root>/wandb/`, one at a time; use it inside `client_environment`.

    Attributes:
        mode: `offline` or `online`; goes offline for good when the server cannot be had.
        notes: sentences the user should see.
    """

    def __init__(self, root: Path, *, project: str, entity: str | None, asked: str) -> None:
        """`asked` is `offline`, `online` or `auto`.

        Raises:
            SweepsError: the client is not installed, or does not import.
        """
        self.root, self.project, self.entity = Path(os.path.abspath(root)), project, entity
        self.notes: list[str] = []
        try:
            self._wandb: Any = importlib.import_module("wandb")
        except Exception as error:
            raise SweepsError(
                f"The W&B client cannot be imported ({error}): install wandb, or use tracker=csv."
            ) from error
        self.mode = "offline" if asked == "offline" else self._mode_by_key(asked)

    def write(self, content: RunContent) -> Path:
        """Write one run and return its file, which is only sure to be complete after `flush`.

        Raises:
            Exception: of any kind; the client has many.
        """
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
                run.finish(exit_code=1)
            raise
        run.finish()  # online this waits for the upload, and raises when it takes too long
        if self.mode == "online":
            path.with_name(path.name + ".synced").touch()
        return path

    def flush(self) -> None:
        """Wait until every file is written, and end the client's own process; `write` starts a new one."""
        self._wandb.teardown()

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
                resume="allow" if online else None,  # offline it would be applied at upload and move the steps
                settings={**_LEAN, **_BOUNDED} if online else dict(_LEAN),  # a Settings object leaks state
            )
        except Exception as error:
            if not online:
                raise
            self.mode = "offline"
            self.notes.append(
                f"W&B could not be reached ({type(error).__name__}): runs are kept offline in {self.root}."
            )
            for folder in (self.root / "wandb").iterdir():  # nothing of it was sent
                if folder.name.startswith("run-") and folder.name.endswith(content.id):
                    shutil.rmtree(folder)
            self.flush()  # or the client says that the id is in use
            return self._start(content)

    def _mode_by_key(self, asked: str) -> str:
        """Online where a key is found, without a prompt and without the network."""
        from wandb.sdk.lib import wbauth  # what `wandb.init` itself asks: the environment, then .netrc

        try:
            host = self._wandb.setup().settings.base_url
            key = wbauth.authenticate_session(host=host, source="sweeps", prompt=False, update_session=False)
        except Exception as error:
            self.notes.append(f"The W&B key cannot be used ({error}): runs are kept offline in {self.root}.")
            return "offline"
        if key is None and asked == "online":
            self.notes.append(f"No W&B key (`wandb login` makes one): runs are kept offline in {self.root}.")
        return "online" if key else "offline"
