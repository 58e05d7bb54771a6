"""The networks of a pack: recurrences one above the other, a linear readout, a loss. Training is in `train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from sweeps.config.schema import Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Parameter, architecture
from sweeps.engine.extended import Rows
from sweeps.engine.losses import EXACT, LOSSES
from sweeps.engine.memory import in_float64, over_time, zeros
from sweeps.engine.parameters import Parameters
from sweeps.engine.products import multiply
from sweeps.engine.recurrences import Recurrence, Sizes, build, choose
from sweeps.engine.recurrences.native import native_products


class Layer(NamedTuple):
    """One recurrence of a stack, with its parameters and gradients under the names of its architecture."""

    recurrence: Recurrence
    p: Mapping[str, Tensor]
    grads: Mapping[str, Tensor]
    dx: Tensor | None  # dL/dx, [K, T, B, I]; None for the lowest layer


class Network:
    """K networks of one shape: recurrences one above the other, then outputs = h_{T-1} W + b of the highest.

    Attributes:
        p: the parameters, those of the lowest layer first. Layer 0 has the names of its architecture, layer n those
            with `_ln` behind, as torch.nn has them.
        grads: their gradients, under the same names.

    Args:
        options: of the architecture, equal in all lanes.
        layers: how many recurrences; each reads all states of the one below.
    """

    def __init__(
        self,
        arch: str,
        sizes: Sizes,
        outputs: int,
        loss: str,
        kernel: str = "auto",
        options: Mapping[str, Value] | None = None,
        layers: int = 1,
    ) -> None:
        self.arch, self.sizes, self.outputs, self.loss_name = arch, sizes, outputs, loss
        self.kernel = choose(arch, kernel, sizes.device)
        self.options = dict(options or {})
        self.layers: list[Layer] = []
        shapes = {name: parameter.shape for name, parameter in self.parameters(self.options, layers).items()}
        self.p = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        self.grads = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        k, b, device = sizes.lanes, sizes.batch, sizes.device
        for n in range(layers):
            own = self._inputs(n)
            dx = None if n == 0 else zeros(k, sizes.length, b, own.inputs, device=device)
            self.layers.append(
                Layer(build(arch, own, self.kernel, self.options), self._of(n, self.p), self._of(n, self.grads), dx)
            )
        self._dh = zeros(k, b, sizes.hidden, device=device)
        self._multiply = native_products if self.kernel == "native" else multiply
        self._out, self._d_out = zeros(k, b, outputs, device=device), zeros(k, b, outputs, device=device)

    def parameters(self, options: Mapping[str, Value], layers: int | None = None) -> dict[str, Parameter]:
        """The parameters of a lane with these options of the architecture, and how they are drawn."""
        out: dict[str, Parameter] = {}
        for n in range(len(self.layers) if layers is None else layers):
            own = architecture(self.arch).parameters_with(self._inputs(n).inputs, self.sizes.hidden, options)
            out |= {name + suffix(n): parameter for name, parameter in own.items()}
        out["weight_out"] = Parameter((self.sizes.hidden, self.outputs), "input")
        out["bias_out"] = Parameter((self.outputs,))
        return out

    def forward(self, x: Tensor, keep: bool = False) -> Tensor:
        """Outputs `[K, B, O]` for `x [K, T*B, I]`; `keep=True` stores the pre-activations that the trace needs."""
        self._x = []
        for layer in self.layers:
            self._x.append(x)
            states = layer.recurrence.forward(layer.p, x, keep)
            x = over_time(states)
        self._h = states[:, -1]
        return self._multiply(self._h, self.p["weight_out"], self._out).add_(self.p["bias_out"].unsqueeze(1))

    def loss(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each sequence `[K, B]`, and the gradient of each lane's mean with respect to the outputs."""
        return LOSSES[self.loss_name](outputs, targets)

    def gradients(self, x: Tensor, targets: Tensor, traces: Sequence[Trace] = ()) -> Tensor:
        """Forward and backward on one batch; writes `.grads`, returns the mean loss of each lane, `[K]`.

        Args:
            traces: record the gradient through time, one for each layer, if given. `.grads` are the same bits with
                them and without.
        """
        loss, d_out = self.loss(self.forward(x, keep=bool(traces)), targets)
        if traces:
            self._fill(traces, targets)
        d_out = self._d_out.copy_(d_out)
        self._multiply(self._h.transpose(1, 2), d_out, self.grads["weight_out"])
        torch.sum(d_out, 1, out=self.grads["bias_out"])
        dy = self._multiply(d_out, self.p["weight_out"].transpose(1, 2), self._dh)
        for layer, x_n in zip(reversed(self.layers), reversed(self._x), strict=True):
            layer.recurrence.backward(layer.p, x_n, dy, layer.grads, None if layer.dx is None else over_time(layer.dx))
            dy = dy if layer.dx is None else layer.dx
        return loss.mean(1)

    def through_time(self, x: Tensor, targets: Tensor, traces: Sequence[Trace]) -> None:
        """Record the gradient through time on one batch in `traces`; changes neither `.p` nor `.grads`."""
        self.forward(x, keep=True)
        self._fill(traces, targets)

    def _fill(self, traces: Sequence[Trace], targets: Tensor) -> None:
        """Backward pass in float64 for the trace: outputs and loss are computed again from the last state."""
        w = in_float64(self.p["weight_out"])
        outputs = multiply(in_float64(self._h), w, out=torch.empty_like(self._out, dtype=torch.float64))
        outputs += self.p["bias_out"].unsqueeze(1)
        d_out = EXACT[self.loss_name](outputs, targets)
        dy: Rows | None = d_out @ w.transpose(1, 2)
        for layer, trace in zip(reversed(self.layers), reversed(traces), strict=True):
            assert dy is not None
            dy = layer.recurrence.through_time(layer.p, dy, trace, below=layer.dx is not None)

    def keep(self, kept: Sequence[int]) -> Network:
        """A smaller pack: the networks of the lanes `kept` only, in that order."""
        sizes = replace(self.sizes, lanes=len(kept))
        layers = len(self.layers)
        smaller = Network(self.arch, sizes, self.outputs, self.loss_name, self.kernel, self.options, layers)
        smaller.p.flat.copy_(self.p.flat[list(kept)])
        return smaller

    def _inputs(self, n: int) -> Sizes:
        """The sizes of layer n: the lowest reads the task's inputs, any other the states below."""
        return self.sizes if n == 0 else replace(self.sizes, inputs=self.sizes.hidden)

    def _of(self, n: int, parameters: Parameters) -> dict[str, Tensor]:
        """Those of layer n, under the names of its architecture."""
        names = architecture(self.arch).parameters_with(1, 1, self.options)
        return {name: parameters[name + suffix(n)] for name in names}


def suffix(layer: int) -> str:
    """What stands behind the names of a layer's parameters."""
    return f"_l{layer}" if layer else ""
