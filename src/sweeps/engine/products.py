"""Matrix products of a pack, one library call per lane, so that a cell gets the same bits alone and in a pack.

A batched product may use another kernel for one matrix than for several, or for adjacent matrices than for matrices
apart, and round differently (Intel's MKL does so on processors with AVX-512). A lane's operands have the same shape,
strides and alignment in every pack, so a call per lane gives the same bits. On a GPU the lanes are batched: hundreds of
calls would cost more than the products, and equal bytes are not promised there (decision 008).
"""

from __future__ import annotations

import torch
from torch import Tensor


def multiply(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """out = a b for `a [K, M, N]`, `b [K, N, P]`, `out [K, M, P]`."""
    if out.is_cuda:
        return torch.bmm(a, b, out=out)
    for one, other, result in zip(a.unbind(), b.unbind(), out.unbind(), strict=True):
        torch.mm(one, other, out=result)
    return out


def add_product(out: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """out += a b, for the shapes of `multiply`."""
    if out.is_cuda:
        return out.baddbmm_(a, b)
    for one, other, result in zip(a.unbind(), b.unbind(), out.unbind(), strict=True):
        result.addmm_(one, other)
    return out


def project(x: Tensor, w: Tensor, bias: Tensor, out: Tensor) -> Tensor:
    """out = x w + bias for `x [K, M, I]`, `w [K, I, N]`, `bias [K, N]`."""
    if out.is_cuda:
        return torch.baddbmm(bias.unsqueeze(1), x, w, out=out)
    for one, other, each, result in zip(x.unbind(), w.unbind(), bias.unbind(), out.unbind(), strict=True):
        torch.addmm(each, one, other, out=result)
    return out
