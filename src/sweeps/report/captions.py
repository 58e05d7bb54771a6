"""The captions of the figures: what each shows, in sentences computed from its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import HEADS, label
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.arrival import arrival
from sweeps.analysis.statistics.outcomes import counted
from sweeps.analysis.statistics.summaries import ENDS, SHORTEST
from sweeps.analysis.text import decades, factor, number, number_of, percent
from sweeps.config.cards import card
from sweeps.figures import curves
from sweeps.tables.notes import several

NEAR = (0.95, 1.05)
"""Factors per step that the caption of gradient and learning counts as near 1."""


def captions(records: Records, table: pd.DataFrame) -> dict[str, str]:
    """A caption for every figure of the catalogue, by its name: what is drawn, then the main result in numbers.

    Args:
        records: of one task.
        table: from `tables.comparison`, of the same records.
    """
    length, clip = records.longest, records.reference_clip
    where = f"T = {length:g}, {label(clip)}"
    here = table[(table["length"] == length) & (table["clip"] == clip)]
    start, end = (curves.decay_by_run(records, at=at, length=length, clip=clip) for at in ("start", "end"))
    others = [HEADS.get(axis, axis) for axis in records.extra_axes if axis != "task"]
    pooled = f" Runs are pooled over {', '.join(others)}." if others else ""
    ran = table[table["n"] > 0].groupby(["arch", "init", "clip", "length"], observed=True)["n"].sum()
    runs = f"{several(ran)} run{'s' if ran.max() > 1 else ''}"
    lines = f" Lines are medians over {runs}, bands reach from the smallest to the largest.{pooled}"
    return {
        "gradient_by_lag_start": (
            f"Norm of the gradient that reaches the hidden state, ‖∂L/∂h_t‖, against steps back from the end of the "
            f"sequence, before training ({where}). A level line is a gradient that survives, a falling one vanishes, a "
            f"rising one explodes. {decay_sentence(start)}{_of_the_architectures(here)} Each panel has its own "
            f"scale, at most what float32 can hold; what reaches its edge goes on, and a note says where a median "
            f"ends.{lines}"
        ),
        "gradient_by_lag_end": (
            f"The same at the last logged update, or of a diverged run the last that was finite ({where}). "
            f"{decay_sentence(end)}{lines}"
        ),
        "gradient_norm_by_length": (
            f"Norm of the gradient of all parameters against sequence length, each run's median over training, "
            f"{label(clip)}. {growth_sentence(records, clip)}{lines}"
        ),
        "loss_curves": (
            f"Evaluation loss over training at T = {length:g}, a row per architecture, a column per init. The grey "
            "line is the loss of the best constant answer: a run on it has learned nothing. A cross marks where a "
            "run diverged, with their number if several did; the line goes on with the others. "
            f"{length_sentence(table, length)}{lines}"
        ),
        "share_solved": (
            f"Share of runs that solved the task, whatever followed, against sequence length, {runs} a point, with "
            f"exact 95% intervals over seeds. {length_sentence(table)}{pooled}"
        ),
        "clipping": clipping_caption(records, length) + lines,
        "outcomes": (
            f"Share of runs that diverged (left) and that solved the task (right) over the whole grid, {runs} a field; "
            f"an unmarked field is 0, a hatched one had no run; a run that was solved and then diverged is in both. "
            f"{outcome_sentence(table)}{pooled}"
        ),
        "gradient_and_learning": arrival_caption(records),
    }


def _of_the_architectures(here: pd.DataFrame) -> str:
    """What the cards say of the gradient through time of the architectures in the figure."""
    sentences = [card("arch", str(arch)).caption for arch in here["arch"].unique()]
    return "".join(f" {sentence}" for sentence in sentences if sentence)


def decay_sentence(rates: pd.DataFrame) -> str:
    """For every arch the init whose gradient stays nearest to constant and the one farthest from it, with their rates.

    Args:
        rates: from `curves.decay_by_run`.
    """
    fitted = rates["decay_rate"].notna().any()
    name, as_text = ("decay_rate", factor) if fitted else ("change", decades)
    known = rates.dropna(subset=[name])
    texts = []
    for arch, part in known.assign(distance=known[name].abs()).groupby("arch", observed=True):
        by_init = part.groupby("init", observed=True)[[name, "distance"]].median()  # further axes are pooled
        order = by_init["distance"].sort_values(kind="stable").index
        ends = dict.fromkeys((order[0], order[-1]))
        medians = by_init[name].to_dict()
        texts.append(f"{label(arch)} {', '.join(f'{label(init)} {as_text(medians[init])}' for init in ends)}")
    if not texts:
        return "No run has a change from end to end: that takes two time steps and a finite gradient at both ends."
    what = (
        f"factor per step between the ends ({ENDS} steps at either end left out)"
        if fitted
        else f"end-to-end change in decades per step (under {SHORTEST} steps there is no factor free of the ends)"
    )
    return f"The inits nearest to level and farthest from it, with the {what}: {'; '.join(texts)}."


def growth_sentence(records: Records, clip: Any) -> str:
    """The largest and the smallest change of the gradient norm from the shortest to the longest length.

    Only lines without a diverged run count: the median of a run that stopped early is over few updates.
    """
    frame = curves.norm_by_length(records, clip=clip)
    complete = frame.groupby(["arch", "init"], observed=True)["diverged"].transform("max") == 0
    frame = frame[np.isfinite(frame["median"]) & complete].sort_values("length")
    ends = frame.groupby(["arch", "init"], observed=True)["median"].agg(["first", "last", "count"])
    change = (ends["last"] - ends["first"])[ends["count"] > 1].sort_values(kind="stable").reset_index(name="decades")
    if change.empty:
        return "No line without a diverged run has two lengths to compare."
    least, most = (
        f"by {number(10.0 ** row['decades'], 2)} ({label(row['arch'])}, {label(row['init'])})"
        for _, row in change.iloc[[0, -1]].iterrows()
    )
    return (
        f"Where no run diverged it is multiplied, from the shortest to the longest sequence, at the most {most}, at "
        f"the least {least}."
    )


def length_sentence(table: pd.DataFrame, only: Any = None) -> str:
    """How many runs solved the task at each length, or at length `only`, and how many were solved at the end."""
    texts = []
    ran = table["n"] > 0
    chosen = ran if only is None else ran & (table["length"] == only)
    for length, part in table[chosen].groupby("length", observed=True):
        solved, kept = (counted(part, name).sum() for name in ("solved", "solved_at_end"))
        runs = number_of(int(part["n"].sum()), "run")
        texts.append(f"{solved} of {runs} at T = {length:g}" + f" ({kept} at the end)" * bool(solved))
    return f"The task was solved by {', '.join(texts)}."


def outcome_sentence(table: pd.DataFrame) -> str:
    """How many runs diverged, with which clipping, and the arch and init of most of them."""
    runs = table[table["n"] > 0]
    diverged, at_start = counted(runs, "diverged"), counted(runs, "diverged_at_start").sum()
    n, total = int(runs["n"].sum()), int(diverged.sum())
    if not total:
        return f"No run diverged (0 of {n})."
    by_clip = [
        f"{diverged[part.index].sum()} of {part['n'].sum()} with {label(clip)}"
        for clip, part in runs.groupby("clip", observed=True)
    ]
    by_network = diverged.groupby([runs["arch"], runs["init"]], observed=True).sum()
    worst: Any = by_network.idxmax()
    arch, init = worst
    most = "all of them" if int(by_network.max()) == total else f"{int(by_network.max())} of them"
    return (
        f"{total} of {number_of(n, 'run')} diverged ({percent(total, n)}), {at_start or 'none'} of them at update 0: "
        f"{', '.join(by_clip)}; {most} were the {label(arch)} with {label(init)} init."
    )


def clipping_caption(records: Records, length: Any) -> str:
    """The caption of the clipping figure: which runs it shows, and how often their gradients were clipped."""
    init = curves.most_clipped_init(records, length=length)
    if init is None:
        return "No run was clipped."
    chosen = records.select(init=init, length=length)
    rows = chosen.with_axes(chosen.metrics).dropna(subset=["clip_scale"])  # where the gradient was still finite
    by_run = (rows["clip_scale"] < 1.0).groupby([rows["clip"], rows["cell"]], observed=True).mean()
    shares = by_run.groupby("clip", observed=True).mean()
    texts = [f"{label(clip)} {share:.0%}" for clip, share in shares.items() if clip != "none"]
    return (
        f"Gradient norm before and after clipping, T = {length:g}, for the init that was clipped most: {label(init)}. "
        f"Share of logged steps at which the gradient was made smaller, mean over runs: {', '.join(texts)}. Clipping "
        "by value bounds each element, so the norm after it may lie above its threshold."
    )


def arrival_caption(records: Records) -> str:
    """The caption of the figure of gradient and learning: what a mark is, and how many runs near 1 were solved."""
    frame = arrival(records, ends=True)
    if frame.empty:
        return "No gradient was finite from end to end."
    best = f"best {records.score_name}" if frame["best"].notna().any() else "best evaluation loss"
    what = "end-to-end change of the gradient per step" if frame["whole"].all() else "factor of the gradient per step"
    near = [frame[frame[when].between(*NEAR)] for when in ("start", "training")]
    texts = [f"{int(part['solved'].sum())} of {len(part)}" for part in near]
    return (
        f"The {what} back in time, before training (left) and in training (right), against the {best} of each run, "
        f"T = {frame['length'].iloc[0]:g}, n = {number_of(len(frame), 'run')}. Filled marks are runs that solved the "
        "task, open ones runs that did not, crosses those that diverged; the line is a gradient that arrives as it "
        f"left. Of the runs with a factor of {NEAR[0]:g} to {NEAR[1]:g} at the start {texts[0]} solved the task, of "
        f"those with one in training {texts[1]}; that in training can be the effect of having learnt."
    )
