"""A recurrence as its definition says: it runs the time step of its architecture, and autograd differentiates that.

The backward pass goes through the graph of the whole sequence at once. For the trace each time step is computed again
in float64, cut at the state that enters it, so that every dL/dh_t is at hand and has an exponent; derivatives of tanh
and sigmoid are computed from their arguments there, those of other functions are autograd's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sweeps.config.schema import Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Architecture, State
from sweeps.engine.exact_slopes import ExactSlopes
from sweeps.engine.extended import Rows, in_order, side_by_side
from sweeps.engine.memory import by_time, in_float64, zeros
from sweeps.engine.recurrences.base import Joint, Sizes, Start


class Autograd:
    """The `Recurrence` of an architecture.

    Args:
        options: of the choice, equal in all lanes where the time step takes them.
    """

    def __init__(self, sizes: Sizes, architecture: Architecture, options: Mapping[str, Value]) -> None:
        self.sizes, self.states, self.step = sizes, architecture.states, architecture.step_with(options)
        self.prepared = architecture.prepare_with(options)
        self.names = tuple(architecture.parameters_with(sizes.inputs, sizes.hidden, options))
        self._leaves: dict[str, Tensor] = {}
        self._start: State = ()
        self._before: list[State] = []  # the state before each time step, in the graph
        self._h: list[Tensor] = []  # h_0 .. h_{T-1}, in the graph
        self._after: State = ()  # the state after the last step
        self.h = zeros(sizes.lanes, sizes.length, sizes.batch, sizes.hidden, device=sizes.device)

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        s = self.sizes
        if start is None:
            start = tuple(zeros(s.lanes, s.batch, s.hidden, device=s.device) for _ in range(self.states))
        self._leaves = {name: value.detach().requires_grad_() for name, value in p.items() if name in self.names}
        self._x = x.detach().unflatten(1, (s.length, s.batch)).requires_grad_()
        self._start = state = tuple(part.detach().requires_grad_() for part in start)
        self._before, self._h = [], []
        with torch.enable_grad():
            made = self.prepared(self._leaves)
            for t, x_t in enumerate(by_time(self._x)):
                if s.cut_before(t):
                    state = tuple(part.detach() for part in state)
                self._before.append(state)
                state = self.step(made, x_t, state)
                self._h.append(state[0])
        self._after = state
        for mine, h_t in zip(by_time(self.h), self._h, strict=True):
            mine.copy_(h_t.detach())
        return self.h

    def end(self) -> tuple[Tensor, ...]:
        return tuple(part.detach() for part in self._after)

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
        every = dy.dim() == 4
        outputs = [*(self._h if every else self._h[-1:]), *(self._after[1:] if d_end else ())]
        given = [*(by_time(dy) if every else [dy]), *(d_end or ())]
        targets = [*(grads[name] for name in self._leaves), *(d_start or ())]
        wanted = [*self._leaves.values(), *(self._start if d_start else ())]
        if dx is not None:
            targets.append(dx.unflatten(1, (self.sizes.length, self.sizes.batch)))
            wanted.append(self._x)
        for target, found in zip(targets, _gradients(outputs, wanted, given), strict=True):
            target.copy_(found)

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
            before = tuple(in_float64(part.detach()).requires_grad_() for part in self._before[t])
            x_t = self._x[:, t].detach().double().requires_grad_()
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


def _gradients(after: Sequence[Tensor], inputs: Sequence[Tensor], adjoint: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The gradients of the inputs; a part of the state may be a constant for them, such as a stabiliser."""
    parts = [(part, given) for part, given in zip(after, adjoint, strict=True) if part.requires_grad]
    outputs, given = zip(*parts, strict=True)
    return torch.autograd.grad(outputs, inputs, given, materialize_grads=True)
