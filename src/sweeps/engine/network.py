"""The networks of a pack: recurrences one above the other, a linear readout, a loss. Training is in `train`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import torch
from torch import Tensor

from sweeps.config.schema import Stack, Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Parameter, architecture
from sweeps.engine.attention import Attention
from sweeps.engine.beside import Beside
from sweeps.engine.between import Between, Norm, norm_parameters
from sweeps.engine.data import Drop
from sweeps.engine.embedding import NAME as EMBEDDING
from sweeps.engine.embedding import Embedding, embedding_parameter
from sweeps.engine.ends import whole, whole_rows
from sweeps.engine.extended import Rows
from sweeps.engine.layer import Direction, Layer
from sweeps.engine.losses import EXACT, LOSSES, last_answer, share
from sweeps.engine.memory import over_time, zeros
from sweeps.engine.parameters import Parameters
from sweeps.engine.products import multiply
from sweeps.engine.readout import Readout
from sweeps.engine.recurrences import Sizes, build, choose
from sweeps.engine.recurrences.base import Recurrence, Start
from sweeps.engine.recurrences.encoder_decoder import DECODER, EncoderDecoder
from sweeps.engine.recurrences.native import native_products

PARTS = ("h", "c")
"""The names of a state's tensors in the parameter `start`, as far as they have any."""
INPUTS, OUTPUTS = "inputs", "outputs"
"""Places of dropout; others are numbers of layers."""
NO_MASKS: Mapping[str, Tensor] = MappingProxyType({})


