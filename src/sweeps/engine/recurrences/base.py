"""The interface of a recurrence: an architecture over all time steps of K lanes at once, and its backward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows
from sweeps.engine.memory import by_time

Start = Sequence[Tensor] | None
"""The state before the first time step, `[K, B, H]` for each of its tensors, h first."""


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
    source: int = 0  # S, the first time steps, which an encoder reads and attention looks at; 0: there is no source

    def cut_before(self, t: int) -> bool:
        """Whether the gradient is cut between time steps t and t - 1: truncated back-propagation (Werbos 1990)."""
        return self.truncate > 0 and t > 0 and (self.length - t) % self.truncate == 0


@dataclass
class Joint:
    """The adjoint at the ends of a recurrence that another one follows, or that starts where another one ended.

    Attributes:
        later: dL/d(end state) that comes through the recurrence behind, for each of the state's tensors but h, whose
            part is in `dy`; (): nothing follows.
        start: dL/d(start state), for each of its tensors, h first; `through_time` writes it.
    """

    later: Sequence[Rows] = ()
    start: Sequence[Rows] = ()


class Recurrence(Protocol):
    """A recurrence over K lanes; `p` and `grads` hold the parameters of its architecture, each `[K, *shape]`."""

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        """Forward pass over `x [K, T*B, I]`, time outermost; stores what `backward` needs.

        Args:
            keep: store the pre-activations as well, for `through_time`.
            start: the state before the first time step; None: zeros.

        Returns:
            h_0 .. h_{T-1}, `[K, T, B, H]`, which the next forward pass overwrites.
        """

    def end(self) -> tuple[Tensor, ...]:
        """The state after the last time step of the last forward pass: what a stream carries on."""

    def backward(
        self,
        p: Mapping[str, Tensor],
        x: Tensor,
        dy: Tensor,
        grads: Mapping[str, Tensor],
        dx: Tensor | None = None,
        d_start: Start = None,
        d_end: Start = None,
    ) -> None:
        """Backward pass in float32; writes `grads`.

        Args:
            dy: what the loss passes down to the states, and not through later ones: to h_{T-1} alone, `[K, B, H]`, or
                to each, `[K, T, B, H]`. It is overwritten.
            dx: where dL/dx is written, `[K, T*B, I]`; None: nobody asks for it.
            d_start: where the gradient with respect to the start state is written; None: nobody asks for it.
            d_end: the gradient with respect to the end state that comes through a recurrence behind, for each of its
                tensors but h, whose part is in `dy`; None: nothing follows.
        """

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        """Backward pass in float64 along the pre-activations that `forward` stored; records each dL/dh_t in `trace`.

        It is called before `backward` and changes nothing that `backward` reads.

        Args:
            dy: as for `backward`, with a power of two for each sequence of each time step.
            below: whether dL/dx is wanted.
            joint: what passes between this recurrence and others in time; None: it stands alone.

        Returns:
            dL/dx, `[K, T, B, I]`, if `below`.
        """


def put_start(start: Start, *buffers: Tensor) -> None:
    """Write the start state, zeros for None, to place 0 of the buffers `[K, T+1, B, H]`."""
    for n, buffer in enumerate(buffers):
        if start is None:
            buffer[:, 0].zero_()
        else:
            buffer[:, 0] = start[n]


def last_and_others(dy: Tensor) -> tuple[Tensor, Sequence[Tensor]]:
    """dL/dh_{T-1} as it comes from above, and what comes from above to h_t at place t; () where that is nothing."""
    return (dy[:, -1], by_time(dy)) if dy.dim() == 4 else (dy, ())
