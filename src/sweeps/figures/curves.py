"""The frames behind the figures: medians over runs, with a band. Figures draw them as they are.

Every frame has `median, low, high, n`: low and high are the smallest and the largest run, n the number of
runs. Norms are log10, so that values far outside the range of float64 can be drawn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweeps.analysis.baselines import CONSTANT, own_baselines
from sweeps.analysis.loading.records import Records
from sweeps.analysis.logarithm import log10
from sweeps.analysis.roles import Roles
from sweeps.analysis.statistics.measures import Measure, per_run
from sweeps.analysis.statistics.outcomes import solved
from sweeps.analysis.statistics.summaries import decay_rates


def band(frame: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Median, smallest and largest value over the runs of each group; groups without a value are left out."""
    known = frame.dropna(subset=[value])
    if not by:
        return known[[value]].agg(["median", "min", "max", "count"]).T.set_axis(["median", "low", "high", "n"], axis=1)
    groups = known.groupby(by, observed=True)[value]
    return groups.agg(median="median", low="min", high="max", n="count").reset_index()


def with_diverged(frame: pd.DataFrame, cells: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The frame with a column `diverged`: the share of the runs of each group that diverged."""
    flags = (cells["outcome"] == "diverged").astype(float)
    if not by:
        return frame.assign(diverged=flags.mean())
    return frame.join(flags.groupby([cells[name] for name in by], observed=True).mean().rename("diverged"), on=by)


def divergences(records: Records) -> pd.DataFrame:
    """Where runs diverged: the axes and `step`, a row per run."""
    diverged = records.cells.loc[records.cells["outcome"] == "diverged", [*records.axes, "diverged_step"]]
    return diverged.rename(columns={"diverged_step": "step"}).dropna(subset=["step"]).reset_index(drop=True)


def gradient_by_lag(records: Records, roles: Roles, *, at: str, runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """log10 ||dL/dh_t|| against lag, for every combination of the axes that are drawn.

    Args:
        at: "start" for update 0, "end" for the last logged update of each run that has a finite value.
        runs: from `gradient_of_runs`, here and in the next ones, where it is computed already.

    Returns:
        The axes, `lag, median, low, high, n, diverged`; an exactly zero gradient is -inf. `diverged` is the share of
        runs that diverged; 0 at the start.
    """
    chosen, by = roles.within(records), roles.drawn
    runs = gradient_of_runs(records, roles, at=at) if runs is None else runs
    frame = band(runs, [*by, "lag"], "log10_norm")
    return with_diverged(frame, chosen.cells, by) if at == "end" else frame.assign(diverged=0.0)


def gradient_of_runs(records: Records, roles: Roles, *, at: str) -> pd.DataFrame:
    """log10 ||dL/dh_t|| against lag of every run: `cell, lag, log10_norm` and the axes; `at` as `gradient_by_lag`."""
    chosen = roles.within(records)
    return chosen.with_axes(_gradient_at(chosen, at))


def decay_by_run(records: Records, roles: Roles, *, at: str) -> pd.DataFrame:
    """How the gradient of every run of `gradient_by_lag` changes per step back in time.

    Returns:
        The axes, `decay_rate` and `change`, both in decades per step (see `summaries.decay_rates`).
    """
    chosen = roles.within(records)
    return chosen.with_axes(decay_rates(_gradient_at(chosen, at))).dropna(subset=["change"])


def _gradient_at(records: Records, at: str) -> pd.DataFrame:
    """The gradient through time of each run at update 0, or at its last logged update with a finite value."""
    rows = records.gradient
    if at == "start":
        return rows[rows["step"] == 0]
    known = rows[~rows["log10_norm"].isna()]
    return known[known["step"] == known.groupby("cell", observed=True)["step"].transform("max")]


def norm_by_level(records: Records, roles: Roles, *, runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """log10 of each run's median gradient norm before clipping, against the levels of the axis drawn as x.

    Returns:
        The axes, `median, low, high, n, diverged`.
    """
    cells = roles.within(records).cells
    runs = norm_of_runs(records, roles) if runs is None else runs
    return with_diverged(band(runs, roles.drawn, "norm"), cells, roles.drawn)


def norm_of_runs(records: Records, roles: Roles) -> pd.DataFrame:
    """log10 of each run's median gradient norm before clipping: `cell, norm` and the axes, a row per run."""
    chosen = roles.within(records)
    finite = chosen.metrics[np.isfinite(chosen.metrics["grad_norm"])]
    norms = finite.groupby("cell", observed=True)["grad_norm"].median().rename("norm").reset_index()
    norms["norm"] = log10(norms["norm"])
    return chosen.with_axes(norms)


def numbers_by_level(records: Records, roles: Roles, measure: Measure) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The number of every run, and the median over the runs of each combination of the axes that are drawn.

    Returns:
        A row per run: the axes, `cell, value, solved`; and a row per combination: the axes, `median, low, high, n`. A
        loss, a norm and updates are log10; the worst rank, of a run that diverged or was never solved, is infinite.
    """
    chosen = roles.within(records)
    values = per_run(chosen, measure)
    if on_log_axis(measure):
        values = log10(values)
    runs = chosen.cells[["cell", *records.axes]].assign(value=values, solved=solved(chosen.cells))
    runs = runs.dropna(subset=["value"]).reset_index(drop=True)
    return runs, band(runs, roles.drawn, "value")


def on_log_axis(measure: Measure) -> bool:
    """Whether the numbers of a measure are drawn as powers of ten."""
    return measure.name in ("grad_norm", "grad_norm_clipped") or (measure.better < 0 and not measure.share)


def loss_over_training(
    records: Records, roles: Roles, *, runs: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """log10 of the evaluation loss over training (training loss where nothing was evaluated).

    A run that stopped early because it was solved keeps its last loss. A run that diverged is left out from that
    update on, so that the median is of the other runs; the second frame lists it.

    Returns:
        The axes, `step, median, low, high, n`, and where runs diverged, as from `divergences`.
    """
    runs = loss_of_runs(records, roles) if runs is None else runs
    return band(runs, [*roles.drawn, "step"], "loss"), divergences(roles.within(records))


def loss_of_runs(records: Records, roles: Roles) -> pd.DataFrame:
    """log10 of the loss of every run as `loss_over_training` counts it: `cell, step, loss` and the axes."""
    chosen = roles.within(records)
    column = "eval_loss" if chosen.metrics["eval_loss"].notna().any() else "train_loss"
    rows = chosen.metrics.dropna(subset=[column])
    by_step = rows.pivot_table(index="cell", columns="step", values=column, aggfunc="last", observed=True).ffill(axis=1)
    cells = chosen.cells.set_index("cell").reindex(by_step.index)
    steps = by_step.columns.to_numpy(dtype=float)
    diverged = steps[None, :] >= cells["diverged_step"].fillna(np.inf).to_numpy()[:, None]
    long = by_step.where(~diverged & np.isfinite(by_step)).reset_index().melt("cell", value_name="loss")
    long["loss"] = log10(long["loss"])  # before the median: that of two runs is then midway between their curves
    return chosen.with_axes(long)


def constant_losses(records: Records, roles: Roles) -> pd.DataFrame:
    """log10 of the losses of the predictors that a task names, on the evaluation sets of the runs that are drawn.

    Returns:
        The axes, `baseline` and `loss`, each combination once: first the best constant answer, then the others with
        the lowest median first. Runs whose data differ have losses of their own.
    """
    chosen = roles.within(records)
    each = own_baselines(chosen)
    each.insert(0, CONSTANT, chosen.cells["chance_loss"])
    frame = chosen.cells[roles.drawn].join(each).melt(roles.drawn, var_name="baseline", value_name="loss")
    frame = frame[frame["loss"] > 0].drop_duplicates()
    return frame.assign(loss=log10(frame["loss"]))


def clipping_over_training(
    records: Records, runs: pd.DataFrame, row: str = "clip", column: str = "arch"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """log10 of the gradient norm before and after clipping over training.

    Args:
        records: those that are shown.
        runs: from `norms_of_clipped_runs`, of the same records.
        row, column: axes, see `clipped.Clipped`.

    Returns:
        Both axes, `step, when` ("before", "after"), `median, low, high, n`, and where clipped runs diverged, as from
        `divergences`. Updates at which the norm of a run was not finite are left out for it.
    """
    parts = [band(runs, [column, row, "step"], when).assign(when=when) for when in ("before", "after")]
    ends = divergences(records)
    return pd.concat(parts, ignore_index=True), ends[ends["clip"] != "none"]


def norms_of_clipped_runs(records: Records) -> pd.DataFrame:
    """log10 of the gradient norm of every run with clipping: `cell, step, before, after` and the axes."""
    rows = records.with_axes(records.metrics[["cell", "step", "grad_norm", "grad_norm_clipped"]])
    rows = rows[(rows["clip"] != "none") & np.isfinite(rows["grad_norm"]) & np.isfinite(rows["grad_norm_clipped"])]
    return rows.assign(before=log10(rows["grad_norm"]), after=log10(rows["grad_norm_clipped"]))
