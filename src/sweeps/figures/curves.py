"""The frames behind the figures: medians over runs, with a band. Figures draw them as they are.

Every frame has `median, low, high, n`: low and high are the smallest and the largest run, n the number of
runs. Norms are log10, so that values far outside the range of float64 can be drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import Roles
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


def gradient_by_lag(records: Records, roles: Roles, *, at: str) -> pd.DataFrame:
    """log10 ||dL/dh_t|| against lag, for every combination of the axes that are drawn.

    Args:
        at: "start" for update 0, "end" for the last logged update of each run that has a finite value.

    Returns:
        The axes, `lag, median, low, high, n, diverged`; an exactly zero gradient is -inf. `diverged` is the share of
        runs that diverged; 0 at the start.
    """
    chosen = roles.within(records)
    by = roles.drawn
    frame = band(chosen.with_axes(_gradient_at(chosen, at)), [*by, "lag"], "log10_norm")
    return with_diverged(frame, chosen.cells, by) if at == "end" else frame.assign(diverged=0.0)


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


def norm_by_level(records: Records, roles: Roles) -> pd.DataFrame:
    """log10 of each run's median gradient norm before clipping, against the levels of the axis drawn as x.

    Returns:
        The axes, `median, low, high, n, diverged`.
    """
    chosen = roles.within(records)
    finite = chosen.metrics[np.isfinite(chosen.metrics["grad_norm"])]
    norms = finite.groupby("cell", observed=True)["grad_norm"].median().rename("norm").reset_index()
    norms["norm"] = _log10(norms["norm"])
    return with_diverged(band(chosen.with_axes(norms), roles.drawn, "norm"), chosen.cells, roles.drawn)


def loss_over_training(records: Records, roles: Roles) -> tuple[pd.DataFrame, pd.DataFrame]:
    """log10 of the evaluation loss over training (training loss where nothing was evaluated).

    A run that stopped early because it was solved keeps its last loss. A run that diverged is left out from that
    update on, so that the median is of the other runs; the second frame lists it.

    Returns:
        The axes, `step, median, low, high, n`, and where runs diverged, as from `divergences`.
    """
    chosen = roles.within(records)
    column = "eval_loss" if chosen.metrics["eval_loss"].notna().any() else "train_loss"
    rows = chosen.metrics.dropna(subset=[column])
    by_step = rows.pivot_table(index="cell", columns="step", values=column, aggfunc="last", observed=True).ffill(axis=1)
    cells = chosen.cells.set_index("cell").reindex(by_step.index)
    steps = by_step.columns.to_numpy(dtype=float)
    diverged = steps[None, :] >= cells["diverged_step"].fillna(np.inf).to_numpy()[:, None]
    long = by_step.where(~diverged & np.isfinite(by_step)).reset_index().melt("cell", value_name="loss")
    long["loss"] = _log10(long["loss"])  # before the median: that of two runs is then midway between their curves
    return band(chosen.with_axes(long), [*roles.drawn, "step"], "loss"), divergences(chosen)


def clipping_axis(records: Records) -> str:
    """What tells clippings apart: the kind; of a single kind the first of its settings that varied (`threshold`)."""
    kinds = set(records.cells["clip"]) - {"none"}
    own = [axis for axis in records.varied if owner_of(axis) == "clip"]
    return own[0] if len(kinds) == 1 and own else "clip"


def clipping_over_training(records: Records, *, init: Any, length: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """log10 of the gradient norm before and after clipping over training, for one init and length.

    Returns:
        `arch`, the axis of `clipping_axis`, `step, when` ("before", "after"), `median, low, high, n`, and where clipped
        runs diverged, as from `divergences`. Updates at which the norm of a run was not finite are left out for it.
    """
    chosen = records.select(init=init, length=length)
    rows = chosen.with_axes(chosen.metrics)
    rows = rows[(rows["clip"] != "none") & np.isfinite(rows["grad_norm"]) & np.isfinite(rows["grad_norm_clipped"])]
    parts = []
    for when, column in (("before", "grad_norm"), ("after", "grad_norm_clipped")):
        part = band(rows.assign(norm=_log10(rows[column])), ["arch", clipping_axis(records), "step"], "norm")
        parts.append(part.assign(when=when))
    ends = divergences(chosen)
    return pd.concat(parts, ignore_index=True), ends[ends["clip"] != "none"]


def most_clipped_init(records: Records, *, length: Any) -> Any:
    """The init whose gradients were clipped at the largest share of logged updates; None if no run has clipping."""
    rows = records.with_axes(records.metrics).dropna(subset=["clip_scale"])  # where the gradient was still finite
    rows = rows[(rows["clip"] != "none") & (rows["length"] == length)]
    share = (rows["clip_scale"] < 1.0).groupby(rows["init"], observed=True).mean()
    return share.idxmax() if len(share) else None


def _log10(values: pd.Series) -> pd.Series:
    """log10, with -inf for an exact zero and no warning."""
    positive = values.where(values > 0)
    return np.log10(positive).where(values != 0, -np.inf)
