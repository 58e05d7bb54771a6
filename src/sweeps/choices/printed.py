"""The choices as lines of text within a width: all of them, one group or section, one choice."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from sweeps.choices.catalogue import (
    Choice,
    Setting,
    described,
    groups,
    options,
    section_settings,
    sections,
)
from sweeps.choices.folding import GAP, cut, folded, table
from sweeps.config.schema import Value

MORE = "python -m sweeps choices arch=lstm tells all of one choice, choices arch of a group, choices train of a section"
DEFAULT = "* is chosen if nothing else is said."


def everything(width: int) -> list[str]:
    """Every option of every group and every setting outside of them, one line each."""
    lines: list[str] = []
    for group in groups():
        lines += [*_options(options(group), width), ""]
    for section in [*sections(), ""]:
        settings = section_settings(section)
        left = [f"  {each.name}={shown(each.default)}" for each in settings]
        lines += [*_beside(left, [(each.what or each.allowed, "") for each in settings], width), ""]
    return [*lines, *textwrap.wrap(f"{DEFAULT} {MORE}", width, break_on_hyphens=False)]


def group_lines(group: str, width: int) -> list[str]:
    """One group: its options, then the settings that they have."""
    every = options(group)
    lines = [*_options(every, width), "", f"{DEFAULT} `choices {every[0].typed}` tells all of one." if every else ""]
    own = union(every)
    return lines + (["", *settings_lines(own, width)] if own else [])


def section_lines(section: str, width: int) -> list[str]:
    """One section of settings."""
    return settings_lines([(each, "") for each in section_settings(section)], width)


def choice_lines(each: Choice, width: int) -> list[str]:
    """All that is known of one choice."""
    name = f", in tables and figures: {each.label}" if each.label != each.name else ""
    lines = [f"{each.typed}{name}{', the default' if each.is_default else ''}", *folded(each.what, width)]
    lines += folded(f"Source: {each.source}", width) if each.source else []
    text = described(each.group, each.name)
    lines += ["", *folded(text, width)] if text else []
    own = [(setting, "") for setting in each.settings]
    return lines + (["", *settings_lines(own, width)] if own else [])


def shown(value: Value) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "inf" if math.isinf(value) else f"{value:g}"
    return str(value) if value != "" else "''"


def union(every: Sequence[Choice]) -> list[tuple[Setting, str]]:
    """The settings of the options of a group, each once, with the options that have it where not all do.

    A default that not all of them share is left open, with those that differ said.
    """
    found: dict[str, list[tuple[Choice, Setting]]] = {}
    for each in every:
        for setting in each.settings:
            found.setdefault(setting.name, []).append((each, setting))
    out = []
    for owners in found.values():
        names = [each.name for each, _ in owners]
        out.append((_common([setting for _, setting in owners]), "" if len(owners) == len(every) else ", ".join(names)))
    return out


def _common(settings: Sequence[Setting]) -> Setting:
    first, values = settings[0], list(dict.fromkeys(shown(each.default) for each in settings))
    what = next((each.what for each in settings if each.what), "")
    default = first.default if len(values) == 1 else " or ".join(values)
    return Setting(first.name, default, first.allowed, what)


def _options(every: Sequence[Choice], width: int) -> list[str]:
    left = [f"{'*' if each.is_default else ' '} {each.typed}" for each in every]
    return _beside(left, [(each.what, each.source) for each in every], width)


def _beside(left: Sequence[str], right: Sequence[tuple[str, str]], width: int) -> list[str]:
    """A line each: a name and, in a column beside all names, what it is, with its source where that fits."""
    column = max(map(len, left), default=0) + GAP
    lines = []
    for name, (what, source) in zip(left, right, strict=True):
        text = cut(what, width - column)
        whole = f"{text}   {source}" if source and len(text) + 3 + len(source) <= width - column else text
        lines.append(f"{name:<{column}}{whole}".rstrip())
    return lines


def settings_lines(settings: Sequence[tuple[Setting, str]], width: int) -> list[str]:
    """A table of settings, each with the options that it is of, empty where all have it."""
    owned = any(owners for _, owners in settings)
    heads = ["setting", "default", "may be", "what", *(["only of"] if owned else [])]
    rows = [
        [each.name, shown(each.default), each.allowed, each.what, *([owners] if owned else [])]
        for each, owners in settings
    ]
    return table(heads, rows, width)
