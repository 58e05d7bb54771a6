"""What stands behind the recurrences of a layer: normalisation, dropout, and the layer's own input added to its output.

All three are linear in the adjoint, so that its powers of two pass through unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sweeps.engine.architectures import Parameter
from sweeps.engine.extended import Rows
from sweeps.engine.memory import zeros

EPS = 1e-5
"""Added to the variance, as in torch.nn.LayerNorm."""


def norm_parameters(width: int) -> dict[str, Parameter]:
    """Gain and bias of a normalised layer (Ba et al. 2016), `[width]`: 1 and 0 before training."""
    return {"norm_gain": Parameter((width,), values={"": 1.0}), "norm_bias": Parameter((width,))}


class Norm:
    """Layer normalisation: each row minus its mean, over its standard deviation, times a gain, plus a bias.

    It is computed lane by lane: the gradients of gain and bias are sums over a lane.
    """

    def __init__(self, p: Mapping[str, Tensor], grads: Mapping[str, Tensor], like: Sequence[int]) -> None:
        """
        Args:
            like: shape of the rows, `[K, T, B, O]`.
        """
        self.p, self.grads = p, grads
        device = p["norm_gain"].device
        self.z, self.dy = zeros(*like, device=device), zeros(*like, device=device)

    def forward(self, y: Tensor) -> Tensor:
        """Normalised rows `[K, T, B, O]`, which the next forward pass overwrites."""
        self.y, self.moments = y, []
        for lane, gain, bias, z in zip(y, self.p["norm_gain"], self.p["norm_bias"], self.z, strict=True):
            out, mean, inverse = torch.native_layer_norm(lane, lane.shape[-1:], gain, bias, EPS)
            z.copy_(out)
            self.moments.append((mean, inverse))
        return self.z

    def backward(self, dz: Tensor) -> Tensor:
        """dL/dy; writes the gradients of gain and bias."""
        for k, (lane, (mean, inverse)) in enumerate(zip(self.y, self.moments, strict=True)):
            dy, gain, bias = torch.ops.aten.native_layer_norm_backward(
                dz[k].contiguous(), lane.contiguous(), lane.shape[-1:], mean, inverse, self.p["norm_gain"][k],
                self.p["norm_bias"][k], [True, True, True],
            )  # fmt: skip
            self.dy[k].copy_(dy)
            self.grads["norm_gain"][k].copy_(gain)
            self.grads["norm_bias"][k].copy_(bias)
        return self.dy

    def exact_backward(self, dz: Rows) -> Rows:
        """The same in float64, from the float32 states: no gradients, but a power of two for each row."""
        value = torch.empty_like(dz.value)
        for k, lane in enumerate(self.y):
            h, g = lane.double(), dz.value[k] * self.p["norm_gain"][k].double()
            apart = h - h.mean(-1, keepdim=True)
            inverse = (apart.square().mean(-1, keepdim=True) + EPS).rsqrt()
            unit = apart * inverse
            value[k] = inverse * (g - g.mean(-1, keepdim=True) - unit * (g * unit).mean(-1, keepdim=True))
        return Rows(value, dz.exponent)


class Between:
    """y of a layer's recurrences, `[K, T, B, O]`, to what the layer above or the readout reads, and back.

    Args:
        norm: normalises y; None: nothing does.
        residual: whether x, the input of the layer, is added; it has O columns like y.
        like: shape of y.
    """

    def __init__(self, norm: Norm | None, residual: bool, like: Sequence[int], device: torch.device | str) -> None:
        self.norm, self.residual = norm, residual
        self.out, self.dy = zeros(*like, device=device), zeros(*like, device=device)

    def forward(self, y: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """The outputs of the layer, which the next forward pass overwrites.

        Args:
            x: `[K, T, B, O]` where it is added.
            mask: what each number is multiplied with: 0, or 1 over the share that is kept; None: no dropout.
        """
        self.mask = mask
        z = self.out.copy_(y if self.norm is None else self.norm.forward(y))
        if mask is not None:
            z.mul_(mask)
        return z.add_(x) if self.residual else z

    def backward(self, dz: Tensor) -> Tensor:
        """dL/dy, `[K, T, B, O]`. What reaches x past the recurrences is dz itself."""
        dy = self.dy.copy_(dz)
        if self.mask is not None:
            dy.mul_(self.mask)
        return dy if self.norm is None else self.norm.backward(dy)

    def exact_backward(self, dz: Rows) -> Rows:
        """The same, with a power of two for each row."""
        if self.mask is not None:
            dz = dz * self.mask.double()
        return dz if self.norm is None else self.norm.exact_backward(dz)
