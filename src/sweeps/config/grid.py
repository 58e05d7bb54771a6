"""From overrides with sweeps in them to the overrides of each job: the product of the axes, in order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from sweeps.config.names import check_names, parse_override, values
from sweeps.errors import ConfigError


def expand(params: Mapping[str, object], arguments: Sequence[str]) -> list[list[str]]:
    """The jobs of a grid.

    Args:
        params: the axes of an experiment file, key -> value or sweep.
        arguments: the command line; it replaces an axis of the same key.

    Returns:
        One list of `key=value` per job; the last axis varies fastest.

    Raises:
        ConfigError: an axis is no setting or has no values; it carries every problem.
    """
    named, problems = check_names([*(f"{key}={value}" for key, value in params.items()), *arguments])
    if problems:
        raise ConfigError(problems)
    axes: dict[str, list[str]] = {}
    for text in named:
        override = parse_override(text)
        key = override.get_key_element()
        axes[key] = [f"{key}={value}" for value in values(override)]
    return [list(job) for job in itertools.product(*axes.values())]
