"""What a word after `python -m sweeps choices` asks for: a choice, a group, a section or a setting."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sweeps.choices.catalogue import Choice, Setting, choice, described, groups, options, section_settings, sections
from sweeps.choices.printed import choice_lines, group_lines, section_lines, settings_lines, shown
from sweeps.config.places import choices
from sweeps.errors import nearest, unknown


def problem(word: str) -> str | None:
    """Why a word names nothing, with what is nearest; None if it names something."""
    group, equals, name = word.partition("=")
    if equals and group in groups():
        return None if name in choices(group) else unknown(group, name, choices(group))
    if not equals and (word in groups() or word in sections() or settings(word)):
        return None
    every = {*groups(), *sections()}
    owners = [f"{group}={word}" for group in groups() if word in choices(group)]
    near = owners[0] if owners else nearest(word, every | set(_every_setting()))
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{word!r} is no choice{hint} (groups and sections: {', '.join([*groups(), *sections()])})"


def lines(word: str, width: int) -> list[str]:
    """What is told of a word that has no problem."""
    group, equals, name = word.partition("=")
    if equals:
        return choice_lines(choice(group, name), width)
    if word in groups():
        return group_lines(word, width)
    if word in sections():
        return section_lines(word, width)
    return settings_lines([(setting, owner) for setting, owner in settings(word)], width)


def data(word: str) -> list[dict[str, Any]]:
    """The same as plain values; for an empty word everything."""
    group, equals, name = word.partition("=")
    if equals:
        return [_data(choice(group, name), whole=True)]
    if word in groups():
        return [_data(each) for each in options(word)]
    if word in sections():
        return [_data(each) for each in section_settings(word)]
    if word:
        return [{**_data(each), "choice": owner} for each, owner in settings(word)]
    return [each for known in [*groups(), *sections()] for each in data(known)] + [
        _data(each) for each in section_settings("")
    ]


def settings(name: str) -> list[tuple[Setting, str]]:
    """The setting of this dotted name: for each option that has it, with the option's name; [] if there is none."""
    group = name.partition(".")[0]
    if group in groups() and "." in name:
        return [(each, owner.name) for owner in options(group) for each in owner.settings if each.name == name]
    section = group if group in sections() else ""
    return [(each, "") for each in section_settings(section) if each.name == name]


def _every_setting() -> list[str]:
    of_groups = [each.name for group in groups() for owner in options(group) for each in owner.settings]
    return [*of_groups, *(each.name for section in [*sections(), ""] for each in section_settings(section))]


def _data(each: Choice | Setting, whole: bool = False) -> dict[str, Any]:
    """Plain values that JSON has: an infinite default is a text, as the command line takes it."""
    out = asdict(each)
    for one in [out, *out.get("settings", ())]:
        if isinstance(one.get("default"), float):
            one["default"] = float(text) if (text := shown(one["default"])) != "inf" else text
    if whole and isinstance(each, Choice):
        out["definition"] = described(each.group, each.name)
    return out
