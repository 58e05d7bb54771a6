"""Which init keeps gradients alive before training, and what exploded, then or later."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sweeps.analysis.document.blocks import Block, Prose, Tabular
from sweeps.analysis.figures import curves
from sweeps.analysis.loading.load import Records
from sweeps.analysis.loading.names import HEADS, label
from sweeps.analysis.statistics.summaries import decay_rates
from sweeps.analysis.tables.markdown import factor, percent, render, share_of


def at_initialisation(records: Records) -> pd.DataFrame:
    """The gradient through time of every run before the first update, in two numbers.

    Returns:
        `cell`, the axes, `seed`, `outcome`; `rate`: log10 of what one step back in time leaves of ‖dL/dh_t‖, fitted;
        `change`: log10 of what all of them leave, as recorded from the last time step to the first.
    """
    rows = records.gradient[records.gradient["step"] == 0]
    rates = decay_rates(rows).set_index("cell")["decay_rate"]
    first, last = (rows[rows[name] == 0].set_index("cell")["log10_norm"] for name in ("t", "lag"))
    axes = ["cell", *records.axes, "seed", "outcome"]
    return records.cells[axes].join(rates.rename("rate"), on="cell").join((first - last).rename("change"), on="cell")


def networks(start: pd.DataFrame) -> pd.DataFrame:
    """Every network that was started, once: runs that differ in clipping, say, are the same before the first update."""
    return start.drop_duplicates(["arch", "init", "length", "seed", "rate", "change"])


def alive(records: Records, start: pd.DataFrame) -> list[Block]:
    """For each architecture the init whose gradient stays nearest to constant, and the factor per step of them all."""
    length, clip = curves.longest(records), curves.reference_clip(records)
    here = start[(start["length"] == length) & (start["clip"] == clip)].dropna(subset=["rate"])
    if here.empty:
        return [Prose("No run recorded a gradient through time at initialisation.")]
    archs = [arch for arch in here["arch"].cat.categories if (here["arch"] == arch).any()]
    inits = [init for init in here["init"].cat.categories if (here["init"] == init).any()]
    here = networks(here).assign(distance=here["rate"].abs())
    groups = here.groupby(["init", "arch"], observed=True)
    median, distance = (groups[name].median().unstack("arch").reindex(inits) for name in ("rate", "distance"))
    best = {arch: distance[arch].idxmin() for arch in archs}
    points = [f"- {_nearest(here[here['arch'] == arch], best[arch])}" for arch in archs]
    shown = pd.DataFrame({"init": [label(init) for init in inits]})
    for arch in archs:
        texts = [factor(rate) for rate in median[arch]]
        shown[label(arch)] = [f"**{t}**" if init == best[arch] else t for init, t in zip(inits, texts, strict=True)]
    others = [HEADS.get(axis, axis) for axis in records.extra_axes if axis != "task"]
    pooled = f", {', '.join(others)} pooled" if others else ""
    first = (
        f"At T = {length:g} with {label(clip)}, before training, each step back in time multiplies the norm of the "
        "gradient ‖∂L/∂h_t‖ by a factor: below 1 it vanishes on its way back, above 1 it explodes. The init that keeps "
        "it nearest to constant (by the median over runs of the distance from 1, in decades):"
    )
    caption = (
        f"Factor per step back in time at initialisation, T = {length:g}, median over runs{pooled}; bold: the init "
        "whose runs are nearest to 1."
    )
    return [Prose(first + "\n\n" + "\n".join(points)), Tabular(render(shown, names=1), caption)]


def _nearest(here: pd.DataFrame, best: Any) -> str:
    """One architecture: its best init, the spread of that init's runs, and what the whole sequence leaves."""
    own = here[here["init"] == best]
    rate, change = own["rate"], own["change"].sort_values()
    text = f"**{label(here['arch'].iloc[0])}: {label(best)}**, {factor(rate.median())} per step"
    if len(own) > 1:
        text += f" (single runs: {factor(rate.min())} to {factor(rate.max())})"
    text += f"; from the last step to the first the gradient changes by a factor of {_power(change.iloc[0])}"
    if len(own) > 1:
        text += f" to {_power(change.iloc[-1])}"
    if here["init"].nunique() == 1:
        return text + " (the only init)."
    known = ("cell", "init", "outcome", "rate", "change", "distance")
    apart = [name for name in here if name not in known]
    nearest = here.loc[here.groupby(apart, observed=True, dropna=False)["distance"].idxmin(), "init"]
    return f"{text}. It is the nearest to constant in {(nearest == best).sum()} of {len(nearest)} runs."


def _power(decades: float) -> str:
    """`10^-2.4`; `0` for a gradient that is gone exactly."""
    return "0" if decades == -math.inf else f"10^{round(decades, 1) + 0.0:.1f}"


def exploded(records: Records, start: pd.DataFrame) -> list[Block]:
    """The share of networks whose gradient grew through time before training, and of runs that diverged in it."""
    frame = start.assign(diverged=start["outcome"] == "diverged")
    alone = networks(start).dropna(subset=["change"])
    alone = alone.assign(known=True, grew=alone["change"] > 0, tenfold=alone["change"] > 1)
    counts = frame.groupby("arch", observed=True)["diverged"].agg(diverged="sum", runs="size")
    counts = counts.join(alone.groupby("arch", observed=True)[["known", "grew", "tenfold"]].sum()).fillna(0).astype(int)
    gone, runs, known, grew, tenfold = counts.sum()
    longest = alone[alone["length"] == curves.longest(records)]
    first = f"**{percent(gone, runs)} of runs diverged in training** ({gone} of {runs}){_where(frame)}."
    second = (
        f"**In {percent(grew, known)} of networks the gradient exploded through time at initialisation**, that is, "
        f"was larger at the first step than at the last: in {grew} of {known} (at T = {curves.longest(records):g}: "
        f"{longest['grew'].sum()} of {len(longest)}), in {tenfold} of them more than tenfold."
    )
    if known < runs:
        second += " Runs that differ only in what acts later, such as clipping, start as one network and count once."
    points = Prose("\n".join(f"- {text}" for text in ((first, second) if known else (first,))))
    if len(counts) == 1:
        return [points]
    shown = pd.DataFrame({"architecture": [label(arch) for arch in counts.index]})
    for head, name, n in (
        ("diverged in training", "diverged", "runs"),
        ("grew at initialisation", "grew", "known"),
        ("more than tenfold", "tenfold", "known"),
    ):
        shown[head] = [share_of(*pair) for pair in zip(counts[name], counts[n], strict=True)]
    caption = "Runs that diverged in training, and networks whose gradient grew on its way back before training."
    return [points, Tabular(render(shown, names=1), caption)]


def _where(frame: pd.DataFrame) -> str:
    """`: ReLU RNN with He 6, identity 5`, the runs that diverged by arch and init; nothing where none did."""
    gone = frame[frame["diverged"]]
    texts = []
    for arch, part in gone.groupby("arch", observed=True):
        inits = part["init"].value_counts()
        named = ", ".join(f"{label(init)} {count}" for init, count in inits[inits > 0].items())
        texts.append(f"{label(arch)} with {named}")
    lengths = gone["length"].unique()
    at = f", all at T = {lengths[0]:g}" if len(lengths) == 1 else ""
    return f": the {'; the '.join(texts)}{at}" if texts else ""
