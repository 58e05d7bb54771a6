"""The catalogue: every figure of a report by name, from records and the roles of their axes to a Figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import BY_LAG, BY_LEVEL, NORM_BY_LEVEL, OVER_TRAINING, Kind, Roles, map_axes, roles
from sweeps.analysis.statistics.outcomes import shares
from sweeps.errors import SweepsError, unknown
from sweeps.figures import curves, gradient, learning
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
    return outcome_map(shares(records, [*rows, *columns]), rows, columns)


def _clipping(records: Records, drawn: Roles) -> Figure | None:
    length = records.longest
    init = curves.most_clipped_init(records, length=length)
    if init is None:
        return None
    frame, ends = curves.clipping_over_training(records, init=init, length=length)
    by_clip = records.cells["threshold"].astype(float).groupby(records.cells["clip"], observed=True)
    thresholds = {clip: values.iloc[0] for clip, values in by_clip if values.nunique() == 1}
    return gradient.clipping_over_training(frame, ends, thresholds) if len(frame) else None


FIGURES: dict[str, tuple[Kind, Draw]] = {
    "gradient_by_lag_start": (BY_LAG, _by_lag("start")),
    "gradient_by_lag_end": (BY_LAG, _by_lag("end")),
    "gradient_norm_by_level": (NORM_BY_LEVEL, _norm),
    "loss_curves": (OVER_TRAINING, _loss),
    "share_solved": (BY_LEVEL, _solved),
    "clipping": (Kind({}), _clipping),
    "outcomes": (Kind({}), _outcomes),
}
"""The figures by name, in the order of the report: the roles that axes can have, and the drawing, None where there is
nothing to draw."""


def figure(name: str, records: Records, **chosen: str) -> Figure | None:
    """A figure of the catalogue, to show in a notebook or to write with `save`; None if there is nothing to draw.

    >>> figure("gradient_by_lag_start", records, colour="init.gain", column="arch")

    Args:
        name: one of `FIGURES`.
        chosen: axes by role (x, colour, column, row), for those that are not to be found by themselves.

    Raises:
        SweepsError: there is no such figure, it has no such role, or the records have no such axis.
    """
    if name not in FIGURES:
        raise SweepsError(unknown("figure", name, FIGURES))
    kind, draw = FIGURES[name]
    return draw(records, roles(records, kind, chosen))


def roles_of(name: str, records: Records, chosen: Mapping[str, str] | None = None) -> Roles:
    """The roles that the axes of the records have in a figure of the catalogue."""
    return roles(records, FIGURES[name][0], chosen)
