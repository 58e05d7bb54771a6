"""A recurrence as its definition says: it runs the time step of its architecture, and autograd differentiates that.

Each time step is an autograd graph of its own, cut at the state that enters it; the adjoint is passed from graph to
graph here. So every dL/dh_t is available, and the graphs stay small. For the trace each time step is computed again in
float64, with derivatives of tanh and sigmoid computed from their arguments; those of other functions are autograd's.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sweeps.config.schema import Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Architecture, State
from sweeps.engine.exact_slopes import ExactSlopes
from sweeps.engine.extended import Rows
from sweeps.engine.memory import in_float64, zeros
from sweeps.engine.recurrences.base import Sizes


class Autograd:
    """The `Recurrence` of an architecture.

    Args:
        options: of the choice, equal in all lanes where the time step takes them.
    """

    def __init__(self, sizes: Sizes, architecture: Architecture, options: Mapping[str, Value]) -> None:
        self.sizes, self.states, self.step = sizes, architecture.states, architecture.step_with(options)
        self.names = tuple(architecture.parameters_with(sizes.inputs, sizes.hidden, options))
        self._steps: list[tuple[State, State]] = []  # (state before, a leaf; state after), per time step
        self._inputs: tuple[Tensor, ...] = ()
        self._leaves: dict[str, Tensor] = {}

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False) -> Tensor:
        s = self.sizes
        self._leaves = {name: value.detach().requires_grad_() for name, value in p.items() if name in self.names}
        self._inputs = x.unflatten(1, (s.length, s.batch)).unbind(1)
        self._steps = []
        state: State = tuple(zeros(s.lanes, s.batch, s.hidden, device=s.device) for _ in range(self.states))
        for x_t in self._inputs:
            before = tuple(part.detach().requires_grad_() for part in state)
            with torch.enable_grad():
                state = self.step(self._leaves, x_t, before)
            self._steps.append((before, state))
        return state[0].detach()

    def backward(self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor]) -> None:
        names = list(self._leaves)
        for name in names:
            grads[name].zero_()
        adjoint: State = (dh, *(torch.zeros_like(dh) for _ in range(self.states - 1)))
        for t in reversed(range(self.sizes.length)):
            before, after = self._steps.pop()
            inputs = [*before, *(self._leaves[name] for name in names)]
            gradients = torch.autograd.grad(after, inputs, adjoint, materialize_grads=True)
            adjoint = gradients[: self.states]
            for name, delta in zip(names, gradients[self.states :], strict=True):
                grads[name].add_(delta)
            if self.sizes.cut_before(t):
                adjoint = tuple(torch.zeros_like(part) for part in adjoint)

    def through_time(self, p: Mapping[str, Tensor], dh: Rows, trace: Trace) -> None:
        """Compute each time step again in float64 from its stored state; all parts of the state share an exponent."""
        weights = {name: in_float64(value.detach()) for name, value in self._leaves.items()}
        width = self.sizes.hidden
        adjoint = Rows(torch.cat([dh.value, *[torch.zeros_like(dh.value)] * (self.states - 1)], -1), dh.exponent)
        for t in reversed(range(self.sizes.length)):
            adjoint = adjoint.settled()
            trace.note(t, adjoint.first(width).settled())
            before = tuple(in_float64(part).requires_grad_() for part in self._steps[t][0])
            with torch.enable_grad(), ExactSlopes():
                after = self.step(weights, self._inputs[t].double(), before)
            gradients = torch.autograd.grad(after, before, adjoint.value.split(width, -1), materialize_grads=True)
            adjoint = Rows(torch.cat(gradients, -1), adjoint.exponent)
            if self.sizes.cut_before(t):
                adjoint = adjoint.nothing()
