"""What a figure shows, in sentences computed from the numbers: frames in, text out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis import curves
from sweeps.analysis.load import Records
from sweeps.analysis.markdown import factor, number
from sweeps.analysis.style import label


def captions(records: Records, table: pd.DataFrame) -> dict[str, str]:
    """A caption for every figure of the catalogue.

    Args:
        table: from `tables.comparison`, of the same records.
    """
    length, clip = curves.longest(records), curves.reference_clip(records)
    where = f"T = {length:g}, {label(clip)}"
    here = table[(table["length"] == length) & (table["clip"] == clip)]
    others = [axis for axis in records.extra_axes if axis != "task"]
    pooled = f" Runs are pooled over {', '.join(others)}." if others else ""
    band = f" Lines are medians over runs, bands reach from the smallest to the largest run.{pooled}"
    return {
        "gradient_by_lag_start": (
            f"At initialisation, {where}: the norm of the gradient that reaches the hidden state, ‖∂L/∂h_t‖, "
            f"against "
            f"the steps back from the end of the sequence. {decay_sentence(here, 'decay_start')}{band} "
            "Each panel has its own scale."
        ),
        "gradient_by_lag_end": (
            f"The same at the last logged step of training (of a diverged run, the last that was finite), "
            f"{where}. "
            f"Median over training: {decay_sentence(here, 'decay_training')}{band}"
        ),
        "gradient_norm_by_length": (
            f"Norm of the gradient of all parameters, each run's median over training, {label(clip)}. "
            f"{growth_sentence(records, clip)}{band}"
        ),
        "loss_curves": (
            f"Evaluation loss over training at T = {length:g}. A run that was solved stays at its last loss; "
            f"a cross "
            "marks where a run diverged, and the line goes on with the others; the dotted line is the loss "
            "of the "
            f"best constant answer.{band}"
        ),
        "share_solved": (
            f"Share of runs that solved the task, with 95% Wilson intervals.{pooled} {length_sentence(table)}"
        ),
        "clipping": clipping_caption(records, length) + band,
        "outcomes": (
            "Share of runs that diverged (left) and that solved the task (right) over the whole grid; an "
            "unmarked "
            f"field is 0, a hatched one had no run.{pooled} {outcome_sentence(table)}"
        ),
    }


def decay_sentence(here: pd.DataFrame, column: str) -> str:
    """The factor per step of lag of every arch and init, the one nearest to 1 first.

    Args:
        here: rows of one length and clipping of the comparison table.
        column: decay_start or decay_training.
    """
    texts = []
    for arch, part in here.groupby("arch", observed=True):
        rates = _by_init(part, column)
        order = rates.abs().sort_values(kind="stable").index
        if len(order):
            texts.append(f"{label(arch)} {', '.join(f'{label(init)} {factor(rates[init])}' for init in order)}")
    if not texts:
        return "no decay rate could be fitted."
    return f"factor per step of lag, the one nearest to 1 first: {'; '.join(texts)}."


def alive_sentence(here: pd.DataFrame, arch: Any, length: float) -> str:
    """The answer for one architecture: which init keeps gradients alive, and what the others leave of them.

    Args:
        here: rows of one length and clipping of the comparison table.
    """
    rates = _by_init(here[here["arch"] == arch], "decay_start")
    if rates.empty:
        return f"**{label(arch)}**: no decay rate could be fitted at initialisation."
    best: Any = rates.abs().idxmin()
    rest = [(init, rate) for init, rate in rates.sort_values(ascending=False).items() if init != best]
    texts = [f"{label(init)} {factor(rate)} ({_whole(rate, length)})" for init, rate in rest]
    return (
        f"**{label(arch)}**: {label(best)} init keeps the gradient nearest to constant, "
        f"{factor(rates[best])} per step "
        f"of lag ({_whole(rates[best], length)})" + (f"; {', '.join(texts)}." if texts else ".")
    )


def growth_sentence(records: Records, clip: Any) -> str:
    """The change of the gradient norm from the shortest to the longest length, where it is largest."""
    frame = curves.norm_by_length(records, clip=clip)
    frame = frame[np.isfinite(frame["median"])].sort_values("length")
    ends = frame.groupby(["arch", "init"], observed=True)["median"].agg(["first", "last", "count"])
    change = (ends["last"] - ends["first"])[ends["count"] > 1]
    if change.empty:
        return "There is one length only, so nothing to compare."
    texts = []
    for place, decades in ((change.idxmax(), change.max()), (change.idxmin(), change.min())):
        arch, init = place
        texts.append(f"{number(10.0**decades, 2)} for the {label(arch)} with {label(init)} init")
    return f"From the shortest to the longest sequence it is multiplied by between {' and '.join(texts)}."


def length_sentence(table: pd.DataFrame) -> str:
    """How many runs solved the task at each length."""
    texts = []
    for length, part in table[table["n"] > 0].groupby("length", observed=True):
        solved = round((part["share_solved"] * part["n"]).sum())
        texts.append(f"{solved} of {part['n'].sum()} at T = {length:g}")
    return f"The task was solved by {', '.join(texts)}, all choices pooled."


def outcome_sentence(table: pd.DataFrame) -> str:
    """How many runs diverged, under which clipping, and where most of them."""
    runs = table[table["n"] > 0]
    gone = (runs["share_diverged"] * runs["n"]).round()
    n, total = int(runs["n"].sum()), int(gone.sum())
    if not total:
        return f"None of the {n} runs diverged."
    by_clip = [
        f"{int(gone[part.index].sum())} of {part['n'].sum()} with {label(clip)}"
        for clip, part in runs.groupby("clip", observed=True)
    ]
    where = gone.groupby([runs["arch"], runs["init"]], observed=True).sum()
    place: Any = where.idxmax()
    arch, init = place
    most = "all of them" if int(where.max()) == total else f"{int(where.max())} of them"
    return (
        f"{total} of {n} runs diverged ({total / n:.0%}): {', '.join(by_clip)}; "
        f"{most} were the {label(arch)} with {label(init)} init."
    )


def clipping_sentence(clipped: pd.DataFrame) -> str:
    """What clipping changed in the outcomes, from `tables.clipping`."""
    texts = []
    for clip, part in clipped.groupby("clip", observed=True):
        n = int(part["n"].sum())
        solved, gone = (round((part[f"share_{name}"] * part["n"]).sum()) for name in ("solved", "diverged"))
        texts.append(f"{label(clip)} {solved} solved and {gone} diverged of {n}")
    return "; ".join(texts) + "."


def clipping_caption(records: Records, length: Any) -> str:
    """Which runs the clipping figure shows, and how often their gradients were clipped."""
    init = curves.most_clipped_init(records, length=length)
    if init is None:
        return "No run was clipped."
    chosen = records.select(init=init, length=length)
    rows = chosen.with_axes(chosen.metrics)
    shares = (rows["clip_scale"] < 1.0).groupby(rows["clip"], observed=True).mean()
    texts = [f"{label(clip)} {share:.0%}" for clip, share in shares.items() if clip != "none"]
    return (
        f"Gradient norm before and after clipping, {label(init)} init, T = {length:g}. Share of logged steps "
        f"at which "
        f"the gradient was made smaller: {', '.join(texts)}. Clipping by value bounds each element, so the "
        f"norm after "
        "it may lie above its threshold."
    )


def _by_init(part: pd.DataFrame, column: str) -> pd.Series:
    """The median decay rate of each init; further axes are pooled."""
    return part.groupby("init", observed=True)[column].median().dropna()


def _whole(rate: float, length: float) -> str:
    """What a decay rate leaves over a whole sequence, in powers of ten."""
    decades = rate * (length - 1)
    return f"10^{decades:.1f}" if math.isfinite(decades) and abs(decades) >= 0.05 else "unchanged"
