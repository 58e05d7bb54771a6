"""The readout of a network, outputs = y W + b, and its backward pass: of one state of each sequence, or of every one.

`last` reads what the highest layer ends with, `mean` the mean over its time steps, `every` each time step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import torch
from torch import Tensor

from sweeps.engine.ends import share_of_each
from sweeps.engine.extended import Rows
from sweeps.engine.memory import empty, in_float64, over_time, zeros
from sweeps.engine.recurrences import Sizes

Multiply = Callable[..., Tensor]


class Readout:
    """Outputs `[K, S*B, O]`, where S is T for `every`, else 1.

    Args:
        kind: `last`, `mean` or `every`.
        width: columns of the highest layer's outputs y.
        product: computes a matrix product for each lane.
    """

    def __init__(
        self,
        kind: str,
        sizes: Sizes,
        width: int,
        p: Mapping[str, Tensor],
        grads: Mapping[str, Tensor],
        product: Multiply,
    ) -> None:
        self.kind, self.p, self.grads, self.product = kind, p, grads, product
        k, t, b, device = sizes.lanes, sizes.length, sizes.batch, sizes.device
        self.answers = t if kind == "every" else 1
        self.out, self.d_out = (zeros(k, self.answers * b, p["weight_out"].shape[-1], device=device) for _ in range(2))
        self.dh = zeros(k, self.answers, b, width, device=device)
        if kind == "mean":
            self.mean, self.dy = zeros(k, b, width, device=device), zeros(k, t, b, width, device=device)

    def forward(self, y: Tensor, final: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The outputs, which the next forward pass overwrites.

        Args:
            y: outputs of the highest layer, `[K, T, B, width]`.
            final: what it ends with, `[K, B, width]`.
            lengths: of the sequences, as in `ends`: a mean is over the time steps of its own sequence.
        """
        self.y, self.h = y, final
        self.lengths = lengths
        if self.kind == "mean":
            self.h = self._mean(self.mean)
        elif self.kind == "every":
            self.h = over_time(y)
        return self.product(self.h, self.p["weight_out"], self.out).add_(self.p["bias_out"].unsqueeze(1))

    def backward(self, d_out: Tensor) -> Tensor:
        """Writes the gradients of W and b; returns dL/dy `[K, T, B, width]`, for `last` dL/dfinal `[K, B, width]`."""
        d_out = self.d_out.copy_(d_out)
        self.product(self.h.transpose(1, 2), d_out, self.grads["weight_out"])
        for lane, total in zip(d_out, self.grads["bias_out"], strict=True):
            torch.sum(lane, 0, out=total)
        self.product(d_out, self.p["weight_out"].transpose(1, 2), over_time(self.dh))
        if self.kind == "mean":
            return self.dy.copy_(self._part(self.dh))
        return self.dh if self.kind == "every" else self.dh[:, 0]

    @cached_property
    def exact(self) -> tuple[Tensor, Tensor]:
        """Float64 buffers for the states that are read, `[K, S*B, width]`, and for their gradient."""
        h, dh = (empty(*over_time(self.dh).shape, device=self.dh.device, dtype=torch.float64) for _ in range(2))
        return h, dh

    def exact_outputs(self) -> Tensor:
        """The outputs in float64, `[K, S*B, O]`, from the float32 states of the last forward pass."""
        h = self.exact[0].copy_(self.h)
        if self.kind == "mean":
            self._mean(h)
        outputs = empty(*self.out.shape, device=self.out.device, dtype=torch.float64)
        return self.product(h, in_float64(self.p["weight_out"]), outputs).add_(self.p["bias_out"].unsqueeze(1))

    def exact_backward(self, d_out: Rows) -> Rows:
        """What `backward` returns, from dL/doutputs with a power of two for each row; the next call overwrites it."""
        weights = in_float64(self.p["weight_out"]).transpose(1, 2)
        dh = Rows(self.product(in_float64(d_out.value), weights, self.exact[1]), d_out.exponent)
        if self.kind == "last":
            return dh
        t = self.y.shape[1]
        value, exponent = (part.unflatten(1, (self.answers, -1)) for part in (dh.value, dh.exponent))
        if self.kind == "every":
            return Rows(value, exponent)
        return Rows(self._part(value).expand(-1, t, -1, -1), exponent.expand(-1, t, -1, -1))

    def _mean(self, out: Tensor) -> Tensor:
        """The mean of each sequence's own time steps, in the dtype of `out` `[K, B, width]`."""
        shares = None if self.lengths is None else share_of_each(self.lengths, self.y.shape[1], out.dtype)
        for k, (lane, mean) in enumerate(zip(self.y, out, strict=True)):
            if shares is None:
                torch.mean(lane, 0, dtype=out.dtype, out=mean)
            else:
                torch.sum(lane * shares[k], 0, out=mean)
        return out

    def _part(self, d_mean: Tensor) -> Tensor:
        """What of the gradient of the mean `[K, 1, B, width]` each time step gets, or `[K, T, B, width]`."""
        steps = self.y.shape[1]
        return d_mean / steps if self.lengths is None else d_mean * share_of_each(self.lengths, steps, d_mean.dtype)
