"""Checks the names on a command line before anything is composed, so that every misspelling is reported at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from contextlib import suppress

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, RangeSweep
from hydra.errors import HydraException

from sweeps.config.keys import known_keys
from sweeps.config.places import choices
from sweeps.config.schema import GROUPS, SECTIONS
from sweeps.errors import nearest, unknown

LISTS = ("probe",)
"""Settings whose values, with commas between them, belong to the same cell."""
CHOSEN = (*GROUPS, "experiment")
"""Keys whose value is the name of a configuration file."""


def parse_override(text: str) -> Override:
    """One `key=value` of the command line.

    Raises:
        ValueError: the text is not of that form.
    """
    parse = OverridesParser.create().parse_override
    with suppress(HydraException):
        return parse(text)
    key, _, value = text.partition("=")
    with suppress(HydraException):
        if "/" in value:
            parse(quoted := f'{key}="{value}"')
            raise ValueError(f"{text!r} cannot be read; a path with such characters stands in quotes: '{quoted}'")
    raise ValueError(f"{text!r} is not a setting; write key=value, for example task.length=100")


def quoted(arguments: Sequence[str]) -> list[str]:
    """The command line with `probe=a,b` as one value: a list of names, not an axis."""
    return [
        f"{key}='{value}'" if key in LISTS and "," in value and value[0] not in "'\"[" else text
        for text in arguments
        for key, _, value in [text.partition("=")]
    ]


def values(override: Override) -> list[str]:
    """The values that the override gives its key; several for an axis of a sweep.

    Raises:
        ValueError: its values cannot be listed.
    """
    if not override.is_sweep_override():
        return [str(override.get_value_element_as_str())]
    try:
        pattern = override.value()
        if isinstance(pattern, Glob):
            listed = pattern.filter(choices(override.key_or_group))
        else:
            listed = list(override.sweep_string_iterator())
    except HydraException:
        listed = []  # an interval
    if not listed:
        raise ValueError(_no_values(override))
    return listed


def misread(word: str, commands: Collection[str]) -> str:
    """The message for a first word that is neither a command nor `key=value`."""
    if word in known_keys():
        return f"{word!r} is a setting and has no value; write {word}=value"
    groups = [group for group in CHOSEN if word in choices(group)]
    near = f"{groups[0]}={word}" if groups else nearest(word, commands)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{word!r} is no command{hint} (commands: {', '.join(commands)}; settings are key=value)"


def how_many(override: Override) -> int:
    """The number of values of an override; those of a range are counted without listing them.

    Raises:
        ValueError: its values cannot be listed.
    """
    value = override.value() if override.is_sweep_override() else None
    if not isinstance(value, RangeSweep):
        return len(values(override))
    start, stop, step = value.start or 0, value.stop or 0, value.step
    count = math.ceil((stop - start) / step) if step else 0
    if count < 1:
        raise ValueError(_no_values(override))
    return count


def _no_values(override: Override) -> str:
    return f"{override.input_line!r} has no list of values; write key=a,b,c or key=range(5)"


def given_twice(arguments: Sequence[str]) -> list[str]:
    """A problem for every setting that is given more than once, of which Hydra would silently take the last."""
    texts_of: dict[str, list[str]] = {}
    for text in arguments:
        with suppress(ValueError):  # reported by `check_names`
            texts_of.setdefault(parse_override(text).get_key_element().lstrip("+~"), []).append(text)
    return [
        f"{key}: given {len(texts)} times ({' and '.join(texts)}), must be given once; several values are {key}=a,b,c"
        for key, texts in texts_of.items()
        if len(texts) > 1
    ]


def check_names(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides whose names all exist, and the problems of the others."""
    good: list[str] = []
    problems: list[str] = []
    keys = known_keys()
    for text in overrides:
        try:
            wrong = _wrong_names(parse_override(text), keys)
        except ValueError as error:
            wrong = [str(error)]
        problems += wrong
        if not wrong:
            good.append(text)
    return good, problems


def _wrong_names(override: Override, keys: set[str]) -> list[str]:
    key = override.key_or_group
    if key == "hydra" or key.startswith(("hydra.", "hydra/")):
        return []  # Hydra's own settings are Hydra's to check
    if key.endswith(".name") and key.removesuffix(".name") in CHOSEN:
        return [unknown("setting", key, [key.removesuffix(".name")])]
    if key not in keys:
        section = f"{key.partition('.')[0]}."
        plain = {f"{name}.*" for name in SECTIONS if name not in GROUPS}
        top = {known for known in keys if "." not in known} | plain
        nearby = {known for known in keys if known.startswith(section)} or top
        return [unknown("setting", key, nearby | ({near} if (near := nearest(key, keys)) else set()))]
    if override.is_add() or override.is_delete():
        return [f"{override.input_line!r} adds or removes a setting; every cell has the same, write {key}=value"]
    if key in CHOSEN:
        return [unknown(key, name, choices(key)) for name in values(override) if name not in choices(key)]
    how_many(override)
    return []
