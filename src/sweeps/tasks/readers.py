"""Readers of one long sequence, for truncated back-propagation: B places that move on by T steps with every batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def passes(rng: np.random.Generator, steps: int, length: int, batch: int) -> Iterator[tuple[np.ndarray, bool]]:
    """Where the windows of each batch begin, without end.

    The readers stand at equal distances and move on by `length` until one pass over all is done; then all begin at new
    places, the first of which is drawn. They overlap only if they must.

    Args:
        steps: of the whole sequence.
        length: T, steps of a window, at most `steps`.
        batch: B.

    Yields:
        First steps, int64 `[B]`, and whether each goes on where its last window ended.
    """
    chunks = max(1, steps // (batch * length))
    span = chunks * length
    apart = min(span, (steps - span) // max(1, batch - 1)) if batch > 1 else 0
    while True:
        place = rng.integers(0, steps - span - apart * (batch - 1) + 1)
        for chunk in range(chunks):
            yield place + apart * np.arange(batch) + chunk * length, chunk > 0


def look_back(begin: int, end: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of `length` steps that together judge each step from `begin` to `end` - 1 once, with some before it.

    The last `length` - `length` // 2 steps of a window count, so that each has at least `length` // 2 before it; what
    lies before `begin` counts nothing.

    Returns:
        First steps, int64 `[n]`, and what each step counts, float32 `[length, n]`.
    """
    counted = length - length // 2
    starts = np.arange(end, begin, -counted)[::-1] - length
    step = starts + np.arange(length)[:, None]
    counts = (np.arange(length) >= length - counted)[:, None] & (step >= begin)
    return starts, counts.astype(np.float32)
