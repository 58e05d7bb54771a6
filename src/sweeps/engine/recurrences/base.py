"""The interface of a recurrence: an architecture over all time steps of K lanes at once, and its backward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows


@dataclass(frozen=True)
class Sizes:
    """The sizes of a pack, equal in all its lanes."""

    lanes: int  # K
    length: int  # T
    batch: int  # B
    inputs: int  # I
    hidden: int  # H
    device: torch.device | str = "cpu"
    truncate: int = 0  # time steps after which the gradient is cut, counted from the end; 0: never

    def cut_before(self, t: int) -> bool:
        """Whether the gradient is cut between time steps t and t - 1: truncated back-propagation (Werbos 1990)."""
        return self.truncate > 0 and (self.length - t) % self.truncate == 0


class Recurrence(Protocol):
    """A recurrence over K lanes; `p` and `grads` hold the parameters of its architecture, each `[K, *shape]`."""

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False) -> Tensor:
        """Forward pass over `x [K, T*B, I]`, time outermost, from h_{-1} = 0; stores what `backward` needs.

        Args:
            keep: store the pre-activations as well, for `through_time`.

        Returns:
            h_{T-1}, `[K, B, H]`.
        """

    def backward(self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor]) -> None:
        """Backward pass in float32 from `dh = dL/dh_{T-1} [K, B, H]`, which is overwritten; writes `grads`."""

    def through_time(self, p: Mapping[str, Tensor], dh: Rows, trace: Trace) -> None:
        """Backward pass in float64 along the pre-activations that `forward` stored; records each dL/dh_t in `trace`.

        It is called before `backward` and changes nothing that `backward` reads.
        """
