"""What captions say of the intervals in brackets: the kind, the coverage at this n, and why there is none."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.statistics.interquartile import DRAWS, IQM_SEEDS
from sweeps.analysis.statistics.intervals import CONFIDENCE, median_coverage

ORDER_STATISTICS = f"order statistics, at least {CONFIDENCE:.0%} with ties and diverged runs too"
RANGE_ONLY = 5
"""The largest number of seeds with which no interval of the median reaches 95%."""


def median_words(n: pd.Series) -> str:
    """The interval of a median and its coverage at this n (seeds of each row)."""
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
    kind = f"order statistics, {DRAWS} draws of their levels, seed {seed}"
    why = f"with fewer than {IQM_SEEDS} seeds none reaches {CONFIDENCE:.0%} where some runs learn and some do not"
    return _from(IQM_SEEDS, n, kind, why)


def mean_words(n: pd.Series, fewest: int) -> str:
    """The interval of a mean of bounded numbers, and where it is too wide to be given."""
    kind = "Gaffke's for a mean between 0 and the budget"
    return _from(fewest, n, kind, f"with fewer than {fewest} seeds one that holds would span 60% of the budget or more")


def _from(fewest: int, n: pd.Series, kind: str, why: str) -> str:
    """The kind of an interval that needs at least `fewest` seeds, and why there is none with fewer."""
    some = n[n > 0]
    if not (some >= fewest).any():
        return f"without an interval ({why})"
    text = f"in brackets its {CONFIDENCE:.0%} interval ({kind})"
    return f"{text} or none ({why})" if (some < fewest).any() else text


def share_words(n: pd.Series, *, pooled: bool = False) -> str:
    """The interval of a share; where settings are pooled, it is one over the shares of the seeds."""
    kind = "Gaffke's, over the share of each seed" if pooled else "Clopper and Pearson's exact one"
    return f"in brackets its {CONFIDENCE:.0%} interval ({kind})" + _one_seed(n)


def _one_seed(n: pd.Series) -> str:
    return "; one seed has none" if (n == 1).any() else ""
