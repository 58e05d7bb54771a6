"""The networks of a pack: recurrences one above the other, a linear readout, a loss. Training is in `train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from sweeps.config.schema import Stack, Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Parameter, architecture
from sweeps.engine.between import Between, Norm, norm_parameters
from sweeps.engine.extended import Rows
from sweeps.engine.layer import Direction, Layer
from sweeps.engine.losses import EXACT, LOSSES, last_answer, share
from sweeps.engine.memory import over_time
from sweeps.engine.parameters import Parameters
from sweeps.engine.products import multiply
from sweeps.engine.readout import Readout
from sweeps.engine.recurrences import Sizes, build, choose
from sweeps.engine.recurrences.base import Start
from sweeps.engine.recurrences.native import native_products

PARTS = ("h", "c")
"""The names of a state's tensors in the parameter `start`, as far as they have any."""


class Network:
    """K networks of one shape: layers one above the other, then a linear readout.

    Attributes:
        p: the parameters, those of the lowest layer first. Layer 0 has the names of its architecture, layer n those
            with `_ln` behind and the direction that reads backwards those with `_reverse`, as torch.nn has them.
        grads: their gradients, under the same names.
        traced: layer and direction (0; 1 reads backwards) of each trace, in the order of `traces`.

    Args:
        options: of the architecture, equal in all lanes.
        stack: how many layers, in how many directions, from which start state, with which readout.
        every: whether the task has a target at every time step.
    """

    def __init__(
        self,
        arch: str,
        sizes: Sizes,
        outputs: int,
        loss: str,
        kernel: str = "auto",
        options: Mapping[str, Value] | None = None,
        stack: Stack | None = None,
        every: bool = False,
    ) -> None:
        self.arch, self.sizes, self.outputs, self.loss_name, self.every = arch, sizes, outputs, loss, every
        self.kernel = choose(arch, kernel, sizes.device)
        self.options, self.stack = dict(options or {}), stack or Stack()
        self.states, self.directions = architecture(arch).states, self.stack.directions
        self.traced = [(n, d) for n in range(self.stack.layers) for d in range(self.directions)]
        shapes = {name: parameter.shape for name, parameter in self.parameters(self.options).items()}
        self.p = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        self.grads = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        self.layers = [self._layer(n) for n in range(self.stack.layers)]
        product = native_products if self.kernel == "native" else multiply
        kind, width = "every" if every else self.stack.readout, self.directions * sizes.hidden
        self.readout = Readout(kind, sizes, width, self.p, self.grads, product)

    def parameters(self, options: Mapping[str, Value]) -> dict[str, Parameter]:
        """The parameters of a lane with these options of the architecture, and how they are drawn."""
        out: dict[str, Parameter] = {}
        for n, direction in self.traced:
            own = self._own(self._inputs(n).inputs, options)
            out |= {name + suffix(n, direction): parameter for name, parameter in own.items()}
            if direction == self.directions - 1 and self._normed(n):
                norm = norm_parameters(self.directions * self.sizes.hidden)
                out |= {name + suffix(n): parameter for name, parameter in norm.items()}
        out["weight_out"] = Parameter((self.directions * self.sizes.hidden, self.outputs), "input")
        out["bias_out"] = Parameter((self.outputs,))
        return out

    @property
    def state_width(self) -> int:
        """Columns of the states of all layers and directions beside each other, S."""
        return len(self.traced) * self.states * self.sizes.hidden

    def forward(
        self, x: Tensor, start: Tensor | None = None, keep: bool = False, masks: Sequence[Tensor] = ()
    ) -> Tensor:
        """Outputs for `x [K, T*B, I]`: `[K, B, O]`, or `[K, T*B, O]` where every time step has an answer.

        Args:
            start: the start states of all layers and directions beside each other, `[K, B, S]`; None: zeros, or what
                is learned.
            keep: store the pre-activations that the trace needs.
            masks: of dropout, `[K, T, B, O]` for each layer but the highest; (): no dropout.
        """
        starts = self._starts(start)
        for n, layer in enumerate(self.layers):
            mask = masks[n] if n < len(masks) else None
            y = layer.forward(x, keep, starts[n * self.directions : (n + 1) * self.directions], mask)
            x = over_time(y)
        return self.readout.forward(y, self.layers[-1].final(y))

    def end(self) -> Tensor:
        """The states after the last time step of the last forward pass, as `start` takes them, `[K, B, S]`."""
        each = [direction.recurrence.end() for layer in self.layers for direction in layer.directions]
        return torch.cat([part for state in each for part in state], -1)

    def loss(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each answer `[K, S*B]`, and the gradient of each lane's mean with respect to the outputs."""
        return LOSSES[self.loss_name](outputs, targets)

    def gradients(
        self,
        x: Tensor,
        targets: Tensor,
        traces: Sequence[Trace] = (),
        totals: Sequence[Trace] = (),
        weights: Tensor | None = None,
        start: Tensor | None = None,
        masks: Sequence[Tensor] = (),
    ) -> Tensor:
        """Forward and backward on one batch; writes `.grads`, returns the mean loss of each lane, `[K]`.

        Args:
            targets: `[K, B, ...]`, or `[K, T*B, ...]` where every time step has an answer.
            traces, totals, weights: as for `through_time`. `.grads` are the same bits with traces and without.
            start, masks: as for `forward`.
        """
        each, d_out = self.loss(self.forward(x, start, bool(traces), masks), targets)
        if traces:
            self._fill(traces, totals, targets, weights)
        if weights is not None:
            shares = share(weights)
            each, d_out = each * shares, d_out * shares.unsqueeze(-1)
        dy: Tensor | None = self.readout.backward(d_out)
        for layer in reversed(self.layers):
            assert dy is not None
            dy = layer.backward(dy)
        return each.mean(1)

    def through_time(
        self,
        x: Tensor,
        targets: Tensor,
        traces: Sequence[Trace],
        totals: Sequence[Trace] = (),
        weights: Tensor | None = None,
        start: Tensor | None = None,
        masks: Sequence[Tensor] = (),
    ) -> None:
        """Record the gradient through time on one batch; changes neither `.p` nor `.grads`.

        Args:
            traces: one for each of `.traced`: the gradient of the loss of each sequence's last answer.
            totals: the same for the loss of all answers; only where every time step has one.
            weights: of the answers in the loss, `[K, T*B]`; None: all equal.
            start, masks: as for `forward`.
        """
        self.forward(x, start, True, masks)
        self._fill(traces, totals, targets, weights)

    def _fill(self, traces: Sequence[Trace], totals: Sequence[Trace], targets: Tensor, weights: Tensor | None) -> None:
        """Backward passes in float64: outputs and loss are computed again from the states."""
        d_out = EXACT[self.loss_name](self.readout.exact_outputs(), targets)
        if not self.every:
            return self._fill_from(d_out, traces)
        if totals:
            self._fill_from(d_out if weights is None else d_out * share(weights).unsqueeze(-1), totals)
        last = last_answer(weights, d_out.value, self.sizes.length)
        self._fill_from(d_out * share(last).unsqueeze(-1), traces)

    def _fill_from(self, d_out: Rows, traces: Sequence[Trace]) -> None:
        dy: Rows | None = self.readout.exact_backward(d_out)
        for n, layer in reversed(list(enumerate(self.layers))):
            assert dy is not None
            dy = layer.through_time(dy, traces[n * self.directions : (n + 1) * self.directions])

    def keep(self, kept: Sequence[int]) -> Network:
        """A smaller pack: the networks of the lanes `kept` only, in that order."""
        sizes = replace(self.sizes, lanes=len(kept))
        smaller = Network(
            self.arch, sizes, self.outputs, self.loss_name, self.kernel, self.options, self.stack, self.every
        )
        smaller.p.flat.copy_(self.p.flat[list(kept)])
        return smaller

    def _starts(self, start: Tensor | None) -> list[Start]:
        """The start state of each of `.traced`."""
        if start is None:
            return [None] * len(self.traced)
        parts = start.split(self.sizes.hidden, -1)
        return [parts[n : n + self.states] for n in range(0, len(parts), self.states)]

    def _normed(self, n: int) -> bool:
        return self.stack.norm == "layer" and n < self.stack.layers - 1

    def _layer(self, n: int) -> Layer:
        """Layer n. Normalisation and dropout stand between layers; the lowest has no input of its outputs' width."""
        s, width, between = self.sizes, self.directions * self.sizes.hidden, None
        residual = self.stack.residual and n > 0
        if residual or self._normed(n) or (self.stack.dropout and n < self.stack.layers - 1):
            like, norm = (s.lanes, s.length, s.batch, width), None
            if self._normed(n):
                p, grads = (
                    {name: each[name + suffix(n)] for name in norm_parameters(width)} for each in (self.p, self.grads)
                )
                norm = Norm(p, grads, like)
            between = Between(norm, residual, like, s.hidden, s.device)
        directions = [self._direction(n, d) for d in range(self.directions)]
        return Layer(directions, self._inputs(n), n > 0, between)

    def _direction(self, n: int, direction: int) -> Direction:
        sizes, names = self._inputs(n), self._own(1, self.options)
        p, grads = ({name: each[name + suffix(n, direction)] for name in names} for each in (self.p, self.grads))
        return Direction(build(self.arch, sizes, self.kernel, self.options), p, grads, sizes, self.states)

    def _inputs(self, n: int) -> Sizes:
        """The sizes of layer n: the lowest reads the task's inputs, any other the outputs of the layer below."""
        return self.sizes if n == 0 else replace(self.sizes, inputs=self.directions * self.sizes.hidden)

    def _own(self, inputs: int, options: Mapping[str, Value]) -> dict[str, Parameter]:
        """The parameters of one recurrence, under the names of its architecture; `start` is a learned start state."""
        own = architecture(self.arch).parameters_with(inputs, self.sizes.hidden, options)
        if self.stack.start == "learned":
            blocks = ("",) if self.states == 1 else tuple(PARTS[n] if n < 2 else f"s{n}" for n in range(self.states))
            own["start"] = Parameter((self.states * self.sizes.hidden,), blocks=blocks)
        return own


def suffix(layer: int, direction: int = 0) -> str:
    """What stands behind the names of a recurrence's parameters."""
    return (f"_l{layer}" if layer else "") + ("_reverse" if direction else "")
