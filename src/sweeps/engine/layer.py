"""A layer of a stack: one recurrence, or two that read the sequence from opposite ends (Schuster & Paliwal 1997)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.between import Between
from sweeps.engine.ends import at_end, reverse, reverse_rows, whole, whole_rows
from sweeps.engine.extended import Rows
from sweeps.engine.memory import over_time, zeros
from sweeps.engine.products import multiply
from sweeps.engine.recurrences import Recurrence, Sizes
from sweeps.engine.recurrences.base import Start


class Direction:
    """One recurrence of a layer, with its parameters and gradients under the names of its architecture.

    Attributes:
        h: its states of the last forward pass, `[K, T, B, H]`, in the order in which it read.
        started: the state from which that began, each part `[K, B, H]`; None: zeros.

    Args:
        states: number of tensors in its state.
    """

    h: Tensor
    started: Start

    def __init__(
        self, recurrence: Recurrence, p: Mapping[str, Tensor], grads: Mapping[str, Tensor], sizes: Sizes, states: int
    ) -> None:
        self.recurrence, self.p, self.grads, self.batch = recurrence, p, grads, sizes.batch
        self.states, self.made, self.d_start = states, None, None
        k, b, h, device = sizes.lanes, sizes.batch, sizes.hidden, sizes.device
        if "start_from" in p:
            self.made, self.d_made = (zeros(k, b, states * h, device=device) for _ in range(2))
        if "start" in p or self.made is not None:
            self.d_start = [zeros(k, b, h, device=device) for _ in range(states)]

    def forward(self, x: Tensor, keep: bool, start: Start) -> Tensor:
        """As `Recurrence.forward`; a start state that is learned goes before the one that is given.

        Args:
            start: where one is made from it, the vector of each sequence, `[K, B, C]`: the state is v W + b, with W
                `start_from` and b `start`, if that is learned, else 0.
        """
        if self.made is not None:
            assert start is not None
            self.vector = start[0]
            made = multiply(self.vector, self.p["start_from"], self.made)
            if "start" in self.p:
                made.add_(self.p["start"].unsqueeze(1))
            start = made.chunk(self.states, -1)
        elif "start" in self.p:
            start = [part.unsqueeze(1).expand(-1, self.batch, -1) for part in self.p["start"].chunk(self.states, -1)]
        self.started, self.h = start, self.recurrence.forward(self.p, x, keep, start)
        return self.h

    def backward(self, x: Tensor, dy: Tensor, dx: Tensor | None) -> None:
        """As `Recurrence.backward`."""
        self.recurrence.backward(self.p, x, dy, self.grads, None if dx is None else over_time(dx), self.d_start)
        if self.d_start is None:
            return
        if "start" in self.p:
            for part, found in zip(self.grads["start"].chunk(self.states, -1), self.d_start, strict=True):
                part.copy_(found.sum(1))
        if self.made is not None:
            torch.cat(self.d_start, -1, out=self.d_made)
            multiply(self.vector.transpose(1, 2), self.d_made, self.grads["start_from"])

    def through_time(self, dy: Rows, trace: Trace, below: bool) -> Rows | None:
        """As `Recurrence.through_time`."""
        return self.recurrence.through_time(self.p, dy, trace, below)


class Layer:
    """A map of whole sequences with its backward pass: x `[K, T*B, I]` -> y `[K, T, B, O]`.

    With two directions O = 2H: h_t of the recurrence that reads forwards beside that of the one that reads in reverse.

    Args:
        directions: one or two; the second reads from the last time step to the first.
        below: whether dL/dx is wanted by a layer below.
        between: what stands behind the recurrences; None: nothing.
        embedded: whether dL/dx is wanted by an embedding, in float32 alone.
    """

    def __init__(
        self,
        directions: Sequence[Direction],
        sizes: Sizes,
        below: bool,
        between: Between | None = None,
        embedded: bool = False,
    ) -> None:
        self.directions, self.hidden, self.below = list(directions), sizes.hidden, below
        self.between, self.shape = between, (sizes.length, sizes.batch)
        k, t, b, device = sizes.lanes, sizes.length, sizes.batch, sizes.device
        self.dx = zeros(k, t, b, sizes.inputs, device=device) if below or embedded else None
        if len(self.directions) == 1:
            return
        self.x_reverse, self.dx_reverse = (zeros(k, t, b, sizes.inputs, device=device) for _ in range(2))
        self.y, self.last = zeros(k, t, b, 2 * self.hidden, device=device), zeros(k, b, 2 * self.hidden, device=device)
        self.dy_last = [zeros(k, b, self.hidden, device=device) for _ in range(2)]
        self.dy = [zeros(k, t, b, self.hidden, device=device) for _ in range(2)]

    def forward(
        self,
        x: Tensor,
        keep: bool,
        start: Sequence[Start],
        mask: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """The outputs y, which the next forward pass overwrites.

        Args:
            keep, start: as for a recurrence, a start for each direction.
            mask: as for `Between`.
            lengths: of the sequences, as in `ends`.
        """
        self.lengths = lengths
        y = self._states(x, keep, start)
        return y if self.between is None else self.between.forward(y, x.unflatten(1, self.shape), mask)

    def _states(self, x: Tensor, keep: bool, start: Sequence[Start]) -> Tensor:
        self.x = x
        if len(self.directions) == 1:
            return self.directions[0].forward(x, keep, start[0])
        forwards, backwards = self.y.split(self.hidden, -1)
        forwards.copy_(self.directions[0].forward(x, keep, start[0]))
        self.x_reverse.copy_(reverse(x.unflatten(1, self.shape), self.lengths))
        backwards.copy_(reverse(self.directions[1].forward(over_time(self.x_reverse), keep, start[1]), self.lengths))
        return self.y

    def final(self, y: Tensor) -> Tensor:
        """The outputs of each direction after its own last time step, `[K, B, O]`: what torch.nn calls h_n."""
        forwards = at_end(y[..., : self.hidden], self.lengths)
        if len(self.directions) == 1:
            return forwards
        return torch.cat([forwards, y[:, 0, :, self.hidden :]], -1, out=self.last)

    def backward(self, dy: Tensor) -> Tensor | None:
        """Backward pass in float32; returns dL/dx, `[K, T, B, I]`, if it is wanted.

        Args:
            dy: dL/dy, `[K, T, B, O]`, or that of `final` alone, `[K, B, O]`. It is overwritten.
        """
        if self.between is not None or self.lengths is not None:
            dy = whole(dy, self.shape[0], self.hidden, self.lengths)
        if self.between is None:
            return self._backward(dy)
        dx = self._backward(self.between.backward(dy))
        return dx.add_(dy) if dx is not None and self.between.residual else dx

    def _backward(self, dy: Tensor) -> Tensor | None:
        if len(self.directions) == 1:
            self.directions[0].backward(self.x, dy, self.dx)
            return self.dx
        forwards, backwards = dy.split(self.hidden, -1)
        own = self.dy if dy.dim() == 4 else self.dy_last
        own[0].copy_(forwards)
        own[1].copy_(reverse(backwards, self.lengths) if dy.dim() == 4 else backwards)
        self.directions[0].backward(self.x, own[0], self.dx)
        self.directions[1].backward(over_time(self.x_reverse), own[1], None if self.dx is None else self.dx_reverse)
        return None if self.dx is None else self.dx.add_(reverse(self.dx_reverse, self.lengths))

    def through_time(self, dy: Rows, traces: Sequence[Trace]) -> Rows | None:
        """Backward pass in float64; records each dL/dh_t, one trace for each direction, and returns dL/dx if wanted.

        In the trace of the second direction t counts its own time steps: t = 0 is the last of the sequence.
        """
        if self.between is not None or self.lengths is not None:
            dy = whole_rows(dy, self.shape[0], self.hidden, self.lengths)
        if self.between is None:
            return self._through_time(dy, traces)
        dx = self._through_time(self.between.exact_backward(dy), traces)
        return dx.settled() + dy.settled() if dx is not None and self.between.residual else dx

    def _through_time(self, dy: Rows, traces: Sequence[Trace]) -> Rows | None:
        if len(self.directions) == 1:
            return self.directions[0].through_time(dy, traces[0], self.below)
        n = self.hidden
        backwards = dy.columns(n, 2 * n)
        own = dy.columns(0, n), backwards if dy.value.dim() == 3 else reverse_rows(backwards, self.lengths)
        found = [
            each.through_time(part, trace, self.below)
            for each, part, trace in zip(self.directions, own, traces, strict=True)
        ]
        if found[0] is None or found[1] is None:
            return None
        return found[0].settled() + reverse_rows(found[1], self.lengths).settled()
