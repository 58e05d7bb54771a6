"""From a composed config, as nested plain values, to `Settings`: names and types, every problem at once."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, get_type_hints

from sweeps.config.places import IDLE, choices, defaults
from sweeps.config.rules import check
from sweeps.config.schema import GROUPS, NORMS, SECTIONS, Settings
from sweeps.config.steps import known_steps
from sweeps.errors import unknown

ARTICLE = {int: "an integer", float: "a number", bool: "true or false", str: "a text"}

_hints = cache(get_type_hints)


def parse(config: Mapping[str, Any]) -> tuple[Settings | None, list[str]]:
    """The settings and [], or None and the problems: unknown keys, missing keys, values of the wrong type."""
    problems: list[str] = []
    values: dict[str, Any] = {}
    hints = _hints(Settings)
    for key in config:
        if key not in hints:
            problems.append(unknown("setting", str(key), hints))
    for name, hint in hints.items():
        if name in SECTIONS:
            values[name] = _section(name, config.get(name), problems)
        else:
            values[name] = _typed(name, config.get(name), hint, problems)
    settings = Settings(**values)
    if problems:  # check what could be read against the rules too, so that one message lists everything
        return None, problems + check(settings)
    for without in (_without_idle_nesterov, _without_idle_start, _without_idle_between, _without_idle_cut):
        settings = without(settings)
    return settings, []


def _without_idle_nesterov(settings: Settings) -> Settings:
    """The settings with `optim.nesterov` false where there is no momentum to look ahead along."""
    optim = settings.optim
    if not optim.options.get("nesterov") or optim.options.get("momentum"):
        return settings
    return replace(settings, optim=replace(optim, options={**optim.options, "nesterov": False}))


def _without_idle_start(settings: Settings) -> Settings:
    """The settings with `stack.start_scale` 1 where no start state is drawn."""
    if settings.stack.start == "random":
        return settings
    return replace(settings, stack=replace(settings.stack, start_scale=1.0))


def _without_idle_between(settings: Settings) -> Settings:
    """The settings without what would stand between layers where there is one: one cell for all of these."""
    stack = settings.stack
    if stack.layers > 1 or stack.norm not in NORMS or not 0 <= stack.dropout < 1:  # what is wrong is left to be told
        return settings
    return replace(settings, stack=replace(stack, norm="none", dropout=0.0, residual=False))


def _without_idle_cut(settings: Settings) -> Settings:
    """The settings with `train.truncate` 0 where the cut would lie beyond the sequence: one cell for all of these."""
    steps = known_steps(settings)
    if steps is None or settings.train.truncate < steps:
        return settings
    return replace(settings, train=replace(settings.train, truncate=0))


def _section(section: str, node: Any, problems: list[str]) -> Any:
    cls = SECTIONS[section]
    hints = {name: hint for name, hint in _hints(cls).items() if name != "options"}
    if not isinstance(node, Mapping):
        what = f"one of {', '.join(choices(section))}" if section in GROUPS else f"settings: {', '.join(hints)}"
        problems.append(f"{section}: given {node!r}, must be {what}")
        return None
    options: dict[str, Any] = {}  # defaults of the settings that only this choice has
    if section in GROUPS:
        if node.get("name") not in choices(section):
            problems.append(unknown(f"{section}.name", str(node.get("name")), choices(section)))
            return None
        options = {key: value for key, value in defaults(section, node["name"]).items() if key not in hints}
    known = {**hints, **{key: type(value) for key, value in options.items()}}
    for key in node:
        if key not in known:
            choice = f" of {section}={node['name']}" if section in GROUPS else ""
            allowed = (f"{section}.{name}" for name in known if name != "name")
            problems.append(unknown(f"setting{choice}", f"{section}.{key}", allowed) + _owners(section, str(key)))
    parsed = {key: _typed(f"{section}.{key}", node.get(key), hint, problems) for key, hint in known.items()}
    if not any(each.name == "options" for each in fields(cls)):
        return cls(**parsed)
    chosen = {key: parsed.pop(key) for key in options}
    for key in IDLE.get((section, node["name"]), ()):
        parsed[key] = defaults(section, node["name"])[key]  # one cell for all of its values
    return cls(**parsed, options=chosen)


def _owners(section: str, key: str) -> str:
    """The end of a message about a setting that other choices of its group have: which ones; empty if none has it."""
    owners = [name for name in choices(section) if key in defaults(section, name)] if section in GROUPS else []
    return f"; {section}={','.join(owners)} {'has' if len(owners) == 1 else 'have'} it" if owners else ""


def _typed(key: str, value: Any, hint: type, problems: list[str]) -> Any:
    """`value` as the type of its field; a number may be an integer, or `1e-3`, which YAML reads as text.

    Returns None and adds to `problems` if the value is of another type.
    """
    if hint is float and isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
        value = float(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint or (isinstance(value, float) and math.isnan(value)):
        several = isinstance(value, list | tuple) and len(value) > 0
        axis = f"; an axis of a sweep is written {key}={','.join(map(str, value))}" if several else ""
        problems.append(f"{key}: given {value!r}, must be {ARTICLE[hint]}{axis}")
        return None
    return value
