"""The catalogue: every figure of a report by name, from records to a Figure."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from sweeps.analysis.loading.axes import AXES
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.arrival import arrival, group_of
from sweeps.analysis.statistics.outcomes import shares
from sweeps.errors import SweepsError, unknown
from sweeps.figures import curves, gradient, learning, scatter
from sweeps.figures import outcome_map as outcome


def _by_lag(records: Records, at: str) -> Figure | None:
    clip = records.reference_clip
    frame = curves.gradient_by_lag(records, at=at, length=records.longest, clip=clip)
    return gradient.gradient_by_lag(frame) if len(frame) else None


def _by_length(records: Records) -> Figure | None:
    frame = curves.norm_by_length(records, clip=records.reference_clip)
    return gradient.norm_by_length(frame) if len(frame) else None


def _loss(records: Records) -> Figure | None:
    length = records.longest
    frame, ends = curves.loss_over_training(records, length=length)
    chance = records.select(length=length).cells["chance_loss"].median()
    return learning.loss_curves(frame, ends, float(chance)) if len(frame) else None


def _solved(records: Records) -> Figure | None:
    return learning.solved_by_length(shares(records, AXES))


def _outcomes(records: Records) -> Figure | None:
    return outcome.outcome_map(shares(records, AXES))


def _clipping(records: Records) -> Figure | None:
    length = records.longest
    init = curves.most_clipped_init(records, length=length)
    if init is None:
        return None
    frame, ends = curves.clipping_over_training(records, init=init, length=length)
    shown = records.select(init=init, length=length).cells
    thresholds = {clip: sorted(set(part["threshold"].dropna())) for clip, part in shown.groupby("clip", observed=True)}
    return gradient.clipping_over_training(frame, ends, thresholds) if len(frame) else None


def _scatter(records: Records) -> Figure | None:
    frame = arrival(records, ends=True)
    scored = bool(records.cells["best_score"].notna().any())
    return scatter.factor_and_score(frame, group_of(records, frame), records.score_name if scored else None)


FIGURES: dict[str, Callable[[Records], Figure | None]] = {
    "gradient_by_lag_start": lambda records: _by_lag(records, "start"),
    "gradient_by_lag_end": lambda records: _by_lag(records, "end"),
    "gradient_norm_by_length": _by_length,
    "loss_curves": _loss,
    "share_solved": _solved,
    "clipping": _clipping,
    "outcomes": _outcomes,
    "gradient_and_learning": _scatter,
}
"""The figures by name, in the order of the report; each returns None if the records hold nothing to draw."""


def why_nothing(name: str, records: Records) -> str:
    """Why a figure of the catalogue has nothing to draw, as a clause.

    Args:
        records: of one task, for which the figure is None.
    """
    length, clip = records.longest, records.reference_clip
    clips = set(records.cells.loc[records.cells["length"] == length, "clip"])
    if name.startswith("gradient_by_lag") and clip not in clips:
        return f"no run of T = {length:g} has clip={clip}"
    if name == "clipping" and clips == {"none"}:
        return f"no run of T = {length:g} has clipping"
    return "no number that it shows is finite"


def figure(name: str, records: Records) -> Figure | None:
    """A figure of the catalogue, to show in a notebook or to write with `save`; None if there is nothing to draw.

    Args:
        name: one of `FIGURES`.

    Raises:
        SweepsError: there is no such figure, or the records are of several tasks.
    """
    if name not in FIGURES:
        raise SweepsError(unknown("figure", name, FIGURES))
    if not isinstance(records, Records):
        raise SweepsError(f"records: given {records!r}, must be what sweeps.load or sweeps.train gives")
    if "task" in records.extra_axes:
        raise SweepsError("two tasks are never one figure: select one, or draw each part of records.by_task()")
    return FIGURES[name](records)
