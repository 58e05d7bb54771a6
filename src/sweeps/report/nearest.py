"""Which init keeps the gradient nearest to constant: the one whose networks do so in every comparison, or none; and
which level of any axis a test shows to be nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import axes_said, label
from sweeps.analysis.statistics.paired import ALPHA, compare_pairs

EQUAL = 1e-9
"""Difference in decades per step up to which two networks are tied."""


@dataclass(frozen=True)
class Nearest:
    """The inits nearest to constant: none where all medians are infinite, one, or several and why."""

    inits: tuple[Any, ...] = ()
    why: str = ""


def nearest_init(part: pd.DataFrame, alike: Sequence[str]) -> Nearest:
    """The init with the smallest median; several if they are tied, or if one half of the steps names another, or if
    another is the nearest among some networks that agree in `alike`: of two inits without a difference one has the
    smaller median too, and wins half of the comparisons.

    Args:
        part: a row per network of one architecture: `init`, the axes `alike`, and its distance from constant in
            decades per step: `from_rate`, and `from_late` and `from_early` of either half of the steps.
    """
    whole, late, early = (
        part.groupby("init", observed=True)[name].median() for name in ("from_rate", "from_late", "from_early")
    )
    if not whole.min() < np.inf:
        return Nearest()
    tied = tuple(init for init in whole.index if whole[init] - whole.min() < EQUAL)
    if len(tied) > 1:
        return Nearest(tied, "a tie")
    first: Any = whole.idxmin()
    named = [first, *(half.idxmin() for half in (late, early) if half.min() < np.inf)]
    if len(set(named)) > 1:
        halves = "the half of these steps that is nearer to the end of the sequence and the other half"
        return Nearest(tuple(dict.fromkeys(named)), f"{halves} do not name the same init")
    wins, shared, count = compared(part, "init", alike, "from_rate")
    if wins.get(first, 0) + shared.get(first, 0) == count:
        return Nearest((first,))
    others = {init: wins.get(init, 0) for init in whole.sort_values(kind="stable").index if init != first}
    rival: Any = max(others, key=others.__getitem__)
    return Nearest(
        (first, rival),
        f"{label(first)} by the median, but compared by {axes_said(alike)} it is the nearest to constant in "
        f"{wins.get(first, 0)} of {count} and {label(rival)} in {others[rival]}",
    )


def shown_nearest(part: pd.DataFrame, axis: str, distance: str) -> Any:
    """The level of an axis that the test over seeds shows to be nearer than each other one; None if it shows none.

    The nearest level is chosen by the same networks that compare it, so p is corrected for all pairs of levels.

    Args:
        part: a row per network: `seed`, the axis and its distance, of which a level has the median for each seed.
    """
    by_seed = part.pivot_table(index="seed", columns=axis, values=distance, aggfunc="median", observed=True)
    levels = list(by_seed.columns)
    if len(levels) < 2:
        return None
    first = by_seed.median().idxmin()
    others = [level for level in levels if level != first]
    own, far = (by_seed[names].to_numpy(dtype=float).T[:, :, None] for names in ([first] * len(others), others))
    found = compare_pairs(own, far)
    p = found["p"] * len(levels) * (len(levels) - 1) / 2
    return first if ((p <= ALPHA) & (found["effect"] < 0)).all() else None


def compared(
    part: pd.DataFrame, axis: str, alike: Sequence[str], distance: str
) -> tuple[pd.Series[int], pd.Series[int], int]:
    """By level of an axis in how many sets of networks that agree in `alike` it alone is the nearest, and in how many
    as near as another; and the number of sets with several levels."""
    least = part.groupby([*alike, axis], observed=True, dropna=False)[distance].min().reset_index()
    sets = [own.set_index(axis)[distance] for _, own in least.groupby(list(alike), dropna=False, observed=True)]
    sets = [own for own in sets if len(own) > 1 and own.min() < np.inf]
    first = [[level for level, far in own.items() if far - own.min() <= EQUAL] for own in sets]
    alone = pd.Series([levels[0] for levels in first if len(levels) == 1], dtype=object)
    shared = pd.Series([level for levels in first if len(levels) > 1 for level in levels], dtype=object)
    return alone.value_counts(sort=False), shared.value_counts(sort=False), len(sets)
