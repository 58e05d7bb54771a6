"""All time steps of a sequence beside each other, as one: what an architecture reads that sees a sequence at once."""

from __future__ import annotations

from torch import Tensor

from sweeps.engine.memory import zeros
from sweeps.engine.recurrences import Sizes


class Beside:
    """x `[K, T*B, N]` to `[K, B, T*N]`, the columns of the first time step first, and back.

    Args:
        width: N.
    """

    def __init__(self, sizes: Sizes, width: int) -> None:
        k, self.length, self.batch = sizes.lanes, sizes.length, sizes.batch
        self.out = zeros(k, self.batch, self.length * width, device=sizes.device)
        self.dx = zeros(k, self.length, self.batch, width, device=sizes.device)

    def forward(self, x: Tensor) -> Tensor:
        """The rows of the sequences, which the next forward pass overwrites."""
        self.out.unflatten(-1, (self.length, -1)).copy_(x.unflatten(1, (self.length, self.batch)).transpose(1, 2))
        return self.out

    def backward(self, d_out: Tensor) -> Tensor:
        """dL/dx, `[K, T, B, N]`, from the gradient of what `forward` returned, `[K, 1, B, T*N]`."""
        return self.dx.copy_(d_out[:, 0].unflatten(-1, (self.length, -1)).transpose(1, 2))
