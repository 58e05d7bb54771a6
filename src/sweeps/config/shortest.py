"""From the settings of a cell back to the command line: what differs from the defaults, the fewest words to type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sweeps.config.command_line import load
from sweeps.config.compose import Composer, composed
from sweeps.config.identity import EXCLUDED, cell_id, deciding, filled
from sweeps.config.parse import parse
from sweeps.config.places import choices
from sweeps.config.schema import GROUPS, Settings, as_dict
from sweeps.errors import SweepsError

CHOSEN = tuple(group for group in GROUPS if group not in EXCLUDED)
"""The groups that decide a cell's numbers."""
Compose = Callable[[Sequence[str]], dict[str, Any]]


@cache
def _composer() -> Composer:
    """One for all calls: Hydra composes each choice once."""
    return Composer(load)


@cache
def _standard(overrides: tuple[str, ...]) -> Settings:
    """What an experiment file and choices compose to, or the defaults; cells of a sweep share few of them."""
    settings, problems = composed(_composer(), overrides)
    if settings is None:
        raise SweepsError("; ".join(problems))
    return settings


def settings_from(config: Mapping[str, Any], cell: str) -> Settings:
    """The settings of a cell as its `config.yaml` or its plan holds them, as this version reads them.

    Args:
        config: settings that decide no numbers are the defaults where they are not there.

    Raises:
        SweepsError: this version cannot read them.
    """
    usual = as_dict(_standard(()))
    idle = {
        key: usual[section][name] if name else usual[section]
        for key in EXCLUDED
        for section, _, name in [key.partition(".")]
    }
    settings, problems = parse(filled(config, idle))
    if settings is None:
        raise SweepsError(f"the settings of {cell} are not those of this version: {'; '.join(problems)}")
    return settings


def changed(settings: Settings) -> dict[str, Any]:
    """The settings that decide numbers and differ from the defaults of `conf/`, by the name that they are typed with.

    A choice comes first (`arch`), then what differs from that choice's own defaults (`arch.hidden`).
    """
    return _changed(settings, [])


def shortest(settings: Settings, cell: str, *, in_place: bool = False) -> list[str]:
    """The fewest overrides that compose to the cell, found by composing them; an experiment file may be one of them.

    Args:
        in_place: name the experiment if it has a file, so that the record lies where its others lie.

    Raises:
        SweepsError: no command line gives this id today; the message says why.
    """
    if (now := cell_id(settings)) != cell:
        raise SweepsError(f"this version gives these settings the id {now}")
    compose = _composer()
    bases: list[list[str]] = [[]]
    if settings.experiment in choices("experiment"):
        bases.append([f"experiment={settings.experiment}"])
    jobs = [[*base, *_overrides(_changed(settings, base))] for base in bases]
    found = [_without_idle(job, cell, compose) for job in jobs if _makes(job, cell, compose)]
    if not found:
        raise SweepsError("its settings cannot be typed")
    return found[-1] if in_place else min(found, key=lambda job: (len(job), sum(map(len, job))))


def _changed(settings: Settings, base: Sequence[str]) -> dict[str, Any]:
    """The settings that differ from what `base` composes to."""
    standard = _standard(tuple(base))
    names = {group: getattr(settings, group).name for group in CHOSEN}
    chosen = {group: name for group, name in names.items() if name != getattr(standard, group).name}
    standard = _standard((*base, *_overrides(chosen)))  # fails for a choice that is no longer there
    usual, own = deciding(standard), deciding(settings)
    different: dict[str, Any] = {}
    for section, values in own.items():
        if section in chosen:
            different[section] = chosen[section]
        if isinstance(values, dict):
            different |= {
                f"{section}.{name}": value
                for name, value in values.items()
                if name != "name" and value != usual[section].get(name)
            }
        elif values != usual[section]:
            different[section] = values
    return different


def _overrides(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()]


def _makes(job: Sequence[str], cell: str, compose: Compose) -> bool:
    settings, _ = composed(compose, job)
    return settings is not None and cell_id(settings) == cell


def _without_idle(job: list[str], cell: str, compose: Compose) -> list[str]:
    """The job without the values that change nothing, as one that follows another setting; a choice always does."""
    for override in [text for text in job if "." in text.partition("=")[0]]:
        fewer = [text for text in job if text != override]
        job = fewer if _makes(fewer, cell, compose) else job
    return job
