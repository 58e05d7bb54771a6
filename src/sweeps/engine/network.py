"""The networks of a pack: a recurrence, a linear readout of its last state, a loss. Training is in `train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from sweeps.config.schema import Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Parameter, architecture
from sweeps.engine.losses import EXACT, LOSSES
from sweeps.engine.memory import in_float64, zeros
from sweeps.engine.parameters import Parameters
from sweeps.engine.products import multiply
from sweeps.engine.recurrences import Sizes, build, choose
from sweeps.engine.recurrences.native import native_products


class Network:
    """K networks of one shape: a recurrence over T steps, then outputs = h_{T-1} W + b.

    Attributes:
        p: the parameters, those of the recurrence first.
        grads: their gradients, under the same names.

    Args:
        options: of the architecture, equal in all lanes.
    """

    def __init__(
        self,
        arch: str,
        sizes: Sizes,
        outputs: int,
        loss: str,
        kernel: str = "auto",
        options: Mapping[str, Value] | None = None,
    ) -> None:
        self.arch, self.sizes, self.outputs, self.loss_name = arch, sizes, outputs, loss
        self.kernel = choose(arch, kernel, sizes.device)
        self.options = dict(options or {})
        self.recurrence = build(arch, sizes, self.kernel, self.options)
        shapes = {name: parameter.shape for name, parameter in self.parameters(self.options).items()}
        self.p = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        self.grads = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        k, b, device = sizes.lanes, sizes.batch, sizes.device
        self._dh = zeros(k, b, sizes.hidden, device=device)
        self._multiply = native_products if self.kernel == "native" else multiply
        self._out, self._d_out = zeros(k, b, outputs, device=device), zeros(k, b, outputs, device=device)

    def parameters(self, options: Mapping[str, Value]) -> dict[str, Parameter]:
        """The parameters of a lane with these options of the architecture, and how they are drawn."""
        inputs, hidden = self.sizes.inputs, self.sizes.hidden
        return {
            **architecture(self.arch).parameters_with(inputs, hidden, options),
            "weight_out": Parameter((hidden, self.outputs), "input"),
            "bias_out": Parameter((self.outputs,)),
        }

    def forward(self, x: Tensor, keep: bool = False) -> Tensor:
        """Outputs `[K, B, O]` for `x [K, T*B, I]`; `keep=True` stores the pre-activations that the trace needs."""
        self._h = self.recurrence.forward(self.p, x, keep)
        return self._multiply(self._h, self.p["weight_out"], self._out).add_(self.p["bias_out"].unsqueeze(1))

    def loss(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each sequence `[K, B]`, and the gradient of each lane's mean with respect to the outputs."""
        return LOSSES[self.loss_name](outputs, targets)

    def gradients(self, x: Tensor, targets: Tensor, trace: Trace | None = None) -> Tensor:
        """Forward and backward on one batch; writes `.grads`, returns the mean loss of each lane, `[K]`.

        Args:
            trace: records the gradient through time, if given. `.grads` are the same bits with it and without.
        """
        loss, d_out = self.loss(self.forward(x, keep=trace is not None), targets)
        if trace is not None:
            self._fill(trace, targets)
        d_out = self._d_out.copy_(d_out)
        self._multiply(self._h.transpose(1, 2), d_out, self.grads["weight_out"])
        torch.sum(d_out, 1, out=self.grads["bias_out"])
        self._multiply(d_out, self.p["weight_out"].transpose(1, 2), self._dh)
        self.recurrence.backward(self.p, x, self._dh, self.grads)
        return loss.mean(1)

    def through_time(self, x: Tensor, targets: Tensor, trace: Trace) -> None:
        """Record the gradient through time on one batch in `trace`; changes neither `.p` nor `.grads`."""
        self.forward(x, keep=True)
        self._fill(trace, targets)

    def _fill(self, trace: Trace, targets: Tensor) -> None:
        """Backward pass in float64 for the trace: outputs and loss are computed again from the last state."""
        w = in_float64(self.p["weight_out"])
        outputs = multiply(in_float64(self._h), w, out=torch.empty_like(self._out, dtype=torch.float64))
        outputs += self.p["bias_out"].unsqueeze(1)
        d_out = EXACT[self.loss_name](outputs, targets)
        self.recurrence.through_time(self.p, d_out @ w.transpose(1, 2), trace)

    def keep(self, kept: Sequence[int]) -> Network:
        """A smaller pack: the networks of the lanes `kept` only, in that order."""
        sizes = replace(self.sizes, lanes=len(kept))
        smaller = Network(self.arch, sizes, self.outputs, self.loss_name, self.kernel, self.options)
        smaller.p.flat.copy_(self.p.flat[list(kept)])
        return smaller
