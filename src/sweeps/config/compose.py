"""Composing thousands of configs: Hydra once per choice, then the choices put together and plain values set by hand.

Hydra takes some 50 ms a config. A grid has few choices but many combinations of them and more values, so the grid is
composed thousands of times faster this way. A test holds the result equal to Hydra's own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeps.config.identity import cell_id
from sweeps.config.names import CHOSEN, parse_override
from sweeps.config.parse import parse
from sweeps.config.rules import check
from sweeps.config.schema import GROUPS, Settings

Load = Callable[[list[str]], DictConfig]
"""Hydra's own composition of a list of overrides."""

_parsed = lru_cache(maxsize=65536)(parse_override)


def is_plain(override: Override) -> bool:
    """Whether the override just sets one value: no choice of a group, no package, nothing added or removed."""
    return (
        override.type == OverrideType.CHANGE
        and override.package is None
        and override.key_or_group not in CHOSEN
        and not override.key_or_group.startswith("hydra")
        and not isinstance(override.value(), dict | list)
    )


def is_choice(override: Override) -> bool:
    """Whether the override just chooses a group's option."""
    return override.type == OverrideType.CHANGE and override.package is None and override.key_or_group in GROUPS


class Composer:
    """Turns the overrides of one job into the plain values that Hydra would compose, without the `hydra` node."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._bases: dict[tuple[str, ...], dict[str, Any]] = {}
        self._composed: dict[tuple[str, ...], dict[str, Any]] = {}

    def __call__(self, overrides: Sequence[str]) -> dict[str, Any]:
        parsed = [_parsed(text) for text in overrides]
        heavy = tuple(str(each.input_line) for each in parsed if not is_plain(each))
        if heavy not in self._bases:
            self._bases[heavy] = self._base([each for each in parsed if not is_plain(each)])
        config = copy.deepcopy(self._bases[heavy])
        for each in parsed:
            if is_plain(each):
                _set(config, each.key_or_group.split("."), each.value())
        if "${" in str(config):
            return plain(OmegaConf.create(config), resolve=True)
        return config

    def _base(self, heavy: Sequence[Override]) -> dict[str, Any]:
        """The config of what is not plain: each choice composed alone, if all it changes is its own section."""
        rest = tuple(str(each.input_line) for each in heavy if not is_choice(each))
        config = dict(self._hydra(rest))
        for each in heavy:
            if is_choice(each):
                group = each.key_or_group
                alone = self._hydra((*rest, str(each.input_line)))
                if {**alone, group: None} != {**self._hydra(rest), group: None}:
                    return self._hydra(tuple(str(each.input_line) for each in heavy))
                config[group] = alone[group]
        return config

    def _hydra(self, overrides: tuple[str, ...]) -> dict[str, Any]:
        if overrides not in self._composed:
            self._composed[overrides] = plain(self._load(list(overrides)))
        return self._composed[overrides]


def plain(config: DictConfig, resolve: bool = False) -> dict[str, Any]:
    """The task's part of a composed config as nested dicts."""
    ours = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    nested = OmegaConf.to_container(ours, resolve=resolve)
    assert isinstance(nested, dict)
    return {str(key): value for key, value in nested.items()}


def _set(config: dict[str, Any], path: list[str], value: Any) -> None:
    *sections, name = path
    for section in sections:
        config = config.setdefault(section, {})
    config[name] = value


def composed(config: Callable[..., dict[str, Any]], *given: Any) -> tuple[Settings | None, list[str]]:
    """The settings of the config `config(*given)`, or None and what is wrong: Hydra's own complaint, or `parse`'s."""
    try:
        return parse(config(*given))
    except (HydraException, OmegaConfBaseException) as error:
        return None, [str(error).strip().splitlines()[0]]


def settings_of(
    jobs: Sequence[Sequence[str]], compose: Callable[[Sequence[str]], dict[str, Any]]
) -> tuple[list[Settings], list[Settings], list[str]]:
    """Compose, type and check every job of a grid.

    Returns:
        The settings that keep every rule, those that break one, and each distinct problem once, with how many cells
        have it. Jobs that do not even give settings are in the problems alone.
    """
    good: list[Settings] = []
    broken: list[Settings] = []
    counts: dict[str, int] = {}
    known: dict[str, list[str]] = {}
    for job in jobs:
        settings, problems = composed(compose, job)
        if settings is not None:
            key = cell_id(settings)
            if key not in known:
                known[key] = check(settings)
            problems = known[key]
            (broken if problems else good).append(settings)
        for problem in problems:
            counts[problem] = counts.get(problem, 0) + 1
    total = len(jobs)
    return (
        good,
        broken,
        [
            problem if total == 1 or count == total else f"{problem} [in {count} of {total} cells]"
            for problem, count in counts.items()
        ],
    )
