"""The gradient through time of a run as the text that its page draws: every value in two or three characters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MOST = 12_000
"""Values that a page holds; of a larger record some steps or lags are left out. A map has fewer pixels than that."""
FEWEST = 100
"""Steps and lags that are kept in any case, where there are so many."""
DIGITS = "".join(chr(code) for code in range(33, 127) if chr(code) not in '"<\\')
"""Of numbers to the base 91: what needs no escape in JSON and ends no script."""
ZERO, BROKEN, FIRST = 0, 1, 2
"""Numbers that stand for a gradient of exactly zero, for one that is not finite, and for the lowest value."""
FINE = 80.0
"""Decades over which two characters suffice, about those of float32: a hundredth of a decade each."""


def heat_map(steps: np.ndarray, norms: np.ndarray) -> dict[str, Any]:
    """The map as the page's script reads it.

    Args:
        steps: [S], of training.
        norms: [S, T], log10 ||dL/dh_t|| by step and lag; -inf where it is exactly zero.

    Returns:
        `steps` and `lags`, those that are kept, always the first and the last; `every`, the distance of two kept
        steps and of two kept lags; `low` and `high`, the finite values between which `values` counts, evenly from
        `FIRST` to the largest number of `digits` digits: step by step, each with its lags from 0 on.
    """
    every = thinned(*norms.shape)
    rows, columns = (kept(count, apart) for count, apart in zip(norms.shape, every, strict=True))
    drawn = norms[np.ix_(rows, columns)]
    finite = drawn[np.isfinite(drawn)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    digits = 2 if high - low <= FINE else 3
    return {
        **{"steps": steps[rows].tolist(), "lags": columns.tolist(), "every": list(every)},
        **{"low": low, "high": high, "digits": digits, "values": letters(drawn, low, high, digits)},
    }


def letters(values: np.ndarray, low: float, high: float, digits: int) -> str:
    """Values between `low` and `high` as numbers of so many digits, row by row; others as above."""
    most = len(DIGITS) ** digits - 1
    with np.errstate(invalid="ignore"):
        scaled = (values - low) / ((high - low) or 1.0) * (most - FIRST) + FIRST
    special = np.where(values == -math.inf, ZERO, BROKEN)
    numbers = np.where(np.isfinite(values), scaled, special).round().astype(np.int64)
    places = len(DIGITS) ** np.arange(digits)[::-1]
    found = np.frombuffer(DIGITS.encode(), np.uint8)[numbers.reshape(-1, 1) // places % len(DIGITS)]
    return str(found.tobytes().decode("ascii"))


def thinned(steps: int, lags: int) -> tuple[int, int]:
    """The distance between two steps, and between two lags, that are kept of so many; 1 keeps all."""
    most_lags = min(lags, max(FEWEST, MOST // steps))
    most_steps = min(steps, max(FEWEST, MOST // most_lags))
    return -(-steps // most_steps), -(-lags // most_lags)


def kept(count: int, every: int) -> np.ndarray:
    """The places 0 to `count` - 1, `every` apart, and the last."""
    return np.unique([*range(0, count, every), count - 1])
