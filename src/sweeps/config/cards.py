"""The cards of `conf/cards.yaml`: what the plan, the figures and the report know of a choice by its name. No torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sweeps.config.places import CONF, choices
from sweeps.config.schema import GROUPS
from sweeps.errors import ConfigError, unknown
from sweeps.own import folders

FILE = CONF / "cards.yaml"


@dataclass(frozen=True)
class Card:
    """One choice; the defaults are those of a choice that has no card. `conf/cards.yaml` says what each field means."""

    label: str = ""
    colour: str = ""
    dashes: tuple[float, ...] | None = None
    marker: str = ""
    gates: int = 1
    elementwise: float = 1.0
    states: int = 1
    per_lane: tuple[str, ...] = ()
    caption: str = ""
    once: bool = False
    recurrent: bool = True
    native: bool = False
    per_step: float = 150
    copies: int = 2
    fixed_test: bool = False


PLAIN = Card()


def card(group: str, name: str) -> Card:
    """The card of a choice, the plain one if it has none.

    Raises:
        ConfigError: `conf/cards.yaml` is malformed; it carries every problem.
    """
    return cards(group).get(name, PLAIN)


def cards(group: str) -> Mapping[str, Card]:
    """The cards of a group by name, in the order in which tables and figures show them: those of own folders last.

    Raises as `card` does; also where an own folder has a card for what has one.
    """
    found = _read(FILE).get(group, {})
    for path in (folder / "conf" / FILE.name for folder in folders()):
        further = _read(path).get(group, {}) if path.is_file() else {}
        if twice := sorted(found.keys() & further.keys()):
            raise ConfigError([f"{path}: {group}.{twice[0]} has a card already; remove it there"])
        found = {**found, **further}
    return found


@cache
def _read(path: Path) -> dict[str, dict[str, Card]]:
    if not path.is_file():
        raise ConfigError(
            [f"{path} is missing; it comes with the project (git checkout {path.parent.name}/{path.name})"]
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError:
        raise
    except Exception as error:  # beside YAML's own, whatever a constructor meets: a date of no calendar is a ValueError
        raise ConfigError([f"{path.name} is no YAML: {' '.join(str(error).split()) or type(error).__name__}"]) from None
    problems: list[str] = []
    groups = _mapping(path.name, content, "groups of cards", problems)
    of_group = {group: _mapping(f"{path.name}: {group}", of, "cards by name", problems) for group, of in groups.items()}
    for group, of in of_group.items():
        if group not in GROUPS:
            problems.append(unknown(f"{path.name}, group", group, GROUPS))
        else:
            problems += [
                unknown(f"{path.name}: {group}, choice", name, choices(group))
                for name in of
                if name not in choices(group)
            ]
    read = {
        group: {name: _card(f"{path.name}: {group}.{name}", given, problems) for name, given in of.items()}
        for group, of in of_group.items()
    }
    if problems:
        raise ConfigError(problems)
    return read


def _mapping(where: str, value: Any, allowed: str, problems: list[str]) -> dict[str, Any]:
    if isinstance(value, dict):
        return {str(name): each for name, each in value.items()}
    problems.append(f"{where}: given {value!r}, must be {allowed}")
    return {}


def _card(where: str, given: Any, problems: list[str]) -> Card:
    names = [each.name for each in fields(Card)]
    good: dict[str, Any] = {}
    for name, value in _mapping(where, given, "fields of a card", problems).items():
        if name not in names:
            problems.append(unknown(f"{where}, field", name, names))
        elif not RULES[name][0](value):
            problems.append(f"{where}.{name}: given {value!r}, must be {RULES[name][1]}")
        else:
            good[name] = tuple(value) if isinstance(value, list) else value
    return Card(**good)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < 1e6


Rule = tuple[Callable[[Any], bool], str]

_TEXT: Rule = (lambda value: isinstance(value, str) and bool(value), "a text")
_COUNT: Rule = (lambda value: type(value) is int and 1 <= value <= 1000, "an integer from 1 to 1000")
MARKERS = ".ov^<>12348spP*hH+xXDd|_"
"""Markers of matplotlib that are one character."""
RULES: dict[str, Rule] = {
    "label": _TEXT,
    "colour": (lambda value: isinstance(value, str) and bool(re.fullmatch("#[0-9a-fA-F]{6}", value)), "like '#0072B2'"),
    "dashes": (lambda value: isinstance(value, list) and all(map(_is_number, value)), "a list of positive numbers"),
    "marker": (lambda value: isinstance(value, str) and len(value) == 1 and value in MARKERS, f"one of {MARKERS}"),
    "gates": _COUNT,
    "elementwise": (_is_number, "a positive number"),
    "per_step": (lambda value: value == 0 or _is_number(value), "a number from 0"),
    "states": _COUNT,
    "per_lane": (lambda value: isinstance(value, list) and all(map(_TEXT[0], value)), "a list of names"),
    "caption": _TEXT,
    "once": (lambda value: isinstance(value, bool), "true or false"),
    "recurrent": (lambda value: isinstance(value, bool), "true or false"),
    "native": (lambda value: isinstance(value, bool), "true or false"),
    "copies": _COUNT,
    "fixed_test": (lambda value: isinstance(value, bool), "true or false"),
}
"""What a field of a card may be."""
