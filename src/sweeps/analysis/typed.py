"""What to type to have a run again, and which of its settings differ from the defaults. Imports Hydra."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.config.shortest import changed, settings_from, shortest
from sweeps.errors import SweepsError


@dataclass(frozen=True)
class Typed:
    """What was typed for a run, as far as it is known today.

    Attributes:
        changed: names of the settings that differ from the defaults.
        command: the command line to type again, or why there is none, in brackets.
    """

    changed: Collection[str]
    command: str

    @property
    def known(self) -> bool:
        """Whether there is a command line."""
        return not self.command.startswith("(")


def typed(config: Mapping[str, Any], cell: str, *, into: Sequence[str] | None = None) -> Typed:
    """What to type for the cell with these settings; `config` is empty where they are not known.

    Args:
        into: what else says where the record is to lie, `runs_dir=...`; None if it may lie anywhere.
    """
    different: set[str] = set()
    if not config:
        return Typed(different, "(its settings are not known)")
    try:
        settings = settings_from(config, cell)
        different = set(changed(settings))
        return Typed(different, command_line([*shortest(settings, cell, in_place=into is not None), *(into or ())]))
    except SweepsError as error:
        return Typed(different, f"(no command line gives this id: {error})")


def command_line(overrides: Sequence[str]) -> str:
    """The command line of overrides, quoted for a shell."""
    return f"python -m sweeps {shlex.join(overrides)}".rstrip()
