"""Memory for packs: every lane starts on the same alignment, so that no lane's bits depend on its place.

Matrix kernels peel their first elements differently for differently aligned operands, and elementwise kernels treat the
tail of a buffer differently from its body. If lane k started wherever lane k-1 happened to end, a cell's last bit would
depend on how many neighbours it has. So each lane occupies a whole number of 128-byte blocks.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

BLOCK = 32
"""Floats in a block: 128 bytes, two AVX-512 registers."""


def blocks(count: int) -> int:
    """`count` floats rounded up to whole blocks."""
    return -(-count // BLOCK) * BLOCK


def zeros(k: int, *shape: int, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    """A zeroed tensor `[k, *shape]` whose lanes are dense and start on block boundaries."""
    size = math.prod(shape)
    stride = blocks(size)
    inner = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    return torch.zeros(k * stride, device=device, dtype=dtype).as_strided((k, *shape), (stride, *inner))


def in_float64(x: Tensor) -> Tensor:
    """A float64 copy of `x [K, ...]`, in lanes like it."""
    return zeros(*x.shape, device=x.device, dtype=torch.float64).copy_(x)


def by_time(x: Tensor) -> tuple[Tensor, ...]:
    """The views `x[:, t]`, taken once: indexing inside a time loop costs as much as a small kernel."""
    return x.unbind(1)


def over_time(x: Tensor) -> Tensor:
    """`[K, T, B, N]` seen as `[K, T*B, N]`, without a copy."""
    k, t, b, n = x.shape
    return x.as_strided((k, t * b, n), (x.stride(0), n, 1), x.storage_offset())
