"""Every group with its options, and every section with its settings, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from sweeps.choices.code import definition
from sweeps.choices.yaml_text import further, notes, opening
from sweeps.config.cards import card, cards
from sweeps.config.parse import ARTICLE
from sweeps.config.places import CONF, choice_file, choices, defaults, experiment_file, has, top_level
from sweeps.config.rules import NAMES, RULES
from sweeps.config.schema import GROUPS, SECTIONS, Settings, Value

EXPERIMENT = "experiment"
"""The group whose options are the folders of experiments/."""


@dataclass(frozen=True)
class Setting:
    """One setting: its dotted name, what it is if nothing else is said, what it may be, what it is about."""

    name: str
    default: Value
    allowed: str
    what: str


@dataclass(frozen=True)
class Choice:
    """One option of a group: `group=name`.

    Attributes:
        label: its name in tables and figures.
        what, source: one line each, from the first comment of its YAML file.
        is_default: whether it is chosen if nothing else is said.
        settings: those that do something where it is chosen.
    """

    group: str
    name: str
    label: str
    what: str
    source: str
    is_default: bool
    settings: tuple[Setting, ...]

    @property
    def typed(self) -> str:
        return f"{self.group}={self.name}"


def groups() -> list[str]:
    """The groups, in the order of the settings."""
    return [*GROUPS, EXPERIMENT]


def sections() -> list[str]:
    """The sections of settings in which nothing is chosen by name."""
    return [name for name in SECTIONS if name not in GROUPS]


def options(group: str) -> list[Choice]:
    """The options of a group, in the order of their cards; those without one follow."""
    if group == EXPERIMENT:
        return [choice(group, name) for name in choices(group)]
    first = [name for name in cards(group) if name in choices(group)]
    return [choice(group, name) for name in dict.fromkeys([*first, *choices(group)])]


def choice(group: str, name: str) -> Choice:
    """One option of a group, which exists."""
    if group == EXPERIMENT:
        return Choice(group, name, name, *opening(experiment_file(name)), False, ())
    path = choice_file(group, name)
    what, source = opening(path)
    if not what:
        what, _, _ = definition(group, name).partition("\n")
    label = card(group, name).label or name
    return Choice(group, name, label, what, source, default_of(group) == name, _settings_of(group, name))


def default_of(group: str) -> str:
    """The option of a group that is chosen if nothing else is said."""
    chosen = {
        key: value for each in top_level()["defaults"] if isinstance(each, Mapping) for key, value in each.items()
    }
    return str(chosen.get(group))


def described(group: str, name: str) -> str:
    """All that is written about a choice beside its one line: the docstrings of its code, or what its file says."""
    if group == EXPERIMENT:
        return further(experiment_file(name))
    return definition(group, name) or further(choice_file(group, name))


def section_settings(section: str) -> list[Setting]:
    """The settings of a section without choices; for an empty name those that stand outside of any section."""
    told = notes(CONF / "config.yaml")
    if section:
        prefix, given = f"{section}.", dict(top_level().get(section, {}))
    else:
        names = [each.name for each in fields(Settings) if each.name not in SECTIONS]
        prefix, given = "", {name: top_level()[name] for name in names if name in top_level()}
    return [_setting(prefix + key, value, told.get(prefix + key, "")) for key, value in given.items()]


def _settings_of(group: str, name: str) -> tuple[Setting, ...]:
    told = notes(choice_file(group, name))
    return tuple(
        _setting(f"{group}.{key}", value, told.get(key, ""))
        for key, value in defaults(group, name).items()
        if key != "name" and has(group, name, key)
    )


def _setting(name: str, default: Value, what: str) -> Setting:
    if name in NAMES:
        allowed = "one of " + ", ".join(NAMES[name])
    else:
        allowed = RULES[name][1] if name in RULES else ARTICLE[type(default)]
    return Setting(name, default, allowed, what)
