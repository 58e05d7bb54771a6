"""The captions of the figures: what each shows, in sentences computed from its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import head, label, level_text
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import Roles
from sweeps.analysis.statistics.arrival import arrival
from sweeps.analysis.statistics.outcomes import counted
from sweeps.analysis.statistics.summaries import ENDS, SHORTEST
from sweeps.analysis.text import decades, factor, number, number_of, percent
from sweeps.config.cards import card
from sweeps.figures import curves
from sweeps.figures.catalogue import roles_of
from sweeps.figures.facets import axis_name
from sweeps.tables.notes import several

MOST = 12
"""Panels of which a caption gives numbers at most."""
NEAR = (0.95, 1.05)
"""Factors per step that the caption of gradient and learning counts as near 1."""


def captions(records: Records, table: pd.DataFrame) -> dict[str, str]:
    """A caption for every figure of the catalogue, by its name: what is drawn, then the main result in numbers.

    Args:
        records: of one task.
        table: from `tables.comparison`, of the same records.
    """
    length = records.longest
    by_lag, norm, loss, share = (
        roles_of(name, records)
        for name in ("gradient_by_lag_start", "gradient_norm_by_level", "loss_curves", "share_solved")
    )
    present = by_lag.within(records).cells
    start, end = (curves.decay_by_run(records, by_lag, at=at) for at in ("start", "end"))
    where = by_lag.where or f"T = {length:g}"
    against = "sequence length" if norm.x == "length" else axis_name(str(norm.x))
    solved_against = "sequence length" if share.x == "length" else axis_name(str(share.x))
    whole = len(records.cells) // max(1, len(records.cells[list(records.axes)].drop_duplicates()))
    return {
        "gradient_by_lag_start": (
            f"Norm of the gradient that reaches the hidden state, ‖∂L/∂h_t‖, against steps back from the end of the "
            f"sequence, before training ({where}). A level line is a gradient that survives, a falling one vanishes, a "
            f"rising one explodes. {decay_sentence(start, by_lag)}{_of_the_architectures(present)} "
            f"{_scales(by_lag)}, at most what float32 can hold; what reaches its edge goes on, and a note says where a "
            f"median ends.{_lines(records, by_lag)}"
        ),
        "gradient_by_lag_end": (
            f"The same at the last logged update, or of a diverged run the last that was finite ({where}). "
            f"{decay_sentence(end, by_lag)}{_lines(records, by_lag)}"
        ),
        "gradient_norm_by_level": (
            f"Norm of the gradient of all parameters against {against}, each run's median over training"
            f"{f', {norm.where}' if norm.where else ''}. {growth_sentence(records, norm)}{_lines(records, norm)}"
        ),
        "loss_curves": (
            f"Evaluation loss over training at T = {length:g}{_panels(loss)}. The grey "
            "line is the loss of the best constant answer: a run on it has learned nothing. A cross marks where a "
            "run diverged, with their number if several did; the line goes on with the others. "
            f"{length_sentence(table, length)}{_lines(records, loss)}"
        ),
        "share_solved": (
            f"Share of runs that solved the task, whatever followed, against {solved_against}, {_runs(records, share)} "
            f"a point, with exact 95% intervals over seeds. {length_sentence(table)}{share.pooling}"
        ),
        "clipping": clipping_caption(records, length),
        "outcomes": (
            f"Share of runs that diverged (left) and that solved the task (right) over the whole grid, "
            f"{number_of(whole, 'run')} a field; "
            f"an unmarked field is 0, a hatched one had no run; a run that was solved and then diverged is in both. "
            f"{outcome_sentence(table)}"
        ),
        "gradient_and_learning": arrival_caption(records),
    }


def _runs(records: Records, drawn: Roles) -> str:
    """`5 runs`, `3 to 5 runs`: how many runs make a line or a point."""
    cells = drawn.within(records).cells
    counts = cells.groupby(drawn.drawn, observed=True).size() if drawn.drawn else pd.Series([len(cells)])
    return f"{several(counts)} run{'s' * bool(counts.max() != 1)}"


def _lines(records: Records, drawn: Roles) -> str:
    """What lines and bands are, and what they pool."""
    return (
        f" Lines are medians over {_runs(records, drawn)}, bands reach from the smallest to the largest.{drawn.pooling}"
    )


def _panels(drawn: Roles) -> str:
    """`, a row per architecture, a column per init`."""
    parts = ((drawn.row, "a row"), (drawn.column, "a column" if drawn.row else "a panel"))
    return "".join(f", {what} per {head(axis)}" for axis, what in parts if axis is not None)


def _scales(drawn: Roles) -> str:
    return "Each panel has its own scale" if drawn.row is None else "Each row of panels has its own scale"


def _of_the_architectures(here: pd.DataFrame) -> str:
    """What the cards say of the gradient through time of the architectures in the figure."""
    sentences = [card("arch", str(arch)).caption for arch in here["arch"].unique()]
    return "".join(f" {sentence}" for sentence in sentences if sentence)


def decay_sentence(rates: pd.DataFrame, drawn: Roles) -> str:
    """For every panel the line whose gradient stays nearest to constant and the one farthest from it, with their rates.

    Args:
        rates: from `curves.decay_by_run`.
    """
    fitted = rates["decay_rate"].notna().any()
    name, as_text = ("decay_rate", factor) if fitted else ("change", decades)
    known = rates.dropna(subset=[name])
    known = known.assign(distance=known[name].abs())
    panels = [axis for axis in (drawn.row, drawn.column) if axis is not None]
    texts = []
    for levels, part in known.groupby(panels, observed=True) if panels else [((), known)]:
        here = ", ".join(level_text(axis, level) for axis, level in zip(panels, levels, strict=True))
        if drawn.colour is None:
            texts.append(f"{here} {as_text(part[name].median())}".strip())
            continue
        by_line = part.groupby(drawn.colour, observed=True)[[name, "distance"]].median()  # further axes are pooled
        order = by_line["distance"].sort_values(kind="stable").index
        ends = dict.fromkeys((order[0], order[-1]))
        medians = by_line[name].to_dict()
        named = ", ".join(f"{level_text(drawn.colour, level)} {as_text(medians[level])}" for level in ends)
        texts.append(f"{here} {named}".strip())
    if known.empty:
        return "No run has a change from end to end: that takes two time steps and a finite gradient at both ends."
    what = (
        f"factor per step between the ends ({ENDS} steps at either end left out)"
        if fitted
        else f"end-to-end change in decades per step (under {SHORTEST} steps there is no factor free of the ends)"
    )
    if drawn.colour is None:
        return f"The {what}: {'; '.join(texts[:MOST])}."
    lines = {"init": "inits"}.get(drawn.colour, "lines")
    return f"The {lines} nearest to level and farthest from it, with the {what}: {'; '.join(texts[:MOST])}."


def growth_sentence(records: Records, drawn: Roles) -> str:
    """The largest and the smallest change of the gradient norm from the first to the last level of the x axis.

    Only lines without a diverged run count: the median of a run that stopped early is over few updates.
    """
    frame = curves.norm_by_level(records, drawn)
    axis = str(drawn.x)
    if frame[axis].nunique() < 2 or any(isinstance(level, str) for level in frame[axis].cat.categories):
        return ""
    by = [each for each in drawn.drawn if each != axis]
    keys: Any = by or (lambda row: 0)
    complete = frame.groupby(keys, observed=True)["diverged"].transform("max") == 0
    frame = frame[np.isfinite(frame["median"]) & complete].sort_values(axis)
    ends = frame.groupby(keys, observed=True)["median"].agg(["first", "last", "count"])
    change = (ends["last"] - ends["first"])[ends["count"] > 1].sort_values(kind="stable").reset_index(name="decades")
    if change.empty:
        return "No line without a diverged run has two of its levels to compare."
    least, most = (
        f"by {number(10.0 ** row['decades'], 2)}"
        + (f" ({', '.join(level_text(each, row[each]) for each in by)})" if by else "")
        for _, row in change.iloc[[0, -1]].iterrows()
    )
    levels = [level_text(axis, level) for level in (frame[axis].min(), frame[axis].max())]
    span = "from the shortest to the longest sequence" if axis == "length" else f"from {levels[0]} to {levels[1]}"
    if len(change) == 1:
        return f"It is multiplied, {span}, {most}."
    return f"Where no run diverged it is multiplied, {span}, at the most {most}, at the least {least}."


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
