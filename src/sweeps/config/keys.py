"""The names of all settings that there are, with those that only some choices of a group have."""

from __future__ import annotations

from dataclasses import fields

from sweeps.config.places import choices, defaults
from sweeps.config.schema import GROUPS, SECTIONS, Settings


def known_keys() -> set[str]:
    """Every dotted setting that some choice of some group has, and the group names themselves."""
    keys = {each.name for each in fields(Settings)} - (set(SECTIONS) - set(GROUPS))
    for section, cls in SECTIONS.items():
        keys |= {f"{section}.{each.name}" for each in fields(cls) if each.name not in ("options", "name")}
        if section in GROUPS:
            keys |= {f"{section}.{key}" for name in choices(section) for key in defaults(section, name)}
    return keys - {f"{group}.name" for group in GROUPS}  # chosen as group=name
