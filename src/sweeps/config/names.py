"""Checks the names on a command line before anything is composed, so that every misspelling is reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from sweeps.config.places import choices, defaults
from sweeps.config.schema import GROUPS, SECTIONS, Settings
from sweeps.errors import nearest, unknown

CHOSEN = (*GROUPS, "experiment")


def known_keys() -> set[str]:
    """Every dotted setting that some choice of some group has, and the group names themselves."""
    keys = {each.name for each in fields(Settings)} - {"train"}
    for section, cls in SECTIONS.items():
        keys |= {f"{section}.{each.name}" for each in fields(cls) if each.name not in ("options", "name")}
        if section in GROUPS:
            keys |= {f"{section}.{key}" for name in choices(section) for key in defaults(section, name)}
    return keys - {f"{group}.name" for group in GROUPS}  # a name is chosen with its group


def parse_override(text: str) -> Override:
    """One `key=value` of the command line.

    Raises:
        ValueError: it is not one; the message says what was given.
    """
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException:
        raise ValueError(f"{text!r} is not a setting; write key=value, for example task.length=100") from None


def values(override: Override) -> list[str]:
    """What the override sets its key to; several for a sweep.

    Raises:
        ValueError: its values cannot be listed.
    """
    if not override.is_sweep_override():
        return [str(override.get_value_element_as_str())]
    try:
        pattern = override.value()
        found = pattern.filter(choices(override.key_or_group)) if isinstance(pattern, Glob) else None
        found = list(override.sweep_string_iterator()) if found is None else found
    except HydraException:
        found = []  # an interval
    if not found:
        raise ValueError(f"{override.input_line!r} has no list of values; write key=a,b,c or key=range(5)")
    return found


def check_names(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides whose names all exist, and what is wrong with the others."""
    good: list[str] = []
    problems: list[str] = []
    keys = known_keys()
    for text in overrides:
        try:
            found = _wrong_names(parse_override(text), keys)
        except ValueError as error:
            found = [str(error)]
        problems += found
        if not found:
            good.append(text)
    return good, problems


def _wrong_names(override: Override, keys: set[str]) -> list[str]:
    key = override.key_or_group
    if key == "hydra" or key.startswith(("hydra.", "hydra/")):
        return []  # Hydra's own settings are Hydra's to check
    if key not in keys:
        section = f"{key.partition('.')[0]}."
        nearby = {known for known in keys if known.startswith(section)} or {known for known in keys if "." not in known}
        return [unknown("setting", key, nearby | ({near} if (near := nearest(key, keys)) else set()))]
    if override.is_add() or override.is_delete():
        return [f"{override.input_line!r} adds or removes a setting; every cell has the same, write {key}=value"]
    given = values(override)
    if key in CHOSEN:
        return [unknown(key, name, choices(key)) for name in given if name not in choices(key)]
    return []
