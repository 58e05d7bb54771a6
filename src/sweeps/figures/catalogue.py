"""The catalogue: every figure of a report by name, from records and the roles of their axes to a Figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import BY_LAG, BY_LEVEL, NORM_BY_LEVEL, OVER_TRAINING, Kind, Roles, map_axes, roles
from sweeps.analysis.statistics.arrival import arrival, group_of
from sweeps.analysis.statistics.outcomes import shares
from sweeps.errors import SweepsError, unknown
from sweeps.figures import curves, gradient, learning, scatter
from sweeps.figures.outcome_map import outcome_map

Draw = Callable[[Records, Roles], Figure | None]


def _by_lag(at: str) -> Draw:
    def draw(records: Records, drawn: Roles) -> Figure | None:
        frame = curves.gradient_by_lag(records, drawn, at=at)
        return gradient.gradient_by_lag(frame, drawn) if len(frame) else None

    return draw


def _norm(records: Records, drawn: Roles) -> Figure | None:
    frame = curves.norm_by_level(records, drawn)
    return gradient.norm_by_level(frame, drawn) if len(frame) else None


def _loss(records: Records, drawn: Roles) -> Figure | None:
    frame, ends = curves.loss_over_training(records, drawn)
    chance = drawn.within(records).cells["chance_loss"].median()
    return learning.loss_curves(frame, ends, float(chance), drawn) if len(frame) else None


def _solved(records: Records, drawn: Roles) -> Figure | None:
    return learning.solved_by_level(shares(drawn.within(records), drawn.drawn), drawn)


def _outcomes(records: Records, drawn: Roles) -> Figure | None:
    rows, columns = map_axes(records)
    length = None if "length" in records.varied else records.longest
    return outcome_map(shares(records, [*rows, *columns]), rows, columns, length)


def _clipping(records: Records, drawn: Roles) -> Figure | None:
    length = records.longest
    init = curves.most_clipped_init(records, length=length)
    if init is None:
        return None
    frame, ends = curves.clipping_over_training(records, init=init, length=length)
    shown, row = records.select(init=init, length=length).cells, curves.clipping_axis(records)
    thresholds = {level: sorted(set(part["threshold"].dropna())) for level, part in shown.groupby(row, observed=True)}
    return gradient.clipping_over_training(frame, ends, thresholds, row, length) if len(frame) else None


def _scatter(records: Records, drawn: Roles) -> Figure | None:
    frame = arrival(records, ends=True)
    scored = bool(records.cells["best_score"].notna().any())
    return scatter.factor_and_score(frame, group_of(records, frame), records.score_name if scored else None)


FIGURES: dict[str, tuple[Kind, Draw]] = {
    "gradient_by_lag_start": (BY_LAG, _by_lag("start")),
    "gradient_by_lag_end": (BY_LAG, _by_lag("end")),
    "gradient_norm_by_level": (NORM_BY_LEVEL, _norm),
    "loss_curves": (OVER_TRAINING, _loss),
    "share_solved": (BY_LEVEL, _solved),
    "clipping": (Kind({}), _clipping),
    "outcomes": (Kind({}), _outcomes),
    "gradient_and_learning": (Kind({}), _scatter),
}
"""The figures by name, in the order of the report: the roles that axes can have, and the drawing, None where there is
nothing to draw."""


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


def figure(name: str, records: Records, **chosen: str) -> Figure | None:
    """A figure of the catalogue, to show in a notebook or to write with `save`; None if there is nothing to draw.

    >>> figure("gradient_by_lag_start", records, colour="init.gain", column="arch")

    Args:
        name: one of `FIGURES`.
        chosen: axes by role (x, colour, column, row), for those that are not to be found by themselves.

    Raises:
        SweepsError: there is no such figure, it has no such role, the records have no such axis, or are of several
            tasks.
    """
    if name not in FIGURES:
        raise SweepsError(unknown("figure", name, FIGURES))
    if not isinstance(records, Records):
        raise SweepsError(f"records: given {records!r}, must be what sweeps.load or sweeps.train gives")
    if records.cells["task"].nunique() > 1:
        raise SweepsError("two tasks are never one figure: select one, or draw each part of records.by_task()")
    _, draw = FIGURES[name]
    return draw(records, roles_of(name, records, chosen))


def roles_of(name: str, records: Records, chosen: Mapping[str, str] | None = None) -> Roles:
    """The roles that the axes of the records have in a figure of the catalogue."""
    return roles(records, FIGURES[name][0], chosen)
