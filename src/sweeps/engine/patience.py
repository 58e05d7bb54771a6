"""Evaluations in a row that brought nothing better, lane by lane: for the plateau schedule and for early stopping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Patience:
    """Counts the evaluations since the best one; at `most` in a row it runs out, and counts anew.

    An evaluation is better than the best before if loss < best (1 - threshold); a loss that is not a number never is.

    Attributes:
        state: best loss, evaluations since, how often it ran out, of each lane, float64 `[K, 3]`.

    Args:
        most: evaluations in a row, of each lane; inf: it never runs out.
        threshold: the share of the best loss that counts.
    """

    def __init__(self, most: Sequence[float], threshold: Sequence[float]) -> None:
        self.most, self.threshold = np.array(most, dtype=float), np.array(threshold, dtype=float)
        self.state = np.tile([np.inf, 0.0, 0.0], (len(self.most), 1))

    def evaluated(self, losses: Sequence[float]) -> np.ndarray:
        """Tell the evaluation loss of each lane; returns the lanes at which patience ran out, bool `[K]`."""
        best, since, times = self.state.T
        found = np.array(losses, dtype=float)
        better = found < best * (1 - self.threshold)
        best[better] = found[better]
        since[:] = np.where(better, 0, since + 1)
        out = since >= self.most
        since[out] = 0
        times[out] += 1
        return out

    @property
    def times(self) -> list[float]:
        """How often it has run out, of each lane."""
        return self.state[:, 2].tolist()

    def keep(self, lanes: Sequence[int]) -> None:
        """Keep only these lanes, in that order."""
        index = list(lanes)
        self.most, self.threshold, self.state = (each[index] for each in (self.most, self.threshold, self.state))
