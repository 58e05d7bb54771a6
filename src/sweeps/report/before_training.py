"""The networks of a study before training: the gradient through time of each, and how the answer speaks of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.recurrent import recurrent
from sweeps.analysis.statistics.measures import STOPS
from sweeps.analysis.statistics.outcomes import diverged_at_start
from sweeps.analysis.statistics.summaries import ENDS, SHORTEST, decay_rates
from sweeps.analysis.text import EMPTY

FACTOR = (
    "each step back in time multiplies the norm of the gradient ‖∂L/∂h_t‖ by a factor: below 1 it vanishes on its way "
    f"back, above 1 it explodes. {ENDS} steps at either end are left out"
)
"""What a factor per step is, as the end of a sentence and the next one without its end."""
LATER = ("steps", "train.log_every", "train.eval_every", "train.eval_size", STOPS, "train.patience")
"""Axes that act only after the first gradient is taken, beside the groups `LATER_GROUPS`."""
LATER_GROUPS = ("clip", "optim", "schedule", "penalty")
"""Groups of which the choice and all settings do so."""


def at_initialisation(records: Records) -> pd.DataFrame:
    """The gradient through time of every network before its first update, a row per network.

    Runs that differ only in what acts after the first gradient (clipping, learning rate) start from the same network,
    which counts once. Architectures that pass no state are left out.

    Returns:
        `arch, init, length`, the further axes that tell networks apart, `seed`, `outcome`, `diverged_step`; in decades
        per step back `rate` (both ends left out), `late` and `early` (the same, over the half of these steps that is
        nearer to the end of the sequence, and over the other half) and `change` (end to end); `total`, decades from
        the last time step to the first. All of these are -inf if the gradient is exactly zero somewhere. `lost`:
        the gradient was not finite.
    """
    rows = records.gradient[records.gradient["step"] == 0]
    cells = records.cells[recurrent(records.cells["arch"])]
    parts = {"rate": (0.0, 1.0), "late": (0.0, 0.5), "early": (0.5, 1.0)}
    by_part = {name: decay_rates(rows, part).set_index("cell") for name, part in parts.items()}
    numbers = pd.DataFrame({name: rates["decay_rate"] for name, rates in by_part.items()})
    numbers["change"] = by_part["rate"]["change"]
    keys = ["arch", "init", "length", *further(records), "seed"]
    start = cells[["cell", *keys, "outcome", "diverged_step"]].join(numbers, on="cell").drop_duplicates(keys)
    start["total"] = start["change"] * (start["length"].astype(float) - 1)
    start["lost"] = start["change"].isna() & diverged_at_start(start)
    return start.drop(columns="cell").reset_index(drop=True)


def acts_later(axis: str) -> bool:
    """Whether an axis acts only after the first gradient is taken."""
    return axis in (*LATER, *LATER_GROUPS) or owner_of(axis) in LATER_GROUPS


def further(records: Records) -> list[str]:
    """The axes beyond arch, init and length that tell networks apart before training."""
    return [axis for axis in records.extra_axes if not acts_later(axis)]


def at_longest(records: Records, start: pd.DataFrame) -> pd.DataFrame:
    """The networks at the longest length whose gradient is known from end to end, or was not finite.

    Args:
        start: from `at_initialisation`.
    """
    return start[(start["length"] == records.longest) & (start["change"].notna() | start["lost"])]


def too_short(length: float) -> str:
    """What a factor per step leaves out and how many steps that takes, as a clause; empty where T steps are enough."""
    if length >= SHORTEST:
        return ""
    return (
        f"leaves out {ENDS} steps at either end, where the gradient still depends on the readout or on the start from "
        f"0, and that takes {SHORTEST} steps"
    )


def span(values: pd.Series, as_text: Callable[[float], str], before: str = "") -> str:
    """`0.98 to 1.00`, the range of the values as text, or one text if both ends give the same.

    With `before`, this text and the range; empty for a single value.
    """
    known = values.dropna()
    if known.empty or (before and len(values) == 1):
        return "" if before else EMPTY
    return before + " to ".join(dict.fromkeys(as_text(value) for value in (known.min(), known.max())))


def power(exponent: float) -> str:
    """`10^-2.4`; `0` for a gradient of exactly zero."""
    return "0" if exponent == -math.inf else f"10^{round(exponent, 1) + 0.0:.1f}"
