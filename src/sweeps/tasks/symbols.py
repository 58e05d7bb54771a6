"""What tasks on sequences of symbols share: one input for each symbol, and which answers count."""

from __future__ import annotations

import numpy as np


def one_hot(symbols: np.ndarray, count: int) -> np.ndarray:
    """Inputs `[T, B, count]`, float32: 1 for the symbol of each time step; all 0 where it is negative, a blank step."""
    return (symbols[..., None] == np.arange(count)).astype(np.float32)


def last_steps(steps: int, batch: int, answers: int) -> np.ndarray:
    """What the answers count, `[T, B]`: 1 at the last `answers` time steps, 0 at all others."""
    counts = np.zeros((steps, batch), dtype=np.float32)
    counts[-answers:] = 1
    return counts
