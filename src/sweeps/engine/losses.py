"""Losses, lane by lane: the loss of each sequence, and the gradient of the batch mean with respect to the outputs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sweeps.engine.extended import LN_2, Rows, lanes_apart

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(outputs [K, B, O], targets [K, B, O] or class numbers [K, B]) -> (loss of each sequence [K, B], dL/doutputs)."""
Exact = Callable[[Tensor, Tensor], Rows]
"""(float64 outputs, targets) -> dL/doutputs as `Rows`, whose range is beyond float64's."""


def mse(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error, averaged over outputs and batch; targets `[K, B, O]`."""
    error = outputs - targets
    return error.square().mean(-1), error * (2 / (error.shape[1] * error.shape[2]))


def exact_mse(outputs: Tensor, targets: Tensor) -> Rows:
    """The gradient of `mse`, as `Rows`."""
    return Rows.of(mse(outputs, targets)[1])


def cross_entropy(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Negative log likelihood of the softmax, averaged over the batch, in nats; targets `[K, B]`, class numbers."""
    log_p = torch.log_softmax(outputs, -1)
    index = targets.unsqueeze(-1)
    gradient = log_p.exp().scatter_add_(-1, index, torch.full_like(log_p[..., :1], -1.0))
    return -log_p.gather(-1, index).squeeze(-1), gradient / outputs.shape[1]


def exact_cross_entropy(outputs: Tensor, targets: Tensor) -> Rows:
    """The gradient of `cross_entropy`, as `Rows`: p_j for each wrong class j, minus their sum for the right one.

    The usual form for the right class, p - 1, rounds to 0 as p nears 1; for a still surer answer p_j underflows, too.
    """
    return lanes_apart(_cross_entropy_rows, outputs, targets)[0]


def _cross_entropy_rows(outputs: Tensor, targets: Tensor) -> tuple[Rows]:
    index = targets.unsqueeze(-1)
    log_p = torch.log_softmax(outputs, -1).scatter(-1, index, -torch.inf)
    exponent = (log_p.amax(-1, keepdim=True) / LN_2).ceil()
    others = (log_p - exponent * LN_2).exp()
    gradient = others.scatter(-1, index, -others.sum(-1, keepdim=True))
    return (Rows(gradient / outputs.shape[1], exponent),)


LOSSES: dict[str, Loss] = {"mse": mse, "cross_entropy": cross_entropy}
EXACT: dict[str, Exact] = {"mse": exact_mse, "cross_entropy": exact_cross_entropy}
