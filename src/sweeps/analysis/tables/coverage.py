"""What a caption says of the interval in the brackets: its kind, what it covers with these n, where there is none."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.statistics.interquartile import DRAWS, IQM_SEEDS
from sweeps.analysis.statistics.intervals import CONFIDENCE, median_coverage

ORDER_STATISTICS = f"order statistics, at least {CONFIDENCE:.0%} with ties and diverged runs too"
RANGE_ONLY = 5
"""Most seeds of whose values no interval of the median reaches 95%."""


def median_words(n: pd.Series) -> str:
    """The interval of a median and how often it holds it at this n."""
    some = n[n > 1]
    least = median_coverage(int(some.min())) if len(some) else CONFIDENCE
    if not len(some):
        text = "without an interval"
    elif least >= CONFIDENCE:
        text = f"in brackets its {CONFIDENCE:.0%} interval ({ORDER_STATISTICS})"
    elif median_coverage(int(some.max())) < CONFIDENCE:
        text = f"in brackets the lowest and the highest of them ({_how_often(some)}: no {CONFIDENCE:.0%} interval)"
    else:
        text = (
            f"in brackets its {CONFIDENCE:.0%} interval ({ORDER_STATISTICS}) or, of up to {RANGE_ONLY} seeds, the "
            f"lowest and the highest of them ({_how_often(some)})"
        )
    return text + _one_seed(n)


def _how_often(n: pd.Series) -> str:
    """`with 2 seeds they hold the median in at least 50% of cases`, of the smallest n."""
    least = int(n.min())
    return f"with {least} seeds they hold the median in at least {100 * median_coverage(least):g}% of cases"


def iqm_words(n: pd.Series, seed: int) -> str:
    """The interval of an interquartile mean, and where it has none."""
    some = n[n > 0]
    few = f"of fewer than {IQM_SEEDS} seeds it has none that would hold where some runs learn and some do not"
    if not (some >= IQM_SEEDS).any():
        return f"without an interval: {few}"
    text = (
        f"in brackets its {CONFIDENCE:.0%} interval (order statistics with {DRAWS} draws of their levels, seed {seed})"
    )
    return f"{text}; {few}" if (some < IQM_SEEDS).any() else text


def mean_words(n: pd.Series, fewest: int) -> str:
    """The interval of a mean of bounded numbers, and where it is too wide to be given."""
    some = n[n > 0]
    few = f"of fewer than {fewest} seeds it has none: one that holds would span 60% of the budget or more"
    if not (some >= fewest).any():
        return f"without an interval: {few}"
    text = f"in brackets its {CONFIDENCE:.0%} interval (Gaffke's for a mean between 0 and the budget)"
    return f"{text}; {few}" if (some < fewest).any() else text


def share_words(n: pd.Series, *, pooled: bool = False) -> str:
    """The interval of a share; of settings pooled it is one over the shares of the seeds."""
    kind = "Gaffke's, over the share of each seed" if pooled else "Clopper and Pearson's, at least that for any share"
    return f"in brackets its {CONFIDENCE:.0%} interval ({kind})" + _one_seed(n)


def _one_seed(n: pd.Series) -> str:
    return "; one seed has none" if (n == 1).any() else ""
