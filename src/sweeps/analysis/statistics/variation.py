"""How much of the variation of a number goes with each axis, and with two axes together: type-II eta squared of ranks.

Least squares on an indicator for each level, so that the grid may have holes. Seeds are a factor of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.statistics.dealt import luck
from sweeps.analysis.statistics.intervals import Floats
from sweeps.analysis.statistics.paired import ALPHA, FLIPS

TINY = 1e-8
"""Relative size below which a direction is none: it is the rounding of a sum of others."""

LARGE = 0.05
"""A share that is not this much beyond the chance of it is never large."""
LITTLE = 0.01
"""The same of a share that is little, but not by luck."""


@dataclass(frozen=True)
class Variation:
    """The share of the variation that goes with one axis, or with two of them beyond what each adds alone.

    Attributes:
        axes: one name, or two for an interaction.
        share: eta squared, the sum of squares of these axes over that of all ranks: 0 to 1.
        chance: the mean of this share if the numbers were dealt out to the runs at random: it grows with the levels.
        luck: how often numbers dealt at random within seeds give an axis (a pair) of this study as strong an effect.
        p: of an interaction, from exchanging the signs of whole seeds: at least 2^(1-seeds). NaN for one axis.
    """

    axes: tuple[str, ...]
    share: float
    chance: float
    luck: float = 1.0
    p: float = np.nan

    @property
    def excess(self) -> float:
        """The share beyond chance, by which axes with different numbers of levels are ordered."""
        return self.share - self.chance

    @property
    def not_luck(self) -> bool:
        """Whether it is seldom so strong by luck, however little it is."""
        return self.luck <= ALPHA and self.excess >= LITTLE

    @property
    def large(self) -> bool:
        """Whether it is worth a word where no test over seeds can be made: seldom so strong by luck, and not small."""
        return self.luck <= ALPHA and self.excess >= LARGE


def of_axes(cells: pd.DataFrame, axes: Sequence[str], values: pd.Series) -> dict[str, Variation]:
    """The share of each axis, given the other axes and the seed, by its name.

    A setting that belongs to an axis (`init.gain` to `init`) tells its levels apart as well; the share of the axis is
    therefore given all others but those that belong to it.

    Args:
        cells: a row per run: the axes and `seed`.
        values: the number of each run, in any unit; NaN for none, infinite for the worst rank.
    """
    cells, ranks = _ranked(cells, values)
    directions = directions_of_axes(cells, axes)
    found = [Variation((axis,), *_share(ranks, own)) for axis, (own, _) in directions.items()]
    return {each.axes[0]: each for each in _with_luck(found, ranks, cells["seed"], directions)}


def directions_of_axes(cells: pd.DataFrame, axes: Sequence[str]) -> dict[str, tuple[Floats, Floats]]:
    """For each axis orthonormal directions `[n, q]` of its own, and `[n, g]` of all else, at right angles to them: what
    it is given, and what the settings that belong to it add."""
    found = {}
    for axis in axes:
        given = _basis(_columns(cells, ["seed", *(name for name in axes if name != axis and owner_of(name) != axis)]))
        own = _basis(_indicators(cells, [axis]), given)
        both = np.hstack([given, own])
        belonging = _columns(cells, [name for name in axes if owner_of(name) == axis])
        found[axis] = (own, np.hstack([given, _basis(belonging, both)]))
    return found


def of_pairs(cells: pd.DataFrame, axes: Sequence[str], values: pd.Series) -> list[Variation]:
    """The share of each two axes together beyond the sum of what each adds alone, with a p; as `of_axes`.

    The p is of a score test: the ranks that are left after all axes and seeds are summed within each seed along the
    directions of the interaction, and the signs of whole seeds are exchanged (Hemerik, Goeman and Finos 2020).
    """
    cells, ranks = _ranked(cells, values)
    directions = directions_of_pairs(cells, axes)
    if not ranks.any():
        return []
    seeds = pd.factorize(cells["seed"])[0]
    found = []
    for pair, (own, given) in directions.items():
        rest = ranks - given @ (given.T @ ranks)
        by_seed = np.array([own[seeds == seed].T @ rest[seeds == seed] for seed in range(seeds.max() + 1)])
        found.append(Variation(pair, *_share(ranks, own), p=_flipped(by_seed)))
    return _with_luck(found, ranks, cells["seed"], directions)


def directions_of_pairs(cells: pd.DataFrame, axes: Sequence[str]) -> dict[tuple[str, str], tuple[Floats, Floats]]:
    """As `directions_of_axes`, for each two axes that can act together, given all axes alone."""
    given, found = _basis(_columns(cells, ["seed", *axes])), {}
    for pair in combinations(axes, 2):
        if owner_of(pair[0]) == pair[1] or owner_of(pair[1]) == pair[0]:
            continue
        own = _basis(_indicators(cells, list(pair)), given)
        if own.shape[1]:
            found[pair] = (own, given)
    return found


def _share(ranks: Floats, own: Floats) -> tuple[float, float]:
    """The share of the variation in some directions, and its mean for numbers dealt at random."""
    total, n = float(ranks @ ranks), len(ranks)
    share = float(np.sum((own.T @ ranks) ** 2)) / total if total else 0.0
    return share, min(1.0, own.shape[1] / (n - 1)) if n > 1 else 1.0


def _with_luck(
    found: list[Variation], ranks: Floats, seeds: pd.Series, directions: Mapping[Any, tuple[Floats, Floats]]
) -> list[Variation]:
    lucky = luck(ranks, seeds, list(directions.values()))
    return [replace(each, luck=own) for each, own in zip(found, lucky, strict=True)]


def _ranked(cells: pd.DataFrame, values: pd.Series) -> tuple[pd.DataFrame, Floats]:
    """The runs that have a number, and its ranks around 0; ties have their mean rank."""
    known = values.notna().to_numpy()
    ranks = stats.rankdata(values[known])
    return cells[known], ranks - ranks.mean() if len(ranks) else ranks


def _indicators(cells: pd.DataFrame, names: list[str]) -> Floats:
    """`[n, levels]`: 1 for the runs of each combination of levels that occurs; a missing level is one of them."""
    numbers = cells.groupby(names, dropna=False, observed=True).ngroup().to_numpy()
    return np.eye(numbers.max() + 1 if len(numbers) else 0)[numbers]


def _columns(cells: pd.DataFrame, names: Sequence[str]) -> Floats:
    return np.hstack([np.ones((len(cells), 1)), *(_indicators(cells, [name]) for name in names)])


def _basis(columns: Floats, given: Floats | None = None) -> Floats:
    """`[n, q]`: orthonormal directions of the columns that are not directions of `given`."""
    rest = columns if given is None else columns - given @ (given.T @ columns)
    left, sizes, _ = np.linalg.svd(rest, full_matrices=False)
    return left[:, sizes > TINY * np.sqrt(len(columns))]


def _flipped(by_seed: Floats) -> float:
    """p of the squared length of the sum over seeds of `[S, q]`, among all ways of exchanging their signs."""
    seeds = len(by_seed)
    if seeds < 2:
        return 1.0
    observed = np.sum(by_seed.sum(axis=0) ** 2)
    every = 2 ** (seeds - 1) <= FLIPS  # the first sign may stay: to exchange all of them changes nothing
    rng = np.random.default_rng(0)
    signs = np.array(list(product((1, -1), repeat=seeds - 1))) if every else rng.choice((1, -1), (FLIPS, seeds - 1))
    sums = np.hstack([np.ones((len(signs), 1)), signs]) @ by_seed
    reached = int(np.sum(np.sum(sums**2, axis=1) >= observed * (1 - TINY)))
    return reached / len(signs) if every else (reached + 1) / (FLIPS + 1)
