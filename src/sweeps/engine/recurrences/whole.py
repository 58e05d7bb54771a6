"""A layer that is no recurrence, in the place of one: autograd differentiates its map of whole sequences.

dL/dh_t is what comes from above to the layer's output at t, and nothing comes to it from later steps.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sweeps.config.schema import Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Architecture
from sweeps.engine.ends import whole, whole_rows
from sweeps.engine.exact_slopes import ExactSlopes
from sweeps.engine.extended import Rows
from sweeps.engine.memory import in_float64, zeros
from sweeps.engine.recurrences.base import Joint, Sizes, Start


class Whole:
    """The `Recurrence` of an architecture with `whole`; it has no state to start from or to end in.

    Args:
        options: of the choice, equal in all lanes where `whole` takes them.
    """

    def __init__(self, sizes: Sizes, architecture: Architecture, options: Mapping[str, Value]) -> None:
        self.sizes, self.whole = sizes, architecture.whole_with(options)
        self.h = zeros(sizes.lanes, sizes.length, sizes.batch, sizes.hidden, device=sizes.device)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        self._leaves = {name: value.detach().requires_grad_() for name, value in p.items()}
        self._x = x.detach().unflatten(1, (self.sizes.length, self.sizes.batch)).requires_grad_()
        with torch.enable_grad():
            self._y = self.whole(self._leaves, self._x)
        return self.h.copy_(self._y.detach())

    def end(self) -> tuple[Tensor, ...]:
        return ()

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
        given = whole(dy, self.sizes.length, self.sizes.hidden, None)
        wanted = [*self._leaves.values(), *([self._x] if dx is not None else [])]
        found = torch.autograd.grad(self._y, wanted, given, materialize_grads=True)
        for name, gradient in zip(self._leaves, found, strict=False):
            grads[name].copy_(gradient)
        if dx is not None:
            dx.copy_(found[-1].flatten(1, 2))

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        """Compute the outputs again in float64; all time steps of a sequence share a power of two on the way down."""
        given = whole_rows(dy, self.sizes.length, self.sizes.hidden, None).settled()
        for t in range(self.sizes.length):
            trace.note(t, given.at(t))
        if not below:
            return None
        weights = {name: in_float64(value.detach()) for name, value in self._leaves.items()}
        x = self._x.detach().double().requires_grad_()
        with torch.enable_grad(), ExactSlopes():
            y = self.whole(weights, x)
        top = given.exponent.amax(1, keepdim=True)
        [found] = torch.autograd.grad(y, [x], given.down_to(top))
        return Rows(found, top.expand_as(given.exponent))
