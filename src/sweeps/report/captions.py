"""The captions of the figures: what each shows, in sentences computed from its numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from sweeps.analysis.baselines import own_baselines
from sweeps.analysis.frontier import inside
from sweeps.analysis.labels import axes_said, head, label, level_text, said
from sweeps.analysis.leading import shown_measure
from sweeps.analysis.loading.records import Records
from sweeps.analysis.recurrent import with_state, without_state
from sweeps.analysis.roles import Roles, map_axes
from sweeps.analysis.statistics.arrival import WHEN, arrival_by_axis
from sweeps.analysis.statistics.measures import Measure, measure_named, per_run
from sweeps.analysis.statistics.outcomes import COUNTS, diverged, diverged_at_start, solved
from sweeps.analysis.text import number_of, percent
from sweeps.analysis.truncation import truncation
from sweeps.config.cards import card
from sweeps.figures import curves
from sweeps.figures.catalogue import roles_of
from sweeps.figures.clipped import clipped_runs
from sweeps.report.by_axis import by_level, where
from sweeps.report.gradient_captions import decay_sentence, growth_sentence
from sweeps.report.how_many import ONE, how_many, lines_said
from sweeps.tables.notes import several, whose_gradient

NORM_BY_LAG = (
    "Norm of the gradient that reaches the hidden state, ‖∂L/∂h_t‖, against steps back from the end of the sequence"
)
DIRECTIONS = "level, it survives, falling, it vanishes, rising, it explodes"
AT_THE_END = "at the last logged update that was finite"
NEAR = (0.95, 1.05)
"""Factors per step that the caption of gradient and learning counts as near 1."""


def captions(
    records: Records,
    preferred: Mapping[str, str] | None = None,
    metric: str | None = None,
    shown: Collection[str] | None = None,
) -> dict[str, str]:
    """A caption for every figure of the catalogue, by its name: what is drawn, then the main result in numbers.

    Args:
        records: of one task.
        preferred, metric: slots by axis and the measure, with which the figures are drawn.
        shown: names of the figures that stand beside each other, whose captions may refer to an earlier one; all.
    """
    measure = measure_named(metric) if metric else None
    score, by_lag, norm, loss, share = (
        roles_of(name, records, preferred=preferred, measure=measure)
        for name in ("score_by_level", "gradient_by_lag_start", "gradient_norm_by_level", "loss_curves", "share_solved")
    )
    passing = with_state(records)
    present = by_lag.within(passing).cells
    start, end = (curves.decay_by_run(passing, by_lag, at=at) for at in ("start", "end"))
    at_level = by_lag.where or ("every length" if by_lag.length is None else f"T = {by_lag.length:g}")
    at = f" ({norm.where})" if norm.where else ""
    rows, columns = map_axes(records)
    fields = records.with_unset([*rows, *columns]).cells.groupby([*rows, *columns], observed=True).size()
    at_length = "" if loss.length is None else f" at T = {loss.length:g}"
    a_field = f"{several(fields)} run{'s' * bool(fields.max() != 1)}"
    cut = f" {text}" if (text := truncation(by_lag.within(passing))) else ""
    none = f" {text}" if passing is not records and (text := without_state(records)) else ""
    others = ", and those of the other predictors named above it" if len(own_baselines(records).columns) else ""
    how_read = (
        f"{_of_the_architectures(present)}{_whose(records)}{cut} {_scales(by_lag)}; what leaves the range of float32 "
        "has a note."
    )
    return {
        "score_by_level": score_caption(records, score, shown_measure(records, measure)),
        "gradient_by_lag_start": (
            f"{NORM_BY_LAG}, before training ({at_level}): {DIRECTIONS}. "
            f"{decay_sentence(start, by_lag, at_start=True)}{how_read}{_lines(passing, by_lag)}{none}"
        ),
        "gradient_by_lag_end": (
            f"The same {AT_THE_END} ({at_level}). "
            f"{decay_sentence(end, by_lag, at_start=False)}{cut}{_lines(passing, by_lag)}"
            if shown is None or "gradient_by_lag_start" in shown
            else f"{NORM_BY_LAG}, {AT_THE_END} ({at_level}): {DIRECTIONS}. "
            f"{decay_sentence(end, by_lag, at_start=False)}{how_read}{_lines(passing, by_lag)}{none}"
        ),
        "gradient_norm_by_level": (
            "Norm of the gradient of all parameters, each run's median over training, against "
            f"{said(str(norm.x))}{at}."
            f"{growth_sentence(records, norm)}{_lines(records, norm)}"
        ),
        "loss_curves": (
            f"Evaluation loss over training{at_length}{_panels(loss)}; grey: the loss of the best constant "
            f"answer, on which a run has learned nothing{others}; a cross: where a run diverged, the line goes on with "
            f"the others. {solved_sentence(loss.within(records))}{_lines(records, loss)}"
        ),
        "share_solved": (
            f"Share of runs that solved the task, whatever followed, against {said(str(share.x))}, "
            f"{_runs(records, share)} a point, with exact 95% intervals over seeds. "
            f"{solved_sentence(records, share.x)}"
        ),
        "clipping": clipping_caption(records),
        "outcomes": (
            f"Share of runs that diverged and that solved the task, a map for each that occurred, {a_field} a field: "
            f"unmarked is 0, hatched had no run; a run that was solved and then diverged is in both. "
            f"{outcome_sentence(records)}"
        ),
        "gradient_and_learning": arrival_caption(records),
        "trainability_map": map_caption(records),
    }


def map_caption(records: Records) -> str:
    """What the map of gain and length shows, and how often theory and training agree."""
    text = "Share of runs that solved the task, by gain and sequence length; grey: no run."
    known = inside(records)
    if known.isna().all():
        return text
    reached = solved(records.cells)
    counts = {}
    for within in (True, False):
        here = (known == within).fillna(False).astype(bool)
        counts[within] = f"{int(reached[here].sum())} of {int(here.sum())}"
    return (
        f"{text} Line: six time scales of mean-field theory, 6 / |ln χ|, for the gain and what the inputs add; the "
        f"gradient survives below it. Below it {counts[True]} runs solved the task, above it {counts[False]}."
    )


def _whose(records: Records) -> str:
    """`notes.whose_gradient` as further sentences."""
    return f" {text}" if (text := whose_gradient(records)) else ""


def score_caption(records: Records, drawn: Roles, measure: Measure) -> str:
    """What a mark of the first figure is, and what is pooled."""
    name = measure.label.format(score=records.score_name)
    runs, infinite = _runs(records, drawn), int(np.isinf(per_run(records, measure)).sum())
    worst = f"; a cross is a run of the worst rank, {measure.worst} ({infinite} of them)" if infinite else ""
    axes = (drawn.x, drawn.colour, drawn.column, drawn.row)
    axis = next((each for each in axes if each in records.varied), None)  # x may be a length that did not vary
    by = f" by {said(axis)}" if axis else ""
    return (
        f"The {name} of every run{by}: a mark is a run"
        f"{'' if runs == ONE else f', a bar the median over {runs}'}{worst}."
    )


def _runs(records: Records, drawn: Roles) -> str:
    """`24 runs (8 seeds × 3 levels of the gain)`: how many runs make a line or a point, and which."""
    return how_many(drawn.within(records).cells, drawn.drawn, drawn.pooled)


def _lines(records: Records, drawn: Roles) -> str:
    """What lines and bands are, and what they pool."""
    return lines_said(_runs(records, drawn))


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


def solved_sentence(records: Records, axis: str | None = None) -> str:
    """How many runs solved the task, how many at the end, and by an axis that varied (see `by_axis.by_level`)."""
    reached, kept = (int(COUNTS[name](records.cells).sum()) for name in ("solved", "solved_at_end"))
    spread = by_level(records, "solved", axis) or by_level(records, "solved")
    text = f"{reached} of {number_of(len(records.cells), 'run')} solved the task"
    text += f" ({kept} at the end)" if reached else ""
    return f"{text}{f': {spread}' if spread else ''}."


def outcome_sentence(records: Records) -> str:
    """How many runs diverged, where in the grid, and with which clipping if it varied."""
    cells = records.cells
    gone, at_start = cells[diverged(cells)], int(diverged_at_start(cells).sum())
    n, total = len(cells), len(gone)
    if not total:
        return f"No run diverged (0 of {n})."
    text = f"{total} of {number_of(n, 'run')} diverged ({percent(total, n)}), {at_start or 'none'} of them at update 0"
    by_clip = by_level(records, "diverged", "clip")
    spread = where(records, gone, without=("clip",)).removeprefix(": ")
    more = "; ".join(filter(None, (spread, by_clip)))
    return f"{text}{f': {more}' if more else ''}."


def clipping_caption(records: Records) -> str:
    """The caption of the clipping figure: which runs it shows, and how often their gradients were clipped."""
    shown = clipped_runs(records)
    if shown is None:
        return "No run was clipped."
    rows = shown.records.with_axes(shown.records.metrics).dropna(subset=["clip_scale"])  # where it was still finite
    rows = rows[rows["clip"] != "none"]
    shares = (rows["clip_scale"] < 1.0).groupby([rows[shown.row], rows["cell"]], observed=True).mean()
    by_row = shares.groupby(shown.row, observed=True).mean()
    texts = [f"{level_text(shown.row, level)} {share:.0%}" for level, share in by_row.items()]
    of_init = "" if shown.init is None else f", for the init that was clipped most: {label(shown.init)}"
    at_length = "" if shown.length is None else f", T = {shown.length:g}"
    by_value = " Clipping by value bounds each element, so the norm after it may lie above its threshold."
    bounds = by_value if "value" in set(rows["clip"]) else ""
    rest = [each for each in shown.records.varied if each not in ("clip", shown.row, shown.column)]
    pooling = f" Runs are pooled over {axes_said(rest)}." if rest else ""
    return (
        f"Gradient norm before and after clipping{at_length}{of_init}. Share of logged steps at which the "
        f"gradient was made smaller, mean over runs: {', '.join(texts)}.{bounds}{pooling}"
    )


def arrival_caption(records: Records) -> str:
    """The caption of the figure of gradient and learning: what a mark is, and how many runs near 1 were solved."""
    frame, _ = arrival_by_axis(records)
    if frame.empty:
        return "No gradient was finite from end to end."
    best = f"best {records.score_name}" if frame["best"].notna().any() else "loss of the best evaluation"
    what = "end-to-end change of the gradient per step" if frame["whole"].all() else "factor of the gradient per step"
    near = {words: frame[frame[when].between(*NEAR)] for when, words in WHEN.items()}
    texts = [f"{int(part['solved'].sum())} of {len(part)} {words}" for words, part in near.items() if len(part)]
    learnt = (
        "; a gradient that arrives in training can be the effect of having learnt" if len(near["in training"]) else ""
    )
    solved_near = (
        f" A factor of {NEAR[0]:g} to {NEAR[1]:g}: {' and '.join(texts)} solved the task{learnt}." if texts else ""
    )
    length = f"T = {frame['length'].iloc[0]:g}, " if frame["length"].nunique() == 1 else ""
    return (
        f"The {what} back in time, at initialisation and in training, against the {best} of each run, "
        f"{length}n = {number_of(len(frame), 'run')}. Filled: solved the task; open: did not; "
        f"cross: diverged; the line is a gradient that arrives as it left.{solved_near}{_whose(records)}"
    )
