"""What tables compare: one number per run, with the direction that is better and the rank of diverged runs.

A diverged run has the worst rank: -inf where more is better, +inf where less is. So medians, order-statistics
intervals and rank tests include it without an invented score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweeps.analysis.loading.cellfiles import NUMBERS
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import COUNTS, diverged, solved
from sweeps.analysis.statistics.summaries import numbers_of
from sweeps.errors import SweepsError, unknown

STOPS = "train.stop_when_solved"
"""The setting by which a run ends at the evaluation that solves its task."""


@dataclass(frozen=True)
class Measure:
    """One number per run.

    Attributes:
        name: column of the cells, or of `statistics.per_cell`.
        better: 1 if more is better, -1 if less is, 0 if neither (nothing is then marked as best).
        label: how a table calls it; `{score}` is the name of the task's score.
        share: the number is 0 or 1, so that a table shows its mean with an exact interval.
        worst: how a table writes the infinite value of a run that has the worst rank.
        reached: the number is how well the task was learned. Of a run that ends when it is solved that is only the
            value at which it crossed the threshold, not what it could have reached.
    """

    name: str
    better: int
    label: str
    share: bool = False
    worst: str = "diverged"
    reached: bool = False


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("best_score", 1, "best {score}", reached=True),
        Measure("final_score", 1, "final {score}", reached=True),
        Measure("best_loss", -1, "loss of the best evaluation", reached=True),
        Measure("lowest_loss", -1, "lowest evaluation loss", reached=True),
        Measure("final_loss", -1, "final training loss", reached=True),
        Measure("final_eval_loss", -1, "final evaluation loss", reached=True),
        Measure("test_score", 1, "test {score}", reached=True),
        Measure("test_loss", -1, "test loss", reached=True),
        Measure("solved_step", -1, "updates until solved", worst="unsolved"),
        Measure("solved", 1, "share solved", share=True),
        Measure("solved_at_end", 1, "share solved at the end", share=True),
        Measure("diverged", -1, "share diverged", share=True),
        Measure("diverged_at_start", -1, "share diverged at update 0", share=True),
        Measure("grad_norm", 0, "gradient norm before clipping"),
        Measure("grad_norm_clipped", 0, "gradient norm after clipping"),
        Measure("clipped", 0, "share of steps clipped"),
        Measure("decay_start", 0, "decay rate at initialisation"),
        Measure("decay_training", 0, "decay rate in training"),
        Measure("change_start", 0, "end-to-end change at initialisation (decades per step)"),
        Measure("change_training", 0, "end-to-end change in training (decades per step)"),
        Measure("after_fifty", 0, "change of the gradient over fifty steps at initialisation (decades)"),
        Measure("zeros", 0, "share of gradients exactly zero"),
    )
}
"""By name. In the last nine, a diverged run counts with those of its logged steps that were still finite."""


SHORT = {
    "score": "best_score",
    "loss": "best_loss",
    "updates": "solved_step",
    "decay": "decay_training",
    "gradient_norm": "grad_norm",
}
"""Short names of measures."""
NUMERIC = tuple(name for name in (*NUMBERS, "clip_scale") if name not in MEASURES)
"""Further numbers that every run has, of which neither more nor less is better: columns of the cells."""


def measure_named(name: str) -> Measure:
    """The measure of that name, a short name or a numeric column included.

    Raises:
        SweepsError: there is none; the message names the nearest.
    """
    name = SHORT.get(name, name)
    if name in NUMERIC:
        return Measure(name, 0, name.replace("_", " "))
    if name not in MEASURES:
        raise SweepsError(unknown("metric", name, (*MEASURES, *SHORT, *NUMERIC)))
    return MEASURES[name]


def per_run(records: Records, measure: Measure) -> pd.Series:
    """The measure of every run, in the order of `records.cells`; diverged runs have the worst rank.

    NaN where a run has no such number (a task without a score, a run that was never evaluated).
    """
    cells = records.cells
    if measure.share:
        return COUNTS[measure.name](cells).astype(float)
    if measure.name == "solved_step":
        return cells["solved_step"].fillna(np.inf)
    if measure.name in NUMBERS and measure.better == 0:
        return cells[measure.name]
    if measure.better == 0:
        return cells[["cell"]].join(numbers_of(records), on="cell")[measure.name]
    values = _lowest_loss(records) if measure.name == "lowest_loss" else cells[measure.name]
    measured = values.notna().groupby(cells["task"], dropna=False).transform("any")
    return values.mask(diverged(cells) & measured, -np.inf * measure.better)


def _lowest_loss(records: Records) -> pd.Series:
    lowest = records.metrics.groupby("cell", observed=True)["eval_loss"].min()
    return records.cells["cell"].map(lowest).astype(float)


def crossings(records: Records, measure: Measure) -> int:
    """How many runs ended at the evaluation that solved them (`STOPS`); 0 for a measure that this does not affect.

    Their scores are those at which they crossed the threshold: ranking by them would rank the last gain before it.
    """
    cells = records.cells
    if not measure.reached or STOPS not in cells:
        return 0
    return int((solved(cells) & (cells[STOPS] == "true")).sum())


def how_diverged_count(measure: Measure, score: str = "score") -> str:
    """The sentence beneath every table that says how a diverged run counts in the measure."""
    if measure.name in ("diverged", "diverged_at_start"):
        return "Diverged runs are what is counted."
    if measure.name == "solved_at_end":
        return "A diverged run counts as not solved at the end, also if it was solved before."
    if measure.share or measure.name == "solved_step":
        return (
            "A diverged run counts as not solved to the end of the budget; one that was solved before it diverged "
            "counts as solved."
        )
    if measure.name in NUMBERS and measure.better == 0:
        return "Diverged runs stay in with what was recorded of them."
    if measure.better == 0:
        return "Diverged runs stay in with their logged steps that were still finite."
    what = measure.label.format(score=score)
    return (
        f"Diverged runs stay in at the worst rank: {'below' if measure.better > 0 else 'above'} every {what}, whatever "
        f"they reached before; where they decide a number it reads “{measure.worst}”."
    )
