"""Memory for packs: every lane has the same alignment, so that a cell's bits do not depend on its lane.

Matrix kernels treat the first elements differently for differently aligned operands, and elementwise kernels treat the
tail of a buffer differently from its body. If lane k began right after lane k-1, a cell's last bit would depend on how
many neighbours it has. So each lane takes a multiple of 128 bytes.
"""

from __future__ import annotations

import ctypes
import math
import platform
from collections.abc import Callable

import torch
from torch import Tensor

BLOCK = 32
"""Floats in a block: 128 bytes, two AVX-512 registers."""


def blocks(count: int) -> int:
    """`count` floats rounded up to a multiple of `BLOCK`."""
    return -(-count // BLOCK) * BLOCK


def zeros(k: int, *shape: int, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor `[k, *shape]` of zeros; each lane is contiguous and starts on a block boundary."""
    return empty(k, *shape, device=device, dtype=dtype, begin=torch.zeros)


def empty(
    k: int,
    *shape: int,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    begin: Callable[..., Tensor] = torch.empty,
) -> Tensor:
    """The same with any numbers in it, for what is written at once: filling it takes as long as using it."""
    stride = blocks(math.prod(shape))
    inner = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    return begin(k * stride, device=device, dtype=dtype).as_strided((k, *shape), (stride, *inner))


def keep_freed_memory() -> None:
    """Let glibc keep up to 256 MB of what is freed for the next tensor, also in pieces of up to 32 MB.

    Otherwise each tensor of more than some 100 KB is new memory of the system's, which clears its pages first: that
    takes longer than an elementwise operation. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt, trim_threshold, mmap_threshold = ctypes.CDLL(None).mallopt, -1, -3
        mallopt(mmap_threshold, 32 << 20)
        mallopt(trim_threshold, 256 << 20)


def in_float64(x: Tensor) -> Tensor:
    """A float64 copy of `x [K, ...]`, its lanes aligned as `zeros` aligns them."""
    return empty(*x.shape, device=x.device, dtype=torch.float64).copy_(x)


def by_time(x: Tensor) -> tuple[Tensor, ...]:
    """The views `x[:, t]` for all t, made before a time loop: indexing inside it costs as much as a small kernel."""
    return x.unbind(1)


def over_time(x: Tensor) -> Tensor:
    """A view of `[K, T, B, N]` as `[K, T*B, N]`."""
    k, t, b, n = x.shape
    return x.as_strided((k, t * b, n), (x.stride(0), n, 1), x.storage_offset())
