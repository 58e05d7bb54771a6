"""Expands overrides with several values into the overrides of each job: the product of the axes, in order.

A setting that only some choices of its group have (`arch.forget_bias`) is given to the jobs of these choices alone. Of
the points that differ in nothing but a setting that their choice lacks one job is made.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import Override

from sweeps.config.names import check_names, given_twice, how_many, parse_override, values
from sweeps.config.places import has
from sweeps.config.rules import RULES
from sweeps.config.schema import GROUPS
from sweeps.errors import ConfigError

LIMIT = "plan.max_cells"
Parted = tuple[list[str], list[str]]
"""The choices of a group that have a setting, and those that lack it."""


@dataclass(frozen=True)
class Grid:
    """What a command line and an experiment ask for.

    Attributes:
        jobs: one list of `key=value` per job; the last axis varies fastest.
        skipped: a sentence on settings that only some of the choices have, and on the points left out for it; empty
            if every job has every setting.
    """

    jobs: list[list[str]]
    skipped: str = ""


def expand(params: Mapping[str, object], arguments: Sequence[str], max_cells: int = 20_000) -> Grid:
    """The jobs of a grid.

    Args:
        params: the axes of an experiment file, key -> value or sweep.
        arguments: the command line; it replaces an axis of the same key.
        max_cells: `plan.max_cells` of the configuration; an override of it takes precedence.

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
    lacking = _lacking(axes)
    _check_size(axes, lacking, axes[LIMIT].value() if LIMIT in axes else max_cells)
    texts = {key: [f"{key}={value}" for value in values(override)] for key, override in axes.items()}
    jobs = [job for point in itertools.product(*texts.values()) if (job := _job(point, texts, lacking)) is not None]
    return Grid(jobs, _skipped(lacking, math.prod(map(len, texts.values())), len(jobs)))


def _lacking(axes: Mapping[str, Override]) -> dict[str, Parted]:
    """The choices in this grid that have a setting and those that lack it, by the setting, where there are both.

    A setting that none of them has is not listed: it stays in every job, where it is an error.
    """
    found = {}
    for key in axes:
        group, _, name = key.partition(".")
        if group not in GROUPS or group not in axes or not name:
            continue
        there = dict.fromkeys(values(axes[group]))
        have, lack = ([each for each in there if has(group, each, name) is own] for own in (True, False))
        if have and lack:
            found[key] = (have, lack)
    return found


def _job(point: tuple[str, ...], texts: Mapping[str, list[str]], lacking: Mapping[str, Parted]) -> list[str] | None:
    """The overrides of one point without the settings that its choices lack; None if an earlier point has the same."""
    without = [
        text
        for key, text in zip(texts, point, strict=True)
        if key in lacking and any(f"{key.partition('.')[0]}={choice}" in point for choice in lacking[key][1])
    ]
    first = all(text == texts[text.partition("=")[0]][0] for text in without)
    return [text for text in point if text not in without] if first else None


def _skipped(lacking: Mapping[str, Parted], points: int, jobs: int) -> str:
    if not lacking:
        return ""
    parts = [f"{key} is a setting of {', '.join(have)} alone" for key, (have, _) in lacking.items()]
    them = "it" if len(parts) == 1 else "them"
    if points == jobs:
        return f"{', '.join(parts)}: the other choices are trained without {them}."
    return (
        f"{', '.join(parts)}: the other choices are trained once, without {them}, so that {points - jobs} of the "
        f"{points} points of the grid {'is' if points - jobs == 1 else 'are'} skipped."
    )


def _check_size(axes: Mapping[str, Override], lacking: Mapping[str, Parted], limit: object) -> None:
    holds, allowed = RULES[LIMIT]
    if type(limit) is not int or not holds(limit):
        raise ConfigError([f"{LIMIT}: given {limit}, must be {allowed}"])
    sizes = {key: how_many(override) for key, override in axes.items()}
    cells = math.prod(size for key, size in sizes.items() if key not in lacking)
    for group in {key.partition(".")[0] for key in lacking}:
        own = {key: have for key, (have, _) in lacking.items() if key.partition(".")[0] == group}
        each = [math.prod(sizes[key] for key in own if choice in own[key]) for choice in values(axes[group])]
        cells = cells // sizes[group] * sum(each)
    if cells > limit:
        product = " x ".join(f"{key} {size:,}" for key, size in sizes.items() if size > 1)
        product += ", each choice with its own settings" if lacking else ""
        raise ConfigError(
            [f"the grid has {cells:,} cells ({product}), {LIMIT} allows {limit:,}; write {LIMIT}={cells} to train them"]
        )
