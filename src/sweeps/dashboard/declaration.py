"""What W&B shows of a sweep: the nearest counterpart of each figure of the report. Plain data, no client.

Keys are those of the mirrored runs (`mirror.run_content`): of the history for what is drawn over training, of the
summary for one number per run, of the config for axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sweeps.figures.charts import CHARTS, Chart
from sweeps.mirror.run_content import HEAT_MAP

EACH, CLIPPING = "each axis", "clipping"
"""What a panel can be by; see `Panel`."""
Kind = Literal["curves", "bars", "pictures", "coordinates", "importance"]


@dataclass(frozen=True)
class Panel:
    """One chart of W&B.

    Attributes:
        kind: `curves` over training and `bars` of one number per run are means over the runs of a group, with
            the range from the smallest to the largest; `pictures` are the heat maps; `coordinates` has a line
            per run through its settings and `metrics`; `importance` says which setting decides `metrics[0]`.
        by: what groups the runs in place of the groups of the runs table: `EACH` for a panel by each axis that varied,
            `CLIPPING` for the kind of clipping, or the setting of a single kind, where that varied; elsewhere such a
            panel is left out. The title has `{axis}` where the axis is named.
        log: logarithmic axis.
    """

    kind: Kind
    title: str
    metrics: tuple[str, ...]
    by: str | None = None
    log: bool = False


@dataclass(frozen=True)
class Part:
    """A section: a title, the question that it answers, and its panels."""

    chart: Chart
    panels: tuple[Panel, ...]


DECAY = "gradient/log10_slope_per_lag"
SCORE = "best/eval_score"

OF_FIGURES: dict[str, tuple[Panel, ...]] = {
    "loss_curves": (
        Panel("curves", "Evaluation loss", ("eval_loss",), log=True),
        Panel("curves", "Training loss", ("train_loss",), log=True),
        Panel("curves", "Evaluation loss, by {axis}", ("eval_loss",), by=EACH, log=True),
        Panel("curves", "Evaluation score", ("eval_score",)),
    ),
    "clipping": (
        Panel("curves", "Before and after, by {axis}", ("grad_norm", "grad_norm_clipped"), by=CLIPPING, log=True),
        Panel("curves", "Before clipping", ("grad_norm",), log=True),
        Panel("curves", "After clipping", ("grad_norm_clipped",), log=True),
        Panel("curves", "Share of the gradient that is left, by {axis}", ("clip_scale",), by=CLIPPING),
    ),
    "gradient_by_lag_start": (
        Panel("pictures", "Gradient through time: log10 of its norm by lag and training step", (HEAT_MAP,)),
    ),
    "gradient_by_lag_end": (
        Panel("curves", "Decay rate: slope of log10 of the norm per step back", (DECAY,)),
        Panel("curves", "Decay rate, by {axis}", (DECAY,), by=EACH),
        Panel("curves", "log10 of the norm at the end of the sequence (lag 0)", ("gradient/log10_norm_lag_0",)),
        Panel("curves", "log10 of the norm half-way back", ("gradient/log10_norm_lag_half",)),
        Panel("curves", "log10 of the norm at the first step", ("gradient/log10_norm_lag_last",)),
    ),
    "share_solved": (
        Panel("bars", "Share solved", ("solved",)),
        Panel("bars", "Share solved, by {axis}", ("solved",), by=EACH),
        Panel("bars", "Updates until solved, of the runs that were", ("solved_step",)),
        Panel("bars", "Best score", (SCORE,)),
        Panel("bars", "Best score, by {axis}", (SCORE,), by=EACH),
    ),
    "outcomes": (
        Panel("bars", "Share diverged", ("diverged",)),
        Panel("bars", "Values that are not finite", ("nonfinite_values",)),
        Panel("bars", "Updates to the end", ("step",)),
    ),
}
"""Panels by name of the figure in the catalogue. W&B has no counterpart of a figure over the values of a setting."""

SETTINGS = Part(
    Chart("Settings and results of every run", "Which settings go with which result?"),
    (
        Panel("coordinates", "A line per run", (DECAY, "grad_norm", SCORE)),
        Panel("importance", "What decides the best score", (SCORE,)),
    ),
)

PARTS = (*(Part(CHARTS[name], panels) for name, panels in OF_FIGURES.items()), SETTINGS)

UNCLIPPED = Part(CHARTS["gradient_norm_by_level"], (Panel("curves", "Gradient norm", ("grad_norm",), log=True),))
"""In place of the part about clipping where no run clips."""
