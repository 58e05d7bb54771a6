"""Whether the numbers that are compared are those of networks that learnt nothing, so that no level may be called best.

A run learnt nothing where its best evaluation is the one before the first update, or where its loss is not below that
of the best constant answer. The latter says nothing of classes: a network that is often right and too sure of it has a
loss above that of a constant answer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweeps.analysis.baselines import CONSTANT, OF_CLASSES
from sweeps.analysis.labels import level_text, listed
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects
from sweeps.analysis.statistics.measures import per_run
from sweeps.analysis.statistics.one_axis import Effect
from sweeps.analysis.text import number_of
from sweeps.report.effect_words import axis_name, measure_name, share

OF_THE_BEST = ("best_score", "best_loss")
"""Measures that are taken at the best evaluation, which may be that of the untrained network."""


def nothing_learnt(records: Records, found: Effects, lead: Effect | None) -> str:
    """The sentence that stands in place of one that names a best level; empty where most runs at that level learnt.

    Args:
        records: of one task.
        lead: the axis that would be named. Where its levels are tied, all runs are looked at; None for none.
    """
    if lead is None or found.measure.name not in OF_THE_BEST:
        return ""
    cells = records.cells[np.isfinite(per_run(records, found.measure))]
    untrained = cells["best_step"] == 0
    constant = ~untrained & (cells["best_loss"] >= cells["chance_loss"]) & (records.score_name not in OF_CLASSES)
    nothing = untrained | constant
    at_best = cells[lead.axis].isin(lead.best) if lead.best else pd.Series(True, cells.index)
    runs, count = len(cells), int(nothing.sum())
    if not runs or 2 * int(nothing[at_best].sum()) <= int(at_best.sum()):
        return ""
    why = " or ".join(
        text
        for text, flags in (
            ("that of the untrained network, before the first update,", untrained),
            (f"no better than the {CONSTANT}", constant),
        )
        if flags.any()
    ).removesuffix(",")
    name = measure_name(records, found)
    goes = f" With the {axis_name(lead)} goes {share(lead)} of the variation in it." if lead.named else ""
    if count == runs:
        return f"**Nothing was learnt:** in {_all(runs)} the {name} is {why}.{goes}"
    own = listed([level_text(lead.axis, level) for level in lead.best]) if lead.best else ""
    at = f", and in {int(nothing[at_best].sum())} of {int(at_best.sum())} with {own}," if own else ""
    return f"**Most runs learnt nothing:** in {count} of {runs}{at} the {name} is {why}; no level is called best.{goes}"


def _all(runs: int) -> str:
    return "the only run" if runs == 1 else f"all {number_of(runs, 'run')}"