class Network:
    """K networks of one shape: layers one above the other, then a linear readout.

    Attributes:
        p: the parameters, those of the lowest layer first. Layer 0 has the names of its architecture, layer n those
            with `_ln` behind and the direction that reads backwards those with `_reverse`, as torch.nn has them.
        grads: their gradients, under the same names.
        inner: the sizes that the layers have: one time step where the architecture reads a sequence at once.
        traced: layer and direction (0; 1 reads backwards) of each trace, in the order of `traces`.

    Args:
        options: of the architecture, equal in all lanes.
        stack: how many layers, in how many directions, from which start state, with which readout.
        every: whether the task has a target at every time step.
        vector: columns C of the vector of each sequence that its start state is made from; 0: there is none.
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
        vector: int = 0,
    ) -> None:
        self.arch, self.sizes, self.outputs, self.loss_name, self.every = arch, sizes, outputs, loss, every
        self.vector = vector
        self.kernel = choose(arch, kernel, sizes.device)
        self.options, self.stack = dict(options or {}), stack or Stack()
        self.states, self.directions = architecture(arch).states, self.stack.directions
        self.inner = replace(sizes, length=1) if architecture(arch).at_once else sizes
        self.traced = [(n, d) for n in range(self.stack.layers) for d in range(self.directions)]
        shapes = {name: parameter.shape for name, parameter in self.parameters(self.options).items()}
        self.p = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        self.grads = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        self.embedding = Embedding(self.p, self.grads, sizes.length * sizes.batch) if self.stack.embedding else None
        self.beside = Beside(sizes, self._lowest) if architecture(arch).at_once else None
        self.layers = [self._layer(n) for n in range(self.stack.layers)]
        k, t, b, width = sizes.lanes, sizes.length, sizes.batch, self.directions * sizes.hidden
        if INPUTS in self.drops:
            self.kept_inputs = zeros(k, t, b, self.drops[INPUTS].width, device=sizes.device)
        self.above = (
            Between(None, False, (k, self.inner.length, b, width), sizes.device) if OUTPUTS in self.drops else None
        )
        self.dropping: Between | None = None  # `above`, where the last forward pass dropped something there
        product = native_products if self.kernel == "native" else multiply
        self.attention = Attention(sizes) if self.stack.attention == "dot" else None
        kind = "every" if every else self.stack.readout
        self.readout = Readout(kind, self.inner, self._read, self.p, self.grads, product)

    def parameters(self, options: Mapping[str, Value]) -> dict[str, Parameter]:
        """The parameters of a lane with these options of the architecture, and how they are drawn."""
        out: dict[str, Parameter] = {}
        if self.stack.embedding:
            out[EMBEDDING] = embedding_parameter(self.sizes.inputs, self.stack.embedding)
        for n, direction in self.traced:
            own = self._own(n, options)
            out |= {name + suffix(n, direction): parameter for name, parameter in own.items()}
            if direction == self.directions - 1 and self._normed(n):
                norm = norm_parameters(self.directions * self.sizes.hidden)
                out |= {name + suffix(n): parameter for name, parameter in norm.items()}
        out["weight_out"] = Parameter((self._read, self.outputs), "input")
        out["bias_out"] = Parameter((self.outputs,))
        return out

    @property
    def drops(self) -> dict[str, Drop]:
        """Where numbers are dropped: of the inputs, of the outputs of each layer but the highest by its number, and of
        what the readout reads."""
        stack, width = self.stack, self.directions * self.sizes.hidden
        between = {str(n): Drop(width, stack.dropout) for n in range(stack.layers - 1)}
        all_of_them = {INPUTS: Drop(self._lowest, stack.input_dropout), **between}
        all_of_them[OUTPUTS] = Drop(width, stack.output_dropout)
        return {place: drop for place, drop in all_of_them.items() if drop.share}

    @property
    def _read(self) -> int:
        """Columns that the readout reads: of the highest layer, and of the context beside it."""
        return self.directions * self.sizes.hidden * (2 if self.stack.attention == "dot" else 1)

    @property
    def state_width(self) -> int:
        """Columns of the states of all layers and directions beside each other, S."""
        return len(self.traced) * self.states * self.sizes.hidden

    @property
    def start_width(self) -> int:
        """Columns of `start`."""
        return self.vector or self.state_width

    def forward(
        self,
        x: Tensor,
        start: Tensor | None = None,
        keep: bool = False,
        masks: Mapping[str, Tensor] = NO_MASKS,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Outputs for `x [K, T*B, I]`: `[K, B, O]`, or `[K, T*B, O]` where every time step has an answer.

        Args:
            start: the start states of all layers and directions beside each other, `[K, B, S]`, or the vectors that
                they are made from, `[K, B, C]`; None: zeros, or what is learned.
            keep: store the pre-activations that the trace needs.
            masks: of dropout, `[K, T, B, O]` for each of `.drops`; {}: no dropout.
            lengths: time steps of each sequence, `[K, B]`, where they differ (`ends`); None: all have T.
        """
        starts = self._starts(start)
        if self.embedding is not None:
            x = self.embedding.forward(x)
        self.input_mask = masks.get(INPUTS)
        if self.input_mask is not None:
            torch.mul(x.unflatten(1, (-1, self.sizes.batch)), self.input_mask, out=self.kept_inputs)
            x = over_time(self.kept_inputs)
        if self.beside is not None:
            x, lengths = self.beside.forward(x), None
            masks = {place: mask[:, -1:] for place, mask in masks.items()}
        for n, layer in enumerate(self.layers):
            mask = masks.get(str(n))
            y = layer.forward(x, keep, starts[n * self.directions : (n + 1) * self.directions], mask, lengths)
            x = over_time(y)
        self.dropping = self.above if OUTPUTS in masks else None
        if self.dropping is not None:
            y = self.dropping.forward(y, y, masks[OUTPUTS])
        final = self.layers[-1].final(y)
        return self.readout.forward(y if self.attention is None else self.attention.forward(y), final, lengths)

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
        masks: Mapping[str, Tensor] = NO_MASKS,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Forward and backward on one batch; writes `.grads`, returns the mean loss of each lane, `[K]`.

        Args:
            targets: `[K, B, ...]`, or `[K, T*B, ...]` where every time step has an answer.
            traces, totals, weights: as for `through_time`. `.grads` are the same bits with traces and without.
            start, masks, lengths: as for `forward`.
        """
        each, d_out = self.loss(self.forward(x, start, bool(traces), masks, lengths), targets)
        if traces:
            self._fill(traces, totals, targets, weights)
        if weights is not None:
            shares = share(weights)
            each, d_out = each * shares, d_out * shares.unsqueeze(-1)
        read = self.readout.backward(d_out)
        read = read if self.attention is None else self.attention.backward(read)
        if self.dropping is not None:
            read = self.dropping.backward(whole(read, self.inner.length, self.sizes.hidden, self.layers[-1].lengths))
        dy: Tensor | None = read
        for layer in reversed(self.layers):
            assert dy is not None
            dy = layer.backward(dy)
        if self.embedding is not None:
            assert dy is not None
            dy = dy if self.beside is None else self.beside.backward(dy)
            self.embedding.backward(over_time(dy if self.input_mask is None else dy.mul_(self.input_mask)))
        return each.mean(1)

    def through_time(
        self,
        x: Tensor,
        targets: Tensor,
        traces: Sequence[Trace],
        totals: Sequence[Trace] = (),
        weights: Tensor | None = None,
        start: Tensor | None = None,
        masks: Mapping[str, Tensor] = NO_MASKS,
        lengths: Tensor | None = None,
    ) -> None:
        """Record the gradient through time on one batch; changes neither `.p` nor `.grads`.

        Args:
            traces: one for each of `.traced`: the gradient of the loss of each sequence's last answer.
            totals: the same for the loss of all answers; only where every time step has one.
            weights: of the answers in the loss, `[K, T*B]`; None: all equal.
            start, masks, lengths: as for `forward`.
        """
        self.forward(x, start, True, masks, lengths)
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
        if self.beside is not None:  # its one time step is the last
            traces = [trace.steps(self.sizes.length - 1, self.sizes.length) for trace in traces]
        read = self.readout.exact_backward(d_out)
        read = read if self.attention is None else self.attention.exact_backward(read)
        if self.dropping is not None:
            read = whole_rows(read, self.inner.length, self.sizes.hidden, self.layers[-1].lengths)
            read = self.dropping.exact_backward(read)
        dy: Rows | None = read
        for n, layer in reversed(list(enumerate(self.layers))):
            assert dy is not None
            dy = layer.through_time(dy, traces[n * self.directions : (n + 1) * self.directions])

    def keep(self, kept: Sequence[int], kernel: str = "") -> Network:
        """A smaller pack: the networks of the lanes `kept` only, in that order.

        Args:
            kernel: another one than this network's; empty: the same.
        """
        sizes = replace(self.sizes, lanes=len(kept))
        smaller = Network(
            self.arch, sizes, self.outputs, self.loss_name, kernel or self.kernel, self.options, self.stack,
            self.every, self.vector,
        )  # fmt: skip
        smaller.p.flat.copy_(self.p.flat[list(kept)])
        return smaller

    def _starts(self, start: Tensor | None) -> list[Start]:
        """The start state of each of `.traced`, or the vector that it is made from."""
        if start is None:
            return [None] * len(self.traced)
        if self.vector:
            return [(start,)] * len(self.traced)
        parts = start.split(self.sizes.hidden, -1)
        return [parts[n : n + self.states] for n in range(0, len(parts), self.states)]

    def _normed(self, n: int) -> bool:
        return self.stack.norm == "layer" and n < self.stack.layers - 1

    def _layer(self, n: int) -> Layer:
        """Layer n. Normalisation and dropout stand between layers; the lowest has no input of its outputs' width."""
        s, width, between = self.inner, self.directions * self.sizes.hidden, None
        residual = self.stack.residual and n > 0
        if residual or self._normed(n) or (self.stack.dropout and n < self.stack.layers - 1):
            like, norm = (s.lanes, s.length, s.batch, width), None
            if self._normed(n):
                p, grads = (
                    {name: each[name + suffix(n)] for name in norm_parameters(width)} for each in (self.p, self.grads)
                )
                norm = Norm(p, grads, like)
            between = Between(norm, residual, like, s.device)
        directions = [self._direction(n, d) for d in range(self.directions)]
        return Layer(directions, self._inputs(n), n > 0, between, embedded=n == 0 and self.stack.embedding > 0)

    def _direction(self, n: int, direction: int) -> Direction:
        sizes, names = self._inputs(n), self._own(n, self.options)
        p, grads = ({name: each[name + suffix(n, direction)] for name in names} for each in (self.p, self.grads))
        return Direction(self._recurrence(sizes), p, grads, sizes, self.states)

    def _recurrence(self, sizes: Sizes) -> Recurrence:
        if self.stack.kind == "encoder_decoder" and sizes.source:
            return EncoderDecoder(sizes, self.states, self._recurrence)
        return build(self.arch, sizes, self.kernel, self.options)

    def _inputs(self, n: int) -> Sizes:
        """The sizes of layer n: the lowest reads the task's inputs or their embedding, any other the layer below."""
        lowest = self._lowest * (self.sizes.length if architecture(self.arch).at_once else 1)
        return replace(self.inner, inputs=lowest if n == 0 else self.directions * self.sizes.hidden)

    @property
    def _lowest(self) -> int:
        """Columns of a time step of the inputs, or of their embedding."""
        return self.stack.embedding or self.sizes.inputs

    def _own(self, n: int, options: Mapping[str, Value]) -> dict[str, Parameter]:
        """The parameters of one recurrence of layer n, under the names of its architecture; `start` is a learned start
        state, and `start_from` makes one from the vector of a sequence."""
        own = architecture(self.arch).parameters_with(self._inputs(n).inputs, self.sizes.hidden, options, n)
        if self.stack.kind == "encoder_decoder":
            own |= {name + DECODER: parameter for name, parameter in own.items()}
        blocks = ("",) if self.states == 1 else tuple(PARTS[n] if n < 2 else f"s{n}" for n in range(self.states))
        if self.stack.start == "learned":
            own["start"] = Parameter((self.states * self.sizes.hidden,), blocks=blocks)
        if self.vector:
            own["start_from"] = Parameter((self.vector, self.states * self.sizes.hidden), "input", blocks)
        return own


def suffix(layer: int, direction: int = 0) -> str:
    """What stands behind the names of a recurrence's parameters."""
    return (f"_l{layer}" if layer else "") + ("_reverse" if direction else "")


def layer_of(name: str) -> int:
    """The layer of a recurrence's parameter, from what stands behind its name."""
    found = re.search(r"_l(\d+)(_reverse)?$", name)
    return int(found[1]) if found else 0
