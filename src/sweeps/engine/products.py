"""Matrix products of a pack, a call for each lane: a library that sees one lane cannot let others choose its path.

A batched product may take another kernel for one matrix than for several, or for matrices that lie together than for
matrices apart, and round otherwise (Intel's MKL does so on processors with AVX-512). A lane's operands have the same
shape, strides and alignment whatever the pack, so a call of their own gives the same bits. On a GPU the lanes go
together: hundreds of calls would cost more than the products, and bytes are promised there to nobody (decision 008).
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
    """out += a b, the same shapes."""
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
