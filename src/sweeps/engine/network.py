"""One pack of networks: a recurrence, a linear readout of its last state, a loss. Nothing of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.losses import LOSSES
from sweeps.engine.memory import lanes
from sweeps.engine.parameters import Parameters
from sweeps.engine.recurrences import Sizes, build, choose


def lane_bmm(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """`torch.bmm(a, b, out=out)`, but a lone lane takes the batched kernel too: alone, a thin product would go another
    way and round otherwise, and a cell's bits would depend on whether it has neighbours."""
    if len(a) > 1:
        return torch.bmm(a, b, out=out)
    pair = lanes(2, *out.shape[1:], device=out.device)
    return out.copy_(torch.bmm(a.expand(2, -1, -1), b.expand(2, -1, -1), out=pair)[:1])


class Network:
    """K networks of one shape: outputs = h_{T-1} W + b, with the recurrence's own parameters before."""

    def __init__(self, arch: str, sizes: Sizes, outputs: int, loss: str, kernel: str = "auto") -> None:
        self.arch, self.sizes, self.outputs, self.loss_name = arch, sizes, outputs, loss
        self.kernel = choose(arch, kernel, sizes.device)
        self.recurrence = build(arch, sizes, self.kernel)
        shapes = {**self.recurrence.shapes(), "weight_out": (sizes.hidden, outputs), "bias_out": (outputs,)}
        self.p = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        self.grads = Parameters.zeros(sizes.lanes, shapes, sizes.device)
        k, b, device = sizes.lanes, sizes.batch, sizes.device
        self._dh = lanes(k, b, sizes.hidden, device=device)
        self._out, self._d_out = lanes(k, b, outputs, device=device), lanes(k, b, outputs, device=device)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs `[K, B, O]` for `x [K, T*B, I]`."""
        self._h = self.recurrence.forward(self.p, x)
        return lane_bmm(self._h, self.p["weight_out"], self._out).add_(self.p["bias_out"].unsqueeze(1))

    def loss(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each sequence `[K, B]`, and the gradient of each lane's mean with respect to the outputs."""
        return LOSSES[self.loss_name](outputs, targets)

    def gradients(self, x: Tensor, targets: Tensor, trace: Trace | None = None) -> Tensor:
        """Forward and backward on one batch; writes `.grads`, returns the mean loss of each lane, `[K]`."""
        loss, d_out = self.loss(self.forward(x), targets)
        d_out = self._d_out.copy_(d_out)
        lane_bmm(self._h.transpose(1, 2), d_out, self.grads["weight_out"])
        torch.sum(d_out, 1, out=self.grads["bias_out"])
        lane_bmm(d_out, self.p["weight_out"].transpose(1, 2), self._dh)
        self.recurrence.backward(self.p, x, self._dh, self.grads, trace)
        return loss.mean(1)

    def keep(self, kept: Sequence[int]) -> Network:
        """A smaller pack of the same networks: only the given lanes, in the given order."""
        smaller = Network(self.arch, replace(self.sizes, lanes=len(kept)), self.outputs, self.loss_name, self.kernel)
        smaller.p.flat.copy_(self.p.flat[list(kept)])
        return smaller
