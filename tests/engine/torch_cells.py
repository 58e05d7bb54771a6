"""torch.nn's cells in float64 with the weights of a network: a truth that shares nothing with the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.other_cells import OTHERS


def cell_of(arch: str, p: dict[str, Tensor]) -> tuple[Any, Callable[[Tensor], Tensor]]:
    """torch.nn's cell with these weights, which it holds transposed, and what puts gate blocks into its order.

    Where torch.nn has none, that of `other_cells`.
    """
    if arch in OTHERS:
        return OTHERS[arch](p), lambda w: w
    inputs, hidden = len(p["weight_ih"]), len(p["weight_hh"])
    kinds = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}
    if arch in kinds:
        cell = kinds[arch](inputs, hidden, dtype=torch.float64)
    else:
        cell = torch.nn.RNNCell(inputs, hidden, nonlinearity=arch[4:], dtype=torch.float64)
    order = [0, 1, 3, 2] if arch == "lstm" else list(range(p["weight_hh"].shape[1] // hidden))

    def ordered(w: Tensor) -> Tensor:
        return torch.cat([w.chunk(len(order), -1)[at] for at in order], -1)

    bias_hh = torch.zeros_like(p["bias"])
    if arch == "gru":
        bias_hh[2 * hidden :] = p["bias_hn"]
    with torch.no_grad():
        cell.weight_ih.copy_(ordered(p["weight_ih"]).mT)
        cell.weight_hh.copy_(ordered(p["weight_hh"]).mT)
        cell.bias_ih.copy_(ordered(p["bias"]))
        cell.bias_hh.copy_(ordered(bias_hh))
    return cell, ordered
