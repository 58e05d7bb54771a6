"""The answer of a sweep in numbers, before any detail: which init keeps gradients alive, what exploded, what
clipping changed, who learned. Records in, sections of a document out.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sweeps.analysis.document.blocks import Block, Prose, Section, Tabular
from sweeps.analysis.figures import curves
from sweeps.analysis.loading.load import Records
from sweeps.analysis.loading.names import HEADS, label
from sweeps.analysis.statistics.summaries import decay_rates
from sweeps.analysis.tables.audit import REFERENCE, clipping_audit
from sweeps.analysis.tables.markdown import EMPTY, factor, render


def answer(records: Records, table: pd.DataFrame, task: Any = None) -> list[Section]:
    """The parts of the answer.

    Args:
        records: of one task.
        table: from `tables.comparison`, of the same records.
        task: its name, where there are several.
    """
    start = at_initialisation(records)
    parts = (
        ("Which initialisation keeps gradients alive?", alive(records, start)),
        ("What exploded?", exploded(records, start)),
        ("What did clipping change?", clipping(records, table)),
        ("Who solved the task?", solved(table)),
    )
    suffix = "" if task is None else f" ({task})"
    return [Section(title + suffix, blocks, level=3) for title, blocks in parts if blocks]


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
    first = f"**{_percent(gone, runs)} of runs diverged in training** ({gone} of {runs}){_where(frame)}."
    second = (
        f"**In {_percent(grew, known)} of networks the gradient exploded through time at initialisation**, that is, "
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
        shown[head] = [_of(*pair) for pair in zip(counts[name], counts[n], strict=True)]
    caption = "Runs that diverged in training, and networks whose gradient grew on its way back before training."
    return [points, Tabular(render(shown, names=1), caption)]


def clipping(records: Records, table: pd.DataFrame) -> list[Block]:
    """Solved and diverged under each kind of clipping, and pair by pair what it changed against none."""
    counts = _outcomes(table, "clip")
    if len(counts) < 2:
        return []
    shown = pd.DataFrame({"clip": [label(clip) for clip in counts.index]})
    for name in ("solved", "diverged"):
        shown[name] = [_of(*pair) for pair in zip(counts[name], counts["n"], strict=True)]
    outcomes = Tabular(render(shown, names=1), "Outcomes under each kind of clipping, everything else pooled.")
    if REFERENCE not in counts.index:
        return [outcomes]
    audit = clipping_audit(records, incomplete="allow").frame
    points = [_changed(clip, audit[audit["clip"] == clip]) for clip in counts.index if clip != REFERENCE]
    first = "Pairs are a run with clipping and the run without it that is the same otherwise:"
    return [Prose(first + "\n\n" + "\n".join(f"- {point}" for point in points)), outcomes]


def solved(table: pd.DataFrame) -> list[Block]:
    """Who solved the task at which length."""
    runs = table[table["n"] > 0]
    lengths = [length for length in table["length"].cat.categories if (runs["length"] == length).any()]
    rows = []
    for arch, part in runs.groupby("arch", observed=True):
        row = {"architecture": label(arch)}
        for length in lengths:
            counts = _outcomes(part[part["length"] == length], "arch")
            row[f"T = {length:g}"] = _of(counts["solved"].sum(), counts["n"].sum())
        rows.append(row)
    return [Tabular(render(pd.DataFrame(rows), names=1), "Runs that solved the task, inits and clipping pooled.")]


def _outcomes(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Runs, solved and diverged, for each level of an axis, from shares of rows."""
    here = table[table["n"] > 0]
    counts = pd.DataFrame({by: here[by], "n": here["n"]})
    for name in ("solved", "diverged"):
        counts[name] = (here[f"share_{name}"] * here["n"]).round().astype(int)
    return counts.groupby(by, observed=True).sum()


def _changed(clip: Any, rows: pd.DataFrame) -> str:
    """What one kind of clipping changed in the outcomes of pairs, and in which architectures."""
    name, pairs = label(clip), int(rows["pairs"].sum())
    gained, lost, caused, avoided = (
        _counted(rows, change) for change in ("solved_gained", "solved_lost", "diverged_caused", "diverged_avoided")
    )
    return (
        f"**{name[0].upper()}{name[1:]}**, {pairs} pairs: {gained[0]} solved the task only with it{gained[1]}, "
        f"{lost[0]} only without{lost[1]}; {caused[0]} diverged only with it{caused[1]}, {avoided[0]} only "
        f"without{avoided[1]}."
    )


def _counted(rows: pd.DataFrame, name: str) -> tuple[int, str]:
    """`13` and ` (ReLU RNN 9, LSTM 4)`, the latter empty where there is nothing to tell."""
    by_arch = rows.groupby("arch", observed=True)[name].sum()
    named = ", ".join(f"{label(arch)} {count}" for arch, count in by_arch[by_arch > 0].items())
    return int(by_arch.sum()), f" ({named})" if named else ""


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


def _percent(count: Any, n: Any) -> str:
    """`4%`, with decimals where a few of many would read as 0%, or all but a few as 100%."""
    if not n:
        return EMPTY
    share = 100.0 * count / n
    return f"{share:.{0 if share in (0.0, 100.0) or 1.0 <= share <= 99.0 else 2}f}%"


def _of(count: Any, n: Any) -> str:
    """`14 of 360 (4%)`."""
    return f"{int(count)} of {int(n)} ({_percent(count, n)})" if n else EMPTY
