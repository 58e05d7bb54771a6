"""Updates of several batches: what they have of each, put together as if they were one large batch.

A batch j counts by the mean weight W_j of its answers, 1 where all count equally: loss and gradient of all are
sum_j W_j (.)_j / sum_j W_j. Of the gradient through time the sequences of a batch are a part of the rows of the large
one, so that norms are added as squares: ||dL/dh_t||^2 = sum_j (s_j ||dL_j/dh_t||)^2, s_j being the share of batch j.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.losses import mean_weight

DECADES = 2 * np.log(10)


class Sums:
    """Weighted sums of loss `[K]` and gradient `[K, P]` over the batches of an update, in place.

    Args:
        like: the gradients of a batch.
    """

    def __init__(self, like: Tensor) -> None:
        self.gradients = torch.zeros_like(like)
        self.loss, self.weight = (torch.zeros(len(like), 1, device=like.device) for _ in range(2))

    @property
    def all(self) -> list[Tensor]:
        return [self.gradients, self.loss, self.weight]

    def clear(self) -> None:
        """Begin the next update."""
        for each in self.all:
            each.zero_()

    def add(self, loss: Tensor, gradients: Tensor, weights: Tensor | None) -> None:
        """Add a batch; `weights [K, N]` are those of its answers, None: all equal."""
        weight = torch.ones_like(self.weight) if weights is None else mean_weight(weights).unsqueeze(1)
        self.weight.add_(weight)
        self.loss.add_(loss.unsqueeze(1) * weight)
        self.gradients.add_(gradients * weight)

    def mean(self, gradients: Tensor) -> Tensor:
        """Write the gradients of the large batch; returns its loss, `[K]`."""
        torch.div(self.gradients, self.weight, out=gradients)
        return (self.loss / self.weight).squeeze(1)


def together(log10_norms: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> np.ndarray:
    """log10 ||dL/dh_t|| of the large batch, `[K, R, T]`, from that of each batch and what it counts, `[K]`."""
    counts = np.array(weights)
    with np.errstate(divide="ignore", invalid="ignore"):  # a batch that counts nothing; a norm that is no number
        shares = np.log10(counts / counts.sum(0))[..., None, None]
        scaled = [DECADES * (norm + share) for norm, share in zip(log10_norms, shares, strict=True)]
        return np.logaddexp.reduce(scaled) / DECADES
