"""Checks the names on a command line before anything is composed, so that every misspelling is reported at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import fields

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, RangeSweep
from hydra.errors import HydraException

from sweeps.config.places import choices, defaults
from sweeps.config.schema import GROUPS, SECTIONS, Settings
from sweeps.errors import nearest, unknown

CHOSEN = (*GROUPS, "experiment")


def known_keys() -> set[str]:
    """Every dotted setting that some choice of some group has, and the group names themselves."""
    keys = {each.name for each in fields(Settings)} - (set(SECTIONS) - set(GROUPS))
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
        raise ValueError(_no_values(override))
    return found


def misread(word: str, commands: Collection[str]) -> str:
    """A sentence for a first word that is neither a command nor a setting with a value."""
    if word in known_keys():
        return f"{word!r} is a setting and has no value; write {word}=value"
    of = [group for group in CHOSEN if word in choices(group)]
    near = f"{of[0]}={word}" if of else nearest(word, commands)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{word!r} is no command{hint} (commands: {', '.join(commands)}; settings are key=value)"


def how_many(override: Override) -> int:
    """How many values it has; those of a range are counted, not listed.

    Raises:
        ValueError: its values cannot be listed.
    """
    given = override.value() if override.is_sweep_override() else None
    if not isinstance(given, RangeSweep):
        return len(values(override))
    start, stop, step = given.start or 0, given.stop or 0, given.step
    count = math.ceil((stop - start) / step) if step else 0
    if count < 1:
        raise ValueError(_no_values(override))
    return count


def _no_values(override: Override) -> str:
    return f"{override.input_line!r} has no list of values; write key=a,b,c or key=range(5)"


def given_twice(arguments: Sequence[str]) -> list[str]:
    """A sentence for every setting that a sweep is given more than once, of which Hydra would take the last."""
    given: dict[str, list[str]] = {}
    for text in arguments:
        with suppress(ValueError):  # which is told elsewhere
            given.setdefault(parse_override(text).get_key_element().lstrip("+~"), []).append(text)
    return [
        f"{key}: given {len(texts)} times ({' and '.join(texts)}), must be given once; several values are {key}=a,b,c"
        for key, texts in given.items()
        if len(texts) > 1
    ]


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
    if key in CHOSEN:
        return [unknown(key, name, choices(key)) for name in values(override) if name not in choices(key)]
    how_many(override)
    return []
