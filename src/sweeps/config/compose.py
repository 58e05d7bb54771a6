"""Composes thousands of configs: Hydra once per choice of a group, then the choices are merged and plain values set.

Hydra takes some 50 ms a config. A grid has few choices but many combinations of them and more values, so this is
thousands of times faster. A test checks that the result equals Hydra's own.
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
    """Whether the override only sets one value: no choice of a group, no package, nothing added or removed."""
    return (
        override.type == OverrideType.CHANGE
        and override.package is None
        and override.key_or_group not in CHOSEN
        and not override.key_or_group.startswith("hydra")
        and not isinstance(override.value(), dict | list)
    )


def is_choice(override: Override) -> bool:
    """Whether the override only chooses an option of a group."""
    return override.type == OverrideType.CHANGE and override.package is None and override.key_or_group in GROUPS


class Composer:
    """Turns the overrides of one job into the plain values that Hydra would compose, without the `hydra` node."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._bases: dict[tuple[str, ...], dict[str, Any]] = {}
        self._composed: dict[tuple[str, ...], dict[str, Any]] = {}

    def __call__(self, overrides: Sequence[str]) -> dict[str, Any]:
        parsed = [_parsed(text) for text in overrides]
        others = [each for each in parsed if not is_plain(each)]
        key = tuple(str(each.input_line) for each in others)
        if key not in self._bases:
            self._bases[key] = self._base(others)
        config = copy.deepcopy(self._bases[key])
        for each in parsed:
            if is_plain(each):
                _set(config, each.key_or_group.split("."), each.value())
        if "${" in str(config):
            return plain(OmegaConf.create(config), resolve=True)
        return config

    def _base(self, overrides: Sequence[Override]) -> dict[str, Any]:
        """The config of overrides that are not plain.

        Each choice is composed on its own and its section merged in. If a choice also changes something outside its
        section, Hydra composes all of them together.
        """
        rest = tuple(str(each.input_line) for each in overrides if not is_choice(each))
        config = dict(self._hydra(rest))
        for each in overrides:
            if is_choice(each):
                group = each.key_or_group
                with_choice = self._hydra((*rest, str(each.input_line)))
                if {**with_choice, group: None} != {**self._hydra(rest), group: None}:
                    return self._hydra(tuple(str(each.input_line) for each in overrides))
                config[group] = with_choice[group]
        return config

    def _hydra(self, overrides: tuple[str, ...]) -> dict[str, Any]:
        if overrides not in self._composed:
            self._composed[overrides] = plain(self._load(list(overrides)))
        return self._composed[overrides]


def plain(config: DictConfig, resolve: bool = False) -> dict[str, Any]:
    """A composed config as nested dicts, without the `hydra` node."""
    settings = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    nested = OmegaConf.to_container(settings, resolve=resolve)
    assert isinstance(nested, dict)
    return {str(key): value for key, value in nested.items()}


def _set(config: dict[str, Any], path: list[str], value: Any) -> None:
    *sections, name = path
    for section in sections:
        config = config.setdefault(section, {})
    config[name] = value


def composed(
    compose: Callable[[Sequence[str]], dict[str, Any]], job: Sequence[str]
) -> tuple[Settings | None, list[str]]:
    """The settings of one job and [], or None and its problems, as Hydra or `parse` puts them."""
    try:
        return parse(compose(job))
    except (HydraException, OmegaConfBaseException) as error:
        return None, [str(error).strip().splitlines()[0]]


def settings_of(
    jobs: Sequence[Sequence[str]], compose: Callable[[Sequence[str]], dict[str, Any]]
) -> tuple[list[Settings], list[Settings], list[str]]:
    """Compose, type and check every job of a grid.

    Returns:
        The settings that keep every rule, those that break one, and each distinct problem once, with the number of
        cells that have it. A job that cannot be composed or typed appears only in the problems.
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
