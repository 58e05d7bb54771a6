"""The id of a cell: a hash of the resolved settings that decide its numbers.

All resolved settings are hashed, not only those that differ from defaults: editing a default must change the id. A
setting that was added later is left out at the value of `before`, so that adding one changes no id. Bump
NUMERICS_VERSION with every change of code that changes numbers; old records then count as other cells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sweeps.config.schema import Settings, Value, as_dict

NUMERICS_VERSION = 4
EXCLUDED = ("plan", "tracker", "executor", "runs_dir", "experiment", "train.checkpoint", "train.save", "probe")
"""Sections and settings left out of the id: where and how a cell is trained and what is kept do not make another cell.

Of these only the executor's kernel and device affect the numbers: the choices agree to the rounding of float32.
"""


BEFORE: dict[str, Value] = {
    "train.truncate": 0,
    "train.checkpoint": 0.0,
    "train.save": "none",
    "probe": "none",
    "stack.layers": 1,
    "stack.bidirectional": False,
    "stack.start": "zero",
    "stack.readout": "last",
    "stack.norm": "none",
    "stack.dropout": 0.0,
    "stack.residual": False,
    "stack.input_dropout": 0.0,
    "stack.output_dropout": 0.0,
    "schedule.name": "constant",
    "schedule.warmup": 0,
    "penalty.name": "none",
    "train.patience": 0,
    "train.accumulate": 1,
    "stack.embedding": 0,
    "stack.kind": "plain",
    "stack.attention": "none",
    "init.input_scale": 1.0,
    "init.readout_scale": 1.0,
    "stack.start_scale": 1.0,
    "train.skip_nonfinite": False,
}
"""Settings that came after the first records, each with the value that stands for what was always so before.

At this value a setting is left out of the hash, and `completed` gives it to settings that lack it. It is no default: a
default may be edited, a value here never, because the id of every record without the setting depends on it.
"""

BEFORE_OF: dict[tuple[str, str], dict[str, Value]] = {
    ("task", "adding"): {"variant": "half"},
    ("optim", "sgd"): {"nesterov": False},
    ("arch", "gru"): {"update_bias": 0.0},
}
"""The same of options that one choice of a group has: (group, choice) -> option -> value."""

ALWAYS = BEFORE | {f"{group}.{option}": value for (group, _), own in BEFORE_OF.items() for option, value in own.items()}
"""All of them by dotted name."""


def before(chosen: Mapping[str, Any]) -> dict[str, Value]:
    """The settings that came later of a cell with these choices, by dotted name, at the value that was always so.

    Args:
        chosen: the name of the choice of each group.
    """
    own = ((group, each) for (group, name), each in BEFORE_OF.items() if chosen.get(group) == name)
    return BEFORE | {f"{group}.{option}": value for group, each in own for option, value in each.items()}


def _before(config: Mapping[str, Any]) -> dict[str, Value]:
    return before({group: each.get("name") for group, each in config.items() if isinstance(each, Mapping)})


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """The nested settings of a `config.yaml`, with the settings that did not exist when it was written."""
    return filled(config, _before(config))


def filled(config: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The nested settings `config` with those of `values`, by dotted name, that it lacks."""
    out = dict(config)
    for key, value in values.items():
        section, _, name = key.partition(".")
        node = out.get(section, {})
        if not name:
            out.setdefault(section, value)
        elif isinstance(node, Mapping) and name not in node:
            out[section] = {**node, name: value}
    return out


def decides(name: str) -> bool:
    """Whether a setting, by its dotted name, decides the numbers of a cell and so belongs to its id."""
    section = name.partition(".")[0]
    return section not in EXCLUDED and name not in EXCLUDED


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that decide the numbers, nested."""
    return _deciding(as_dict(settings))


def cell_id(settings: Settings) -> str:
    """Twelve hex digits: the first 48 bits of SHA-256 over canonical JSON (sorted keys, shortest floats)."""
    return id_of(as_dict(settings), NUMERICS_VERSION)


def id_of(config: Mapping[str, Any], numerics: int) -> str:
    """The id of a cell whose `config.yaml` holds `config`, trained by code of that numerics version.

    Only what the file holds is hashed, not what today's defaults would add, and nothing that has its value of `before`:
    records made before a setting was added keep their id.

    Raises:
        TypeError: `config` is not a mapping of names to nested plain values.
    """
    canonical = json.dumps({"numerics": numerics, **_hashed(_deciding(config))}, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _deciding(config: Mapping[str, Any], section: str = "") -> dict[str, Any]:
    return {
        key: _deciding(value, f"{key}.") if isinstance(value, Mapping) and not section else value
        for key, value in config.items()
        if f"{section}{key}" not in EXCLUDED
    }


def _hashed(config: dict[str, Any]) -> dict[str, Any]:
    """`config` without the settings that have their value of `before`; a section of none but these is left out."""
    for key, value in _before(config).items():
        section, _, name = key.partition(".")
        node = config.get(section)
        if isinstance(node, Mapping) and name in node and node[name] == value:
            less = {own: each for own, each in node.items() if own != name}
            config = {own: each for own, each in config.items() if own != section} | ({section: less} if less else {})
    return config
