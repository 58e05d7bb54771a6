"""A recurrence as its definition says: it runs the time step of its architecture, and autograd differentiates that.

Each time step is an autograd graph of its own, cut at the state that enters it; the adjoint is passed from graph to
graph here. So every dL/dh_t is available, and the graphs stay small. For the trace each time step is computed again in
float64, with derivatives of tanh and sigmoid computed from their arguments; those of other functions are autograd's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sweeps.config.schema import Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Architecture, State
from sweeps.engine.architectures.base import Weights
from sweeps.engine.exact_slopes import ExactSlopes
from sweeps.engine.extended import Rows, in_order, side_by_side
from sweeps.engine.memory import by_time, in_float64, zeros
from sweeps.engine.recurrences.base import Joint, Sizes, Start, last_and_others


class Autograd:
    """The `Recurrence` of an architecture.

    Args:
        options: of the choice, equal in all lanes where the time step takes them.
    """

    def __init__(self, sizes: Sizes, architecture: Architecture, options: Mapping[str, Value]) -> None:
        self.sizes, self.states, self.step = sizes, architecture.states, architecture.step_with(options)
        self.prepared = architecture.prepare_with(options)
        self.names = tuple(architecture.parameters_with(sizes.inputs, sizes.hidden, options))
        self._steps: list[tuple[State, State]] = []  # (state before, a leaf; state after), per time step
        self._inputs: tuple[Tensor, ...] = ()
        self._leaves: dict[str, Tensor] = {}
        self._made: Weights = {}  # what the time steps take, made from these
        self._used: dict[str, Tensor] = {}  # the same, leaves of the graphs of the time steps
        self._end: State = ()
        self.h = zeros(sizes.lanes, sizes.length, sizes.batch, sizes.hidden, device=sizes.device)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        s = self.sizes
        self._leaves = {name: value.detach().requires_grad_() for name, value in p.items() if name in self.names}
        with torch.enable_grad():
            self._made = self.prepared(self._leaves)
        self._used = {name: value.detach().requires_grad_() for name, value in self._made.items()}
        self._inputs = tuple(x_t.detach().requires_grad_() for x_t in x.unflatten(1, (s.length, s.batch)).unbind(1))
        self._steps = []
        if start is None:
            start = tuple(zeros(s.lanes, s.batch, s.hidden, device=s.device) for _ in range(self.states))
        state: State = tuple(start)
        for t, x_t in enumerate(self._inputs):
            before = tuple(part.detach().requires_grad_() for part in state)
            with torch.enable_grad():
                state = self.step(self._used, x_t, before)
            self._steps.append((before, state))
            self.h[:, t] = state[0].detach()
        self._end = tuple(part.detach() for part in state)
        return self.h

    def end(self) -> tuple[Tensor, ...]:
        return self._end

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
        (dh, above), names = last_and_others(dy), list(self._used)
        down = () if dx is None else by_time(dx.unflatten(1, (self.sizes.length, self.sizes.batch)))
        sums = {name: torch.zeros_like(value) for name, value in self._used.items()}
        adjoint: State = (dh, *(d_end or (torch.zeros_like(dh) for _ in range(self.states - 1))))
        for t in reversed(range(self.sizes.length)):
            before, after = self._steps.pop()
            inputs = [*before, *self._used.values(), *([self._inputs[t]] if down else [])]
            gradients = _gradients(after, inputs, adjoint)
            adjoint = gradients[: self.states]
            for name, delta in zip(names, gradients[self.states :], strict=False):
                sums[name].add_(delta)
            if down:
                down[t].copy_(gradients[-1])
            if self.sizes.cut_before(t):
                adjoint = tuple(torch.zeros_like(part) for part in adjoint)
            if above and t > 0:
                adjoint = (adjoint[0] + above[t - 1], *adjoint[1:])
        for name, found in self._to_parameters(sums).items():
            grads[name].copy_(found)
        for part, found in zip(d_start or (), adjoint, strict=False):
            part.copy_(found)

    def _to_parameters(self, sums: dict[str, Tensor]) -> dict[str, Tensor]:
        """The gradient of the parameters from that of what was made from them."""
        if self._made is self._leaves:
            return sums
        found = torch.autograd.grad(
            [self._made[name] for name in sums], [*self._leaves.values()], [*sums.values()], materialize_grads=True
        )
        return dict(zip(self._leaves, found, strict=True))

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        """Compute each time step again in float64 from its stored state; all parts of the state share an exponent."""
        dh, above = dy.last_and_others()
        dx: list[Rows] = []
        weights = self.prepared({name: in_float64(value.detach()) for name, value in self._leaves.items()})
        width = self.sizes.hidden
        adjoint = self._as_state(dh)
        if joint is not None and joint.later:
            adjoint = side_by_side(dh.settled(), *joint.later)
        for t in reversed(range(self.sizes.length)):
            adjoint = adjoint.settled()
            trace.note(t, adjoint.columns(0, width).settled())
            before = tuple(in_float64(part).requires_grad_() for part in self._steps[t][0])
            x_t = self._inputs[t].detach().double().requires_grad_()
            with torch.enable_grad(), ExactSlopes():
                after = self.step(weights, x_t, before)
            inputs = [*before, x_t] if below else before
            gradients = _gradients(after, inputs, adjoint.value.split(width, -1))
            if below:
                dx.append(Rows(gradients[-1], adjoint.exponent))
            adjoint = Rows(torch.cat(gradients[: self.states], -1), adjoint.exponent)
            if self.sizes.cut_before(t):
                adjoint = adjoint.nothing()
            if above is not None and t > 0:
                adjoint = adjoint.settled() + self._as_state(above.at(t - 1).settled())
        if joint is not None:
            joint.start = tuple(adjoint.columns(n * width, (n + 1) * width).settled() for n in range(self.states))
        return in_order(dx) if below else None

    def _as_state(self, dh: Rows) -> Rows:
        """dL/dh_t beside zeros for the other parts of the state, `[K, B, states * H]`."""
        return Rows(torch.cat([dh.value, *[torch.zeros_like(dh.value)] * (self.states - 1)], -1), dh.exponent)


def _gradients(after: State, inputs: Sequence[Tensor], adjoint: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The gradients of the inputs; a part of the state may be a constant for them, such as a stabiliser."""
    parts = [(part, given) for part, given in zip(after, adjoint, strict=True) if part.requires_grad]
    outputs, given = zip(*parts, strict=True)
    return torch.autograd.grad(outputs, inputs, given, materialize_grads=True)
