"""The part 'Which initialisation keeps gradients alive?' of the answer: the gradient through time before training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import axes_said, label, listed
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import decades, factor, render
from sweeps.report.before_training import FACTOR, at_longest, further, power, span, too_short
from sweeps.report.document import Block, Prose, Tabular
from sweeps.report.how_many import how_many
from sweeps.report.nearest import Nearest, compared, nearest_init


def alive(records: Records, start: pd.DataFrame) -> list[Block]:
    """For each architecture the init whose gradient stays nearest to constant, and a table of the rates of all.

    Args:
        start: from `at_initialisation`.
    """
    length, here = records.longest, at_longest(records, start)
    if here.empty:
        why = "there is no step back in time" if length == 1 else "no gradient is finite at both ends at initialisation"
        return [Prose(f"At T = {length:g}, the longest here, {why}: no init is named.")]
    for name in ("rate", "late", "early"):
        here = here.assign(**{f"from_{name}": here[name].abs().fillna(np.inf)})
    pooled = [axis for axis in further(records) if axis != "task"]
    if why := too_short(length):
        first = (
            f"At T = {length:g}, the longest here, no init is named: a factor per step {why}. The table has the change "
            "from the last step to the first, of which such transients are a large part."
        )
        return [Prose(first), _table(here, pooled, {})]
    alike = ["seed", *(axis for axis in pooled if owner_of(axis) != "init")]
    best = {arch: nearest_init(part, alike) for arch, part in here.groupby("arch", observed=True)}
    points = [f"- {_sentence(here[here['arch'] == arch], named, alike)}" for arch, named in best.items()]
    first = (
        f"At T = {length:g}, before training, {FACTOR}, where it still depends on the readout or on the start from 0. "
        "The init that keeps it nearest to constant (by the median over networks of the distance from 1, in decades; a "
        "gradient that is exactly zero somewhere is infinitely far):"
    )
    return [Prose(first + "\n\n" + "\n".join(points)), _table(here, pooled, best)]


def _sentence(here: pd.DataFrame, nearest: Nearest, alike: Sequence[str]) -> str:
    """The result of one architecture: its best init, the range over that init's networks, and the end-to-end change.

    Args:
        here: rows of `at_initialisation`, of this architecture at the longest length.
        nearest: from `nearest_init`.
        alike: axes on which networks of different inits must agree to be compared.
    """
    arch, named = label(here["arch"].iloc[0]), nearest.inits
    if not named:
        networks = "its 1 network" if len(here) == 1 else f"all of its {len(here)} networks"
        return f"**{arch}: none**; in {networks} the gradient is exactly zero or not finite."
    rates = {init: here.loc[here["init"] == init, "rate"] for init in named}
    if nearest.why == "a tie":
        texts = [f"{label(init)} (n = {len(rate)})" for init, rate in rates.items()]
        return f"**{arch}: a tie** between {listed(texts)}, {factor(rates[named[0]].median())} per step each."
    if nearest.why:
        texts = [f"{label(init)} ({factor(rate.median())}, n = {len(rate)})" for init, rate in rates.items()]
        return f"**{arch}: not decided** between {' and '.join(texts)}: {nearest.why}."
    own = here[here["init"] == named[0]]
    text = f"**{arch}: {label(named[0])}**, {factor(own['rate'].median())} per step"
    text += f" (n = {len(own)}{span(own['rate'], factor, ': ')}); end to end the gradient changes by"
    text += f" {span(own['change'], decades)} decades per step, in all by a factor of {span(own['total'], power)}."
    zero = int((own["rate"] == -np.inf).sum())
    text += f" In {zero} of {len(own)} it is exactly zero somewhere." if zero else ""
    if here["init"].nunique() == 1:
        return f"{text} (The only init.)"
    change = here["change"].abs().fillna(np.inf).groupby(here["init"], observed=True).median()
    least, by = min(zip(change.index, change, strict=True), key=lambda each: each[1])
    if by < change.loc[named[0]]:
        text += f" End to end it is {label(least)} that changes least ({by:.3f} decades per step)."
    wins, shared, count = compared(here, "init", alike, "from_rate")
    ties = shared.get(named[0], 0)
    also = f", as near as another in {ties}" if ties else ""
    return (
        f"{text} Compared by {axes_said(alike)} it is the nearest to constant in {wins.get(named[0], 0)} of "
        f"{count}{also}."
    )


def _table(here: pd.DataFrame, pooled: Sequence[str], best: Mapping[Any, Nearest]) -> Tabular:
    """Factor per step and end-to-end change of every init (rows) and architecture (columns), bold for the `best`."""
    archs, inits = (
        [level for level in here[axis].cat.categories if (here[axis] == level).any()] for axis in ("arch", "init")
    )
    shown = pd.DataFrame({"init": [label(init) for init in inits]})
    for arch in archs:
        texts = []
        for init in inits:
            part = here[(here["arch"] == arch) & (here["init"] == init)]
            rate, change = part["rate"].median(), part["change"].median()
            text = decades(change) if math.isnan(rate) else f"{factor(rate)} ({decades(change)})"
            texts.append(f"**{text}**" if best.get(arch, Nearest()).inits == (init,) else text)
        shown[label(arch)] = texts
    networks = how_many(here, ["arch", "init"], pooled, "network")
    what = "decades per step, end to end"
    if here["rate"].notna().any():
        what = f"factor per step back, both ends left out, in brackets the {what}"
        what += "; bold: the init named above" if any(len(each.inits) == 1 for each in best.values()) else ""
    caption = (
        f"The gradient through time at initialisation, T = {here['length'].iloc[0]:g}, medians over {networks}: {what}."
    )
    return Tabular(render(shown, names=1), caption)
