"""The last gradient norms of each lane, and their percentiles: what adaptive clipping knows of a run."""

from __future__ import annotations

import torch
from torch import Tensor


class NormHistory:
    """The last norms of K lanes, of as many updates as the window of each; norms that are not finite are left out.

    Attributes:
        norms: float64 `[K, W]`, W the widest window; inf where there is none yet.
        count: int64 `[K]`, the norms that each lane has had so far.

    Args:
        windows: int64 `[K]`, how many updates of each lane are looked at.
    """

    def __init__(self, windows: Tensor) -> None:
        self.windows = windows
        widest = int(windows.max())
        self.norms = torch.full((len(windows), widest), torch.inf, dtype=torch.float64, device=windows.device)
        self.count = torch.zeros_like(windows)

    def add(self, norms: Tensor) -> None:
        """Put the norms `[K]` of an update in place of those that have left the windows."""
        place, finite = (self.count % self.windows).unsqueeze(1), norms.isfinite()
        kept = torch.where(finite.unsqueeze(1), norms.unsqueeze(1), self.norms.gather(1, place))
        self.norms.scatter_(1, place, kept)
        self.count += finite

    def percentile(self, share: Tensor) -> Tensor:
        """The norm `[K]` below which a share `[K]` of each lane's norms lies, between two of them a straight line.

        It is inf for a lane that has had no norm.
        """
        ordered, there = self.norms.sort(1).values, torch.minimum(self.count, self.windows)
        at = share * (there - 1).clamp(min=0)
        low = at.floor().long()
        high = torch.minimum(low + 1, (there - 1).clamp(min=0))
        below, above = (ordered.gather(1, place.unsqueeze(1)).squeeze(1) for place in (low, high))
        return torch.where(there > 0, below + (above - below) * (at - low), torch.inf)
