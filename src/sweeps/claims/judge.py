"""What records say of a claim.

The statistic of every seed is one number; the claim is judged by the interval of their median (of a share: Clopper and
Pearson's) whose ends are each passed in at most 5% of cases, so that a claim about one side is tested at 5%.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import level_text
from sweeps.analysis.loading.axes import as_level
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.intervals import median_coverage, median_interval, medians, share_interval
from sweeps.analysis.statistics.paired import TUNED
from sweeps.analysis.tuning import with_tuned
from sweeps.claims.claim import Claim
from sweeps.claims.numbers import number_named
from sweeps.config.short_names import column_of
from sweeps.errors import SweepsError

REPLICATED, NOT_HERE, REFUTED = "replicated", "not replicated at this budget", "refuted"
VERDICTS = (REPLICATED, NOT_HERE, REFUTED)
CONFIDENCE = 0.9
"""Of the interval: 5% beyond each end."""


@dataclass(frozen=True)
class Judged:
    """A claim and what the records say of it.

    Attributes:
        verdict: one of `VERDICTS`.
        value, low, high: the statistic over seeds and its interval; NaN for none.
        seeds: how many have a number.
        steps: the updates that the runs had, the smallest and the largest.
        why: what decided, a clause.
        parts: of a claim that must hold at each of several combinations, the verdict on each by its name.
    """

    claim: Claim
    verdict: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    seeds: int = 0
    steps: tuple[int, int] = (0, 0)
    why: str = ""
    parts: tuple[tuple[str, Judged], ...] = ()


def judge(records: Records, claim: Claim) -> Judged:
    """The verdict on one claim.

    A claim that more was learned, or that something learns better than something else, is never refuted by runs that
    did not learn enough: more updates might. It is refuted if the comparison goes the other way.

    Raises:
        SweepsError: the records have no such setting, level or number.
    """
    here = _chosen(records, claim.where)
    if claim.tuned:
        here = with_tuned(_both(records, claim), claim.tuned, number_named(claim.number).chosen_by or claim.number)
        here = _chosen(here, claim.where) if not claim.against else here
    axes = [column_of(axis, here.axes) for axis in claim.for_each]
    if not axes:
        return _judged(here if claim.tuned else _both(records, claim), claim)
    parts = []
    every = here if claim.tuned else _both(records, claim)
    for levels, _ in here.cells.groupby(axes, observed=True):
        at = dict(zip(axes, levels, strict=True))
        name = ", ".join(level_text(axis, level) for axis, level in at.items())
        parts.append((name, _judged(every.select(**at), claim)))
    return _together(claim, parts)


def _chosen(records: Records, where: Mapping[str, Any]) -> Records:
    return records.select(**dict(where)) if where else records


def _both(records: Records, claim: Claim) -> Records:
    """The runs of the claim, and those that they are compared with: these differ from them in what `against` says."""
    if not claim.against:
        return _chosen(records, claim.where)
    others = {name: level for name, level in claim.where.items() if name not in claim.against}
    return _chosen(records, others)


def _together(claim: Claim, parts: list[tuple[str, Judged]]) -> Judged:
    """Of several combinations: replicated if at all of them, refuted if at one of them."""
    found = {each.verdict for _, each in parts}
    verdict = REFUTED if REFUTED in found else NOT_HERE if NOT_HERE in found else REPLICATED
    worst = next(each for _, each in parts if each.verdict == verdict)
    held = sum(each.verdict == REPLICATED for _, each in parts)
    steps = (min(each.steps[0] for _, each in parts), max(each.steps[1] for _, each in parts))
    return replace(
        worst, claim=claim, verdict=verdict, steps=steps, why=f"holds at {held} of {len(parts)}", parts=tuple(parts)
    )


def _judged(records: Records, claim: Claim) -> Judged:
    cells = records.cells
    steps = (int(cells["steps"].min()), int(cells["steps"].max())) if "steps" in cells else (0, 0)
    values = by_seed(records, claim)
    found = Judged(claim, NOT_HERE, seeds=len(values), steps=steps)
    if not len(values):
        return replace(found, why="no run has this number")
    confidence = 1 - (1 - CONFIDENCE) / (TUNED if claim.tuned else 1)
    if claim.statistic == "share":
        value, (low, high) = float(values.mean()), share_interval(values, confidence=confidence)
        known = len(values) > 1
    else:
        value, (low, high) = float(medians(values)), median_interval(values, confidence=confidence)
        known = len(values) > 1 and median_coverage(len(values), confidence=confidence) >= confidence
        if claim.statistic == "ratio":
            value, low, high = (math.exp(each) for each in (value, low, high))
    found = replace(found, value=value, low=low, high=high)
    if not known:
        return replace(found, why=f"{len(values)} seeds are too few for an interval")
    if claim.low < low and high < claim.high:
        return replace(found, verdict=REPLICATED, why="the interval lies in what is claimed")
    if _refuted(claim, low, high):
        return replace(found, verdict=REFUTED, why="the interval lies on the other side")
    inside = claim.low < value < claim.high
    why = "inside, and its interval reaches beyond" if inside else "outside of what is claimed"
    return replace(found, why=why)


def _refuted(claim: Claim, low: float, high: float) -> bool:
    """Whether an interval contradicts a claim, however many more updates there might be."""
    better = number_named(claim.number).better
    if claim.statistic in ("ratio", "difference"):
        null = 1.0 if claim.statistic == "ratio" else 0.0
        above, below = claim.low >= null, claim.high <= null
        if above or below:
            return high < null if above else low > null
    short, beyond = high <= claim.low, low >= claim.high
    return (short and better <= 0) or (beyond and better >= 0)


def by_seed(records: Records, claim: Claim) -> np.ndarray:
    """The statistic of every seed that has one, `[S]`; of a ratio its logarithm."""
    cells = records.cells.assign(number=number_named(claim.number).values(records).to_numpy(dtype=float))
    cells = cells.dropna(subset=["number"])
    if claim.statistic in ("median", "share"):
        grouped = cells.groupby("seed")["number"]
        return np.asarray(grouped.mean() if claim.statistic == "share" else grouped.median(), dtype=float)
    if claim.over:
        axis = column_of(claim.over, records.axes)
        each = [_along(part, axis, claim.statistic) for _, part in cells.groupby("seed")]
        return np.array([value for value in each if not math.isnan(value)])
    return _paired(records, cells, claim)


def _paired(records: Records, cells: pd.DataFrame, claim: Claim) -> np.ndarray:
    """First minus second of every pair, the median over the pairs of a seed."""
    differ = [column_of(name, [*map(str, cells)]) for name in claim.against]
    first = _matching(cells, {**{name: claim.where.get(name) for name in claim.against if name in claim.where}})
    second = _matching(cells, claim.against)
    keys = [*(axis for axis in records.axes if axis not in differ and _free(axis, differ)), "seed"]
    both = first.merge(second, on=keys, suffixes=("", "_second"))
    if claim.statistic == "ratio":
        both[["number", "number_second"]] = np.log(both[["number", "number_second"]].where(lambda each: each > 0))
    a, b = both["number"].to_numpy(), both["number_second"].to_numpy()
    with np.errstate(invalid="ignore"):
        both["difference"] = np.where(a == b, 0.0, a - b)
    return np.asarray(both.dropna(subset=["difference"]).groupby("seed")["difference"].median(), dtype=float)


def _free(axis: str, differ: list[str]) -> bool:
    """Whether pairs must agree in an axis: not in a setting that belongs to one in which they differ."""
    return axis.partition(".")[0] not in differ


def _matching(cells: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    chosen = np.ones(len(cells), bool)
    for name, level in where.items():
        column = column_of(name, map(str, cells))
        levels = level if isinstance(level, list | tuple) else [level]
        chosen &= cells[column].isin([as_level(column, each) for each in levels]).to_numpy()
    return cells[chosen]


def _along(part: pd.DataFrame, axis: str, statistic: str) -> float:
    """The slope of the number against log10 of an axis, or where it crosses 0, between the levels around."""
    medians_at = part.groupby(axis, observed=True)["number"].median()
    x, y = np.array(medians_at.index, dtype=float), medians_at.to_numpy(dtype=float)
    known = np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 2:
        return math.nan
    if statistic == "slope":
        return float(np.polyfit(np.log10(x), y, 1)[0])
    at = np.nonzero(np.sign(y[:-1]) * np.sign(y[1:]) < 0)[0]
    if len(at) != 1:
        return math.nan
    i = int(at[0])
    return float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))


def judge_all(records: Records, claims: list[Claim]) -> list[Judged]:
    """The verdict on each claim.

    Raises:
        SweepsError: as of `judge`, with the name of the claim in front.
    """
    found = []
    for claim in claims:
        try:
            found.append(judge(records, claim))
        except SweepsError as error:
            raise SweepsError(f"claims.{claim.name}: {error}") from None
    return found
