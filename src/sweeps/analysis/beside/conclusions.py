"""Whether two records of the same cells lead to the same conclusions: how many solved, what mattered, what is best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from sweeps.analysis.beside.levels import levels
from sweeps.analysis.beside.pairing import Pairing
from sweeps.analysis.labels import level_said, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects, effects, measure_that_varies
from sweeps.analysis.statistics.measures import MEASURES, Measure, per_run
from sweeps.analysis.statistics.one_axis import Effect
from sweeps.analysis.statistics.outcomes import solved

ORDERED = 8
"""Levels of an axis up to which their whole order is compared; beyond, only the best."""


@dataclass(frozen=True)
class Conclusion:
    """What either sweep says about one thing.

    Attributes:
        about: what it is about, as the head of a row.
        a, b: what each says.
        shown: where the runs show it beyond themselves (p at most 0.05, corrected): "in a", "in b", "in both"; of a
            number over all runs "by the pairs" if their difference is; empty for nowhere.
    """

    about: str
    a: str
    b: str
    shown: str = ""

    @property
    def same(self) -> bool:
        return self.a == self.b


@dataclass(frozen=True)
class Conclusions:
    """Those of one task.

    Attributes:
        n, seeds: runs and seeds on either side; the pairs alone.
        measure: what is compared, and `label`, what it is called.
        found: the conclusions.
        combinations: a row for each combination of the axes that varied: the axes, `n`, `solved_a, solved_b`
            (numbers of runs), `value_a, value_b` (the measure: mean of a share, else median), `rank_a, rank_b`
            (1 + the number of better combinations).
        shares: of the variation, by axis: of a and of b.
    """

    task: Any
    n: int
    seeds: int
    measure: Measure
    label: str
    found: tuple[Conclusion, ...]
    combinations: pd.DataFrame
    shares: dict[str, tuple[float, float]]


def conclusions(pairing: Pairing) -> list[Conclusions]:
    """The conclusions from the paired cells, for each task."""
    kept = pairing.a.cells[pairing.a.cells["cell"].isin(pairing.pairs["cell_a"])]
    tasks = sorted(kept["task"].dropna().unique(), key=str)
    return [_of_task(task, *pairing.paired(task)) for task in tasks]


def _of_task(task: Any, a: Records, b: Records) -> Conclusions:
    measure = _measure(a, b)
    first, second = effects(a, measure), effects(b, measure)
    label = measure.label.format(score=a.score_name)
    axes = list(dict.fromkeys(each.axis for each in (*first.axes, *second.axes)))
    by_axis = [{each.axis: each for each in found.axes} for found in (first, second)]
    found = [Conclusion(each.about, each.a, each.b, "by the pairs" * each.shown) for each in levels(a, b)]
    found += [_what_mattered(first, second)] if axes else []
    for axis in axes:
        ours, theirs = (each[axis] for each in by_axis)
        shown = _where(ours, theirs)
        found.append(Conclusion(f"best {said(axis)}", _best(ours), _best(theirs), shown))
        if 2 < len(ours.levels) <= ORDERED:
            found.append(Conclusion(f"order of {said(axis)}", _order(ours), _order(theirs), shown))
    table = _combinations(a, b, measure)
    one, other = (_top(table, axes, f"rank_{side}") for side in "ab")
    if one and other and len(axes) > 1:
        found.append(Conclusion("best combination", one, other))
    shares = {axis: (by_axis[0][axis].variation.share, by_axis[1][axis].variation.share) for axis in axes}
    seeds = int(a.cells["seed"].nunique())
    return Conclusions(task, len(a.cells), seeds, measure, label, tuple(found), table, shares)


def _measure(a: Records, b: Records) -> Measure:
    """The share solved where it tells the runs of either side apart, else what tells those of a apart."""
    ours, theirs = (measure_that_varies(records)[0] for records in (a, b))
    differ = int(solved(a.cells).sum()) != int(solved(b.cells).sum())
    return MEASURES["solved"] if differ or "solved" in (ours.name, theirs.name) else ours


def _what_mattered(first: Effects, second: Effects) -> Conclusion:
    one, other = (said(each.axes[0].axis) if each.varies else "nothing, all are alike" for each in (first, second))
    return Conclusion("what mattered most", one, other, _where(first.axes[0], second.axes[0]))


def _where(ours: Effect, theirs: Effect) -> str:
    return {(True, True): "in both", (True, False): "in a", (False, True): "in b"}.get((ours.shown, theirs.shown), "")


def _best(effect: Effect) -> str:
    return " = ".join(level_said(effect.axis, level) for level in effect.best) if effect.best else "all alike"


def _order(effect: Effect) -> str:
    """`GRU > LSTM = tanh RNN`: the levels by their standing; those without a pair are left out."""
    known = [(standing, level) for standing, level in zip(effect.standing, effect.levels, strict=True)]
    known = [(round(standing, 9), level) for standing, level in known if not math.isnan(standing)]
    tiers = sorted({standing for standing, _ in known}, reverse=True)
    return " > ".join(
        " = ".join(level_said(effect.axis, level) for own, level in known if own == tier) for tier in tiers
    )


def _combinations(a: Records, b: Records, measure: Measure) -> pd.DataFrame:
    """See `Conclusions.combinations`."""
    axes = [axis for axis in a.axes if axis in {*a.varied, *b.varied}]
    frame = a.cells[axes].astype(object).assign(n=1)
    for side, records in (("a", a), ("b", b)):
        frame[f"solved_{side}"] = solved(records.cells).to_numpy().astype(int)
        frame[f"value_{side}"] = per_run(records, measure).to_numpy(dtype=float)
    how: dict[str, Any] = {name: "sum" for name in ("n", "solved_a", "solved_b")}
    how |= {name: "mean" if measure.share else "median" for name in ("value_a", "value_b")}
    by: Any = frame.groupby(axes, dropna=False, sort=False) if axes else frame.groupby(np.zeros(len(frame)))
    table: pd.DataFrame = by.agg(how).reset_index(drop=not axes)
    for side in "ab":
        value = -measure.better * table[f"value_{side}"].to_numpy(dtype=float)
        table[f"rank_{side}"] = rankdata(value, method="min", nan_policy="omit")
    return table


def _top(table: pd.DataFrame, axes: Sequence[str], rank: str) -> str:
    """The combinations of rank 1; empty if these are all, or more than three."""
    best = table[table[rank] == 1]
    if not 0 < len(best) <= 3 or len(best) == len(table):
        return ""
    names = [str(axis) for axis in table if axis in axes]
    return " = ".join(", ".join(_level(axis, row[axis]) for axis in names) for _, row in best.iterrows())


def _level(axis: str, level: Any) -> str:
    if isinstance(level, str):
        return level_said(axis, level)
    return f"{said(axis)} {'unset' if pd.isna(level) else level_said(axis, level)}"
