"""A layer of a stack: one recurrence, or two that read the sequence from opposite ends (Schuster & Paliwal 1997)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.between import Between
from sweeps.engine.extended import Rows
from sweeps.engine.memory import over_time, zeros
from sweeps.engine.recurrences import Recurrence, Sizes
from sweeps.engine.recurrences.base import Start


class Direction:
    """One recurrence of a layer, with its parameters and gradients under the names of its architecture.

    Args:
        states: number of tensors in its state.
    """

    def __init__(
        self, recurrence: Recurrence, p: Mapping[str, Tensor], grads: Mapping[str, Tensor], sizes: Sizes, states: int
    ) -> None:
        self.recurrence, self.p, self.grads, self.batch = recurrence, p, grads, sizes.batch
        self.learned = list(p["start"].chunk(states, -1)) if "start" in p else None
        self.d_start = None
        if self.learned is not None:
            self.d_start = [zeros(sizes.lanes, sizes.batch, sizes.hidden, device=sizes.device) for _ in range(states)]

    def forward(self, x: Tensor, keep: bool, start: Start) -> Tensor:
        """As `Recurrence.forward`; a start state that is learned goes before the one that is given."""
        if self.learned is not None:
            start = [part.unsqueeze(1).expand(-1, self.batch, -1) for part in self.learned]
        return self.recurrence.forward(self.p, x, keep, start)

    def backward(self, x: Tensor, dy: Tensor, dx: Tensor | None) -> None:
        """As `Recurrence.backward`."""
        self.recurrence.backward(self.p, x, dy, self.grads, None if dx is None else over_time(dx), self.d_start)
        if self.d_start is not None:
            for part, found in zip(self.grads["start"].chunk(len(self.d_start), -1), self.d_start, strict=True):
                part.copy_(found.sum(1))

    def through_time(self, dy: Rows, trace: Trace, below: bool) -> Rows | None:
        """As `Recurrence.through_time`."""
        return self.recurrence.through_time(self.p, dy, trace, below)


class Layer:
    """A map of whole sequences with its backward pass: x `[K, T*B, I]` -> y `[K, T, B, O]`.

    With two directions O = 2H: h_t of the recurrence that reads forwards beside that of the one that reads in reverse.

    Args:
        directions: one or two; the second reads from the last time step to the first.
        below: whether dL/dx is wanted.
        between: what stands behind the recurrences; None: nothing.
    """

    def __init__(
        self, directions: Sequence[Direction], sizes: Sizes, below: bool, between: Between | None = None
    ) -> None:
        self.directions, self.hidden, self.below = list(directions), sizes.hidden, below
        self.between, self.shape = between, (sizes.length, sizes.batch)
        k, t, b, device = sizes.lanes, sizes.length, sizes.batch, sizes.device
        self.dx = zeros(k, t, b, sizes.inputs, device=device) if below else None
        if len(self.directions) == 1:
            return
        self.x_reverse, self.dx_reverse = (zeros(k, t, b, sizes.inputs, device=device) for _ in range(2))
        self.y, self.last = zeros(k, t, b, 2 * self.hidden, device=device), zeros(k, b, 2 * self.hidden, device=device)
        self.dy_last = [zeros(k, b, self.hidden, device=device) for _ in range(2)]
        self.dy = [zeros(k, t, b, self.hidden, device=device) for _ in range(2)]

    def forward(self, x: Tensor, keep: bool, start: Sequence[Start], mask: Tensor | None = None) -> Tensor:
        """The outputs y, which the next forward pass overwrites.

        Args:
            keep, start: as for a recurrence, a start for each direction.
            mask: as for `Between`.
        """
        y = self._states(x, keep, start)
        return y if self.between is None else self.between.forward(y, x.unflatten(1, self.shape), mask)

    def _states(self, x: Tensor, keep: bool, start: Sequence[Start]) -> Tensor:
        self.x = x
        if len(self.directions) == 1:
            return self.directions[0].forward(x, keep, start[0])
        forwards, reverse = self.y.split(self.hidden, -1)
        forwards.copy_(self.directions[0].forward(x, keep, start[0]))
        self.x_reverse.copy_(x.unflatten(1, self.shape).flip(1))
        reverse.copy_(self.directions[1].forward(over_time(self.x_reverse), keep, start[1]).flip(1))
        return self.y

    def final(self, y: Tensor) -> Tensor:
        """The outputs of each direction after its own last time step, `[K, B, O]`: what torch.nn calls h_n."""
        if len(self.directions) == 1:
            return y[:, -1]
        forwards, reverse = y.split(self.hidden, -1)
        return torch.cat([forwards[:, -1], reverse[:, 0]], -1, out=self.last)

    def backward(self, dy: Tensor) -> Tensor | None:
        """Backward pass in float32; returns dL/dx, `[K, T, B, I]`, if it is wanted.

        Args:
            dy: dL/dy, `[K, T, B, O]`, or that of `final` alone, `[K, B, O]`. It is overwritten.
        """
        if self.between is None:
            return self._backward(dy)
        dy = self.between.whole(dy)
        dx = self._backward(self.between.backward(dy))
        return dx.add_(dy) if dx is not None and self.between.residual else dx

    def _backward(self, dy: Tensor) -> Tensor | None:
        if len(self.directions) == 1:
            self.directions[0].backward(self.x, dy, self.dx)
            return self.dx
        forwards, reverse = dy.split(self.hidden, -1)
        own = self.dy if dy.dim() == 4 else self.dy_last
        own[0].copy_(forwards)
        own[1].copy_(reverse.flip(1) if dy.dim() == 4 else reverse)
        self.directions[0].backward(self.x, own[0], self.dx)
        self.directions[1].backward(over_time(self.x_reverse), own[1], self.dx_reverse if self.below else None)
        return None if self.dx is None else self.dx.add_(self.dx_reverse.flip(1))

    def through_time(self, dy: Rows, traces: Sequence[Trace]) -> Rows | None:
        """Backward pass in float64; records each dL/dh_t, one trace for each direction, and returns dL/dx if wanted.

        In the trace of the second direction t counts its own time steps: t = 0 is the last of the sequence.
        """
        if self.between is None:
            return self._through_time(dy, traces)
        dy = Rows(self.between.whole(dy.value), self.between.whole_exponents(dy.exponent))
        dx = self._through_time(self.between.exact_backward(dy), traces)
        return dx.settled() + dy.settled() if dx is not None and self.between.residual else dx

    def _through_time(self, dy: Rows, traces: Sequence[Trace]) -> Rows | None:
        if len(self.directions) == 1:
            return self.directions[0].through_time(dy, traces[0], self.below)
        n = self.hidden
        own = dy.columns(0, n), dy.columns(n, 2 * n) if dy.value.dim() == 3 else dy.columns(n, 2 * n).reverse()
        found = [
            each.through_time(part, trace, self.below)
            for each, part, trace in zip(self.directions, own, traces, strict=True)
        ]
        if found[0] is None or found[1] is None:
            return None
        return found[0].settled() + found[1].reverse().settled()
