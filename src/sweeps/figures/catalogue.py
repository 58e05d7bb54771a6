"""The catalogue: every figure of a report by name, from records and the roles of their axes to a Figure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from sweeps.analysis.frontier import frontier
from sweeps.analysis.leading import shown_measure, with_leading
from sweeps.analysis.loading.records import Records
from sweeps.analysis.recurrent import with_state
from sweeps.analysis.roles import (
    BY_LAG,
    BY_LEVEL,
    GAIN_AND_LENGTH,
    LEADING,
    NORM_BY_LEVEL,
    OVER_TRAINING,
    Kind,
    Roles,
    map_axes,
    roles,
)
from sweeps.analysis.statistics.arrival import arrival_by_axis
from sweeps.analysis.statistics.effects import by_importance
from sweeps.analysis.statistics.measures import Measure, measure_named, per_run
from sweeps.analysis.statistics.outcomes import diverged, shares, solved
from sweeps.analysis.statistics.summaries import SHORTEST
from sweeps.config.analysis import ROLES
from sweeps.errors import SweepsError, unknown
from sweeps.figures import curves, gradient, learning, scatter, score
from sweeps.figures.behind import put_behind
from sweeps.figures.charts import ON_FIRST_SCREEN
from sweeps.figures.clipped import clipped_runs
from sweeps.figures.entry import Draw, Prepare
from sweeps.figures.facets import levels_of, positions
from sweeps.figures.from_theory import THEORY
from sweeps.figures.further import FURTHER, OF_PROBES, of_probes_taken
from sweeps.figures.outcome_map import outcome_map
from sweeps.figures.panels import Grid
from sweeps.figures.trainability import trainability_map


def _by_lag(at: str) -> Prepare:
    def prepare(records: Records, drawn: Roles) -> Draw | None:
        records = with_state(records)
        runs = curves.gradient_of_runs(records, drawn, at=at)
        frame = curves.gradient_by_lag(records, drawn, at=at, runs=runs)

        def draw() -> Grid:
            figure = gradient.gradient_by_lag(frame, drawn)
            put_behind(figure, runs, drawn, "lag", "log10_norm")
            return figure

        return draw if len(frame) else None

    return prepare


def _norm(records: Records, drawn: Roles) -> Draw | None:
    runs = curves.norm_of_runs(records, drawn)
    frame = curves.norm_by_level(records, drawn, runs=runs)

    def draw() -> Grid:
        figure = gradient.norm_by_level(frame, drawn)
        at, _ = positions(levels_of(frame, drawn.x))
        put_behind(figure, runs.assign(at=runs[str(drawn.x)].map(at).astype(float)), drawn, "at", "norm")
        return figure

    return draw if len(frame) else None


def _loss(records: Records, drawn: Roles) -> Draw | None:
    runs = curves.loss_of_runs(records, drawn)
    frame, ends = curves.loss_over_training(records, drawn, runs=runs)
    levels = curves.constant_losses(records, drawn)

    def draw() -> Grid:
        figure = learning.loss_curves(frame, ends, drawn, levels)
        put_behind(figure, runs, drawn, "step", "loss")
        return figure

    return draw if len(frame) else None


def _score(records: Records, drawn: Roles, measure: Measure | None = None) -> Draw | None:
    measure = shown_measure(records, measure)
    if per_run(records, measure).isna().all():
        return None
    runs, medians = curves.numbers_by_level(records, drawn, measure)
    name = measure.label.format(score=records.score_name)
    thresholds = sorted(records.cells["solved_at"].dropna().unique()) if measure.name.endswith("score") else []
    return partial(score.score_by_level, runs, medians, drawn, measure, name, thresholds) if len(runs) else None


def _solved(records: Records, drawn: Roles) -> Draw | None:
    if not solved(records.cells).any():
        return None
    return partial(learning.solved_by_level, shares(records, drawn.drawn), drawn, records.cells)


def _outcomes(records: Records, drawn: Roles) -> Draw | None:
    if not (solved(records.cells) | diverged(records.cells)).any():
        return None
    rows, columns = map_axes(records)
    length = None if "length" in records.varied else records.longest
    records = records.with_unset([*rows, *columns])
    return partial(outcome_map, shares(records, [*rows, *columns]), rows, columns, length, records.cells)


def _clipping(records: Records, drawn: Roles) -> Draw | None:
    shown = clipped_runs(records)
    if shown is None:
        return None
    runs = curves.norms_of_clipped_runs(shown.records)
    frame, ends = curves.clipping_over_training(shown.records, runs, shown.row, shown.column)
    by_row = shown.records.cells.groupby(shown.row, observed=True)["threshold"]
    thresholds = {level: sorted(set(values.dropna())) for level, values in by_row}
    placed = Roles(row=shown.row, column=shown.column)

    def draw() -> Grid:
        figure = gradient.clipping_over_training(frame, ends, thresholds, placed, shown.length)
        put_behind(figure, runs, placed, "step", "after")
        return figure

    return draw if len(frame) else None


def _scatter(records: Records, drawn: Roles) -> Draw:
    frame, group = arrival_by_axis(records)
    scored = bool(records.cells["best_score"].notna().any())
    return partial(scatter.factor_and_score, frame, group, records.score_name if scored else None)


def _trainability(records: Records, drawn: Roles) -> Draw | None:
    lengths, placed = records.cells["length"].unique(), (drawn.x, drawn.row) == ("gain", "length")
    gains = records.cells["gain"].nunique()
    if not placed or gains < 3 or len(lengths) < 3 or records.cells["score_name"].isna().all():
        return None
    levels = records.cells["gain"].astype(float)
    fine = np.linspace(levels.min(), levels.max(), 200)
    columns = [None] if drawn.column is None else list(records.cells[drawn.column].cat.categories)
    archs = {column: column if drawn.column == "arch" else records.cells["arch"].iloc[0] for column in columns}
    frontiers = {column: frontier(records, str(arch), fine) for column, arch in archs.items()}
    return partial(trainability_map, shares(records, drawn.drawn), drawn, frontiers)


FIGURES: dict[str, tuple[Kind, Prepare]] = {
    "score_by_level": (LEADING, _score),
    "gradient_by_lag_start": (BY_LAG, _by_lag("start")),
    "gradient_by_lag_end": (BY_LAG, _by_lag("end")),
    "gradient_norm_by_level": (NORM_BY_LEVEL, _norm),
    "loss_curves": (OVER_TRAINING, _loss),
    "share_solved": (BY_LEVEL, _solved),
    "clipping": (Kind({}), _clipping),
    "outcomes": (Kind({}), _outcomes),
    "gradient_and_learning": (Kind({}), _scatter),
    "trainability_map": (GAIN_AND_LENGTH, _trainability),
}
"""The figures of every report by name, in its order: the roles that axes can have, and what it shows."""
ALL = {**FIGURES, **FURTHER}
"""Those that a study asks for too."""


def by_default(records: Records) -> list[str]:
    """The figures of a report of which no study said what it shows: `FIGURES`, and those of the probes that it took."""
    return [*FIGURES, *of_probes_taken(records)]


def why_nothing(name: str, records: Records, metric: str | None = None) -> str:
    """Why a figure of the catalogue has nothing to draw, as a clause.

    Args:
        records: of one task, for which the figure is None.
        metric: what was asked of `score_by_level`.
    """
    measure = measure_named(metric).name if metric else ""
    if name == ON_FIRST_SCREEN and measure.startswith("decay") and records.longest < SHORTEST:
        return (
            f"a factor per step takes {SHORTEST} time steps, the longest sequence has {records.longest:g}; "
            f"metric={measure.replace('decay', 'change')} is of any length"
        )
    length, clip = records.longest, records.reference_clip
    clips = set(records.cells.loc[records.cells["length"] == length, "clip"])
    if name.startswith("gradient_by_lag") and clip not in clips:
        return f"no run of T = {length:g} has clip={clip}"
    if name in OF_PROBES:
        return f"no run has the probe {OF_PROBES[name]}; probe={OF_PROBES[name]} with the command of the sweep takes it"
    if name == "gradient_and_theory":
        return "no theory here is of these networks before training"
    if name == "trainability_map":
        return "it takes at least three gains and three sequence lengths, and a score"
    if name == "clipping" and clips == {"none"}:
        return f"no run of T = {length:g} has clipping"
    if name in ("share_solved", "outcomes"):
        return "no run solved the task" + (", and none diverged" if name == "outcomes" else "")
    return "these runs have no such number" if name == ON_FIRST_SCREEN else "no number that it shows is finite"


def figure(
    name: str,
    records: Records | None = None,
    preferred: Mapping[str, str] | None = None,
    metric: str | None = None,
    **chosen: str,
) -> Grid | None:
    """A figure of the catalogue, to show in a notebook or to write with `save`; None if there is nothing to draw.

    >>> figure("gradient_by_lag_start", records, colour="init.gain", panel="arch")
    >>> figure("matrix_powers")

    Args:
        name: one of `FIGURES`, `FURTHER` or, without records, `THEORY`.
        preferred: slots by axis, for the figures that have such a slot (`roles.roles`).
        metric: any of `measures.MEASURES` or of the numbers of a run, for `score_by_level`.
        chosen: axes by role (x, colour, panel, row), for those that are not to be found by themselves.

    Raises:
        SweepsError: there is no such figure, it has no such role, the records have no such axis, or are of several
            tasks.
    """
    if name in THEORY:
        return THEORY[name]()
    if records is None:
        raise SweepsError(unknown("figure without records", name, THEORY))
    slots = {ROLES.get(role, role): axis for role, axis in chosen.items()}
    draw = prepared(name, records, slots, preferred, measure_named(metric) if metric else None)
    return draw() if draw is not None else None


def prepared(
    name: str,
    records: Records,
    chosen: Mapping[str, str] | None = None,
    preferred: Mapping[str, str] | None = None,
    measure: Measure | None = None,
) -> Draw | None:
    """What a figure of the catalogue shows, computed and ready to be drawn; arguments and errors as of `figure`."""
    if name not in ALL:
        raise SweepsError(unknown("figure", name, [*ALL, *THEORY]))
    if not isinstance(records, Records):
        raise SweepsError(f"records: given {records!r}, must be what sweeps.load or sweeps.train gives")
    if records.cells["task"].nunique() > 1:
        raise SweepsError("two tasks are never one figure: select one, or draw each part of records.by_task()")
    drawn = roles_of(name, records, chosen, preferred, measure)
    kind, prepare = ALL[name]
    if kind is LEADING:
        prepare = partial(_score, measure=measure)
    draw = prepare(drawn.within(records), drawn)
    return draw if draw is None or "task" not in records.extra_axes else partial(_with_task, draw, records)


def _with_task(draw: Draw, records: Records) -> Grid:
    """A figure that says of which of several tasks it is."""
    figure = draw()
    figure.supxlabel(f"task: {records.cells['task'].iloc[0]}", x=0.99, ha="right", fontsize=6.5, color="#444444")
    return figure


def roles_of(
    name: str,
    records: Records,
    chosen: Mapping[str, str] | None = None,
    preferred: Mapping[str, str] | None = None,
    measure: Measure | None = None,
) -> Roles:
    """The roles that the axes of the records have in a figure of the catalogue; the arguments are those of `roles`.

    What is neither chosen nor preferred goes, in a figure of the kind `LEADING`, to the axes that matter most.
    """
    kind, given = ALL[name][0], dict(chosen or {})
    if kind is LEADING:
        given = with_leading(records, measure, given, preferred or {})
    return roles(records, kind, given, preferred, next(iter(by_importance(records)), None))
