"""Expands overrides with several values into the overrides of each job: the product of the axes, in order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from hydra.core.override_parser.types import Override

from sweeps.config.names import check_names, given_twice, how_many, parse_override, values
from sweeps.config.rules import RULES
from sweeps.errors import ConfigError

LIMIT = "plan.max_cells"


def expand(params: Mapping[str, object], arguments: Sequence[str], max_cells: int = 20_000) -> list[list[str]]:
    """The jobs of a grid.

    Args:
        params: the axes of an experiment file, key -> value or sweep.
        arguments: the command line; it replaces an axis of the same key.
        max_cells: `plan.max_cells` of the configuration; an override of it takes precedence.

    Returns:
        One list of `key=value` per job; the last axis varies fastest.

    Raises:
        ConfigError: an axis is no setting, has no values or is given twice (it lists every problem), or there are
            more jobs than allowed; the jobs are counted before any is made.
    """
    named, problems = check_names([*(f"{key}={value}" for key, value in params.items()), *arguments])
    problems += given_twice(arguments)
    if problems:
        raise ConfigError(problems)
    axes: dict[str, Override] = {}
    for text in named:
        override = parse_override(text)
        axes[override.get_key_element()] = override
    _check_size(axes, axes[LIMIT].value() if LIMIT in axes else max_cells)
    listed = ([f"{key}={value}" for value in values(override)] for key, override in axes.items())
    return [list(job) for job in itertools.product(*listed)]


def _check_size(axes: Mapping[str, Override], limit: object) -> None:
    holds, allowed = RULES[LIMIT]
    if type(limit) is not int or not holds(limit):
        raise ConfigError([f"{LIMIT}: given {limit}, must be {allowed}"])
    sizes = {key: how_many(override) for key, override in axes.items()}
    if (cells := math.prod(sizes.values())) > limit:
        product = " x ".join(f"{key} {size:,}" for key, size in sizes.items() if size > 1)
        raise ConfigError(
            [f"the grid has {cells:,} cells ({product}), {LIMIT} allows {limit:,}; write {LIMIT}={cells} to train them"]
        )
