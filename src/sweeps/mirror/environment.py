"""The environment variables of the W&B client, its import, and its mode and key, found without a prompt."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sweeps.config.schema import MODES
from sweeps.errors import SweepsError, unknown
from sweeps.temporary import folder_of_this_process

_SAME_MODE = {"dryrun": "offline", "run": "online"}  # the client's old names
_QUIET = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
_PATIENCE = {  # 1 + 2 + 4 + 8 seconds; by default a request is repeated for a quarter of an hour
    f"WANDB__{kind}_RETRY_{what}": value
    for kind in ("GRAPHQL", "FILE_STREAM", "FILE_TRANSFER")
    for what, value in (("MAX", "4"), ("WAIT_MIN_SECONDS", "1"), ("WAIT_MAX_SECONDS", "8"))
}
_PER_RUN = (  # meant for a single run; here they would apply to the run of every cell
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
    """The requested mode, one of `MODES`: WANDB_MODE if it is set, else the setting.

    Raises:
        SweepsError: there is no such mode.
    """
    variable = os.environ.get("WANDB_MODE")
    mode = variable or setting
    mode = _SAME_MODE.get(mode, mode)
    if mode not in MODES:
        raise SweepsError(unknown("WANDB_MODE" if variable else "tracker mode", mode, MODES))
    return mode


@contextmanager
def client_environment() -> Iterator[None]:
    """Set the variables that keep the client quiet, and unset those meant for a single run; on leaving, restore all."""
    before = dict(os.environ)
    os.environ.update({**_PATIENCE, **before, **_QUIET})
    for name in _PER_RUN:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name in (*_QUIET, *_PATIENCE, *_PER_RUN):
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


def import_client() -> Any:
    """The module `wandb`.

    Raises:
        SweepsError: it is not installed, or does not import.
    """
    folder_of_this_process()  # the client makes its temporary folders there
    try:
        return importlib.import_module("wandb")
    except Exception as error:
        raise SweepsError(f"The W&B client cannot be imported ({error}): install wandb, or use tracker=csv.") from error


def find_key(wandb: Any) -> Any:
    """The key that `wandb.init` itself would find, in the environment or in .netrc, or None. Never prompts.

    Raises:
        SweepsError: the key is malformed.
    """
    from wandb.sdk.lib import wbauth

    try:
        host = wandb.setup().settings.base_url
        return wbauth.authenticate_session(host=host, source="sweeps", prompt=False, update_session=False)
    except Exception as error:
        raise SweepsError(f"The W&B key cannot be used ({error}).") from error
