"""Losses of the readout, lane by lane: the mean over the batch and its gradient with respect to the outputs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(outputs [K, B, O], targets [K, B, O] or class numbers [K, B]) -> (loss of each sequence [K, B], dL/doutputs)."""


def mse(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error, averaged over outputs and batch; targets `[K, B, O]`."""
    error = outputs - targets
    return error.square().mean(-1), error * (2 / (error.shape[1] * error.shape[2]))


def cross_entropy(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Negative log likelihood of the softmax, averaged over the batch, in nats; targets `[K, B]`, class numbers."""
    log_p = torch.log_softmax(outputs, -1)
    index = targets.unsqueeze(-1)
    gradient = log_p.exp().scatter_add_(-1, index, torch.full_like(log_p[..., :1], -1.0))
    return -log_p.gather(-1, index).squeeze(-1), gradient / outputs.shape[1]


LOSSES: dict[str, Loss] = {"mse": mse, "cross_entropy": cross_entropy}
