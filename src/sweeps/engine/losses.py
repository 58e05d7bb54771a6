"""Losses, lane by lane: the loss of each answer, and the gradient of their mean with respect to the outputs.

An answer is the output for one sequence, or for one time step of one; a lane has N of them, B or T*B.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sweeps.engine.extended import LN_2, Rows, lanes_apart

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(outputs [K, N, O], targets [K, N, O] or class numbers [K, N]) -> (loss of each answer [K, N], dL/doutputs)."""
Exact = Callable[[Tensor, Tensor], Rows]
"""(float64 outputs, targets) -> dL/doutputs as `Rows`, whose range is beyond float64's."""


def mse(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error, averaged over outputs and answers; targets `[K, N, O]`."""
    error = outputs - targets
    return error.square().mean(-1), error * (2 / (error.shape[1] * error.shape[2]))


def exact_mse(outputs: Tensor, targets: Tensor) -> Rows:
    """The gradient of `mse`, as `Rows`."""
    return Rows.of(mse(outputs, targets)[1])


def cross_entropy(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Negative log likelihood of the softmax, averaged over answers, in nats; targets `[K, N]`, class numbers."""
    log_p, index = torch.log_softmax(_by_class(outputs), 1), targets.unsqueeze(1)
    gradient = log_p.exp().scatter_add_(1, index, torch.full_like(log_p[:, :1], -1.0))
    return -log_p.gather(1, index).squeeze(1), (gradient / outputs.shape[1]).transpose(1, 2)


def exact_cross_entropy(outputs: Tensor, targets: Tensor) -> Rows:
    """The gradient of `cross_entropy`, as `Rows`: p_j for each wrong class j, minus their sum for the right one.

    The usual form for the right class, p - 1, rounds to 0 as p nears 1; for a still surer answer p_j underflows, too.
    """
    return lanes_apart(_cross_entropy_rows, outputs, targets)[0]


def _cross_entropy_rows(outputs: Tensor, targets: Tensor) -> tuple[Rows]:
    index = targets.unsqueeze(1)
    log_p = torch.log_softmax(_by_class(outputs), 1).scatter(1, index, -torch.inf)
    top = log_p.amax(1, keepdim=True)
    exponent = (top / LN_2).ceil()
    # float64 has no digits left for what is below a power of two of 2**30 and more: then it counts as that power
    others = (log_p - torch.where(top.abs() < 2**30, exponent * LN_2, top)).exp()
    gradient = others.scatter(1, index, -others.sum(1, keepdim=True))
    return (Rows((gradient / outputs.shape[1]).transpose(1, 2), exponent.transpose(1, 2)),)


def _by_class(outputs: Tensor) -> Tensor:
    """`[K, O, N]`: reductions over few classes, one answer beside the other, take a fifth of the time."""
    return outputs.transpose(1, 2).contiguous()


LOSSES: dict[str, Loss] = {"mse": mse, "cross_entropy": cross_entropy}
EXACT: dict[str, Exact] = {"mse": exact_mse, "cross_entropy": exact_cross_entropy}


def share(weights: Tensor) -> Tensor:
    """What each answer counts in its lane's mean, `[K, N]`: its weight over the mean weight; 1 is an equal part.

    Multiplied with the loss of each answer, or its gradient, it turns the mean over all answers into the weighted one.
    """
    return weights / mean_weight(weights).unsqueeze(1)


def mean_weight(weights: Tensor) -> Tensor:
    """The mean weight of each lane's answers, `[K]`."""
    return torch.stack([lane.mean() for lane in weights])


def last_answer(weights: Tensor | None, like: Tensor, length: int) -> Tensor:
    """1 at the last answer of each sequence that counts in the loss, 0 at all others, `[K, T*B]`.

    Args:
        weights: of the answers; None: all count.
        like: a tensor `[K, T*B, ...]` of the dtype and on the device that is wanted.
    """
    counts = like.new_ones(like.shape[:2]) if weights is None else (weights > 0).to(like.dtype)
    counts = counts.unflatten(1, (length, -1))
    later = counts.flip(1).cumsum(1).flip(1)  # answers of the sequence from here on that count
    return (counts * (later == 1)).flatten(1)
