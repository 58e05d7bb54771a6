"""Imports `wandb_workspaces`, which builds W&B's workspaces and reports, when it is needed."""

from __future__ import annotations

import importlib
import warnings
from typing import Any, NamedTuple

from sweeps.errors import SweepsError


class Library(NamedTuple):
    """Modules of `wandb_workspaces`."""

    workspaces: Any
    reports: Any
    expr: Any
    graphql: Any


def library() -> Library:
    """Import `wandb_workspaces`, which takes a second and needs neither a key nor a server.

    Raises:
        SweepsError: it is not installed, or is not compatible with the installed client.
    """
    names = ("workspaces", "reports.v2", "expr", "_graphql")
    try:
        with warnings.catch_warnings():  # wandb-workspaces 0.4.13 uses what pydantic calls deprecated
            warnings.simplefilter("ignore", DeprecationWarning)
            return Library(*(importlib.import_module(f"wandb_workspaces.{name}") for name in names))
    except Exception as error:
        raise SweepsError(f"W&B workspaces cannot be made ({error}): install wandb-workspaces.") from error
