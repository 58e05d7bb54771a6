"""Dot product attention (Luong et al. 2015, "dot"; Bahdanau et al. 2015 score otherwise): a look back at the source.

With e_s the outputs of the highest layer at the S time steps of the source and h_t those behind them,

    a_ts = softmax_s(h_t . e_s),    c_t = sum_s a_ts e_s,    o_t = W [h_t; c_t] + b.

At the steps of the source, where nothing is asked, c_t = 0. Shapes: y `[K, T, B, H]` to z = [h; c] `[K, T, B, 2H]`. The
way back is, with g_ts = dL/dc_t . e_s and d_ts = dL/d(h_t . e_s) = a_ts (g_ts - sum_r a_tr g_tr),

    dL/dh_t += sum_s d_ts e_s,    dL/de_s += sum_t a_ts dL/dc_t + d_ts h_t:

one step from every answer to every state of the source, however far back it is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sweeps.engine.extended import FIELDS, LN_2, Rows, lanes_apart
from sweeps.engine.memory import in_float64, zeros
from sweeps.engine.recurrences import Sizes


class Attention:
    """What stands between the highest layer and a readout of every time step.

    Args:
        sizes: `source` is S, from 1 to T - 1.
    """

    def __init__(self, sizes: Sizes) -> None:
        s, self.source, self.width = sizes, sizes.source, sizes.hidden
        self.z = zeros(s.lanes, s.length, s.batch, 2 * s.hidden, device=s.device)
        self.dy = zeros(s.lanes, s.length, s.batch, s.hidden, device=s.device)
        # a product of all lanes at once may round otherwise than one of each
        self.lanes = [slice(None)] if self.z.is_cuda else [slice(k, k + 1) for k in range(s.lanes)]

    def forward(self, y: Tensor) -> Tensor:
        """[h; c], `[K, T, B, 2H]`, which the next forward pass overwrites."""
        self.y, self.a = y, list[Tensor]()
        self.z[..., : self.width] = y
        for lane in self.lanes:
            h, e = self._parts(y[lane])
            self.a.append((h @ e.mT).softmax(-1))
            self.z[lane, self.source :, :, self.width :] = _swapped(self.a[-1] @ e)
        return self.z

    def backward(self, dz: Tensor) -> Tensor:
        """dL/dy, `[K, T, B, H]`, which the next call overwrites."""
        self.dy.copy_(dz[..., : self.width])
        for lane, a in zip(self.lanes, self.a, strict=True):
            h, e = self._parts(self.y[lane])
            dc = _swapped(dz[lane, self.source :, :, self.width :])
            g = dc @ e.mT
            d = a * (g - (a * g).sum(-1, keepdim=True))
            self.dy[lane, : self.source] += _swapped(a.mT @ dc + d.mT @ h)
            self.dy[lane, self.source :] += _swapped(d @ e)
        return self.dy

    def exact_backward(self, dz: Rows) -> Rows:
        """The same in float64, from the float32 states, with a power of two for each row."""
        exponent = in_float64(dz.exponent.expand(*dz.value.shape[:-1], 1))
        return lanes_apart(self._exact, self.y, in_float64(dz.value), exponent)[0]

    def _exact(self, y: Tensor, value: Tensor, exponent: Tensor) -> tuple[Rows]:
        h, e = self._parts(y.double())
        dc = Rows(_swapped(value[:, self.source :, :, self.width :]), _swapped(exponent[:, self.source :])).settled()
        a, less = shares(h @ e.mT, dc.value @ e.mT)
        a, d = (Rows(part.value, part.exponent + dc.exponent) for part in (a, a * less))
        to_source = _sum(a, dc.value).settled() + _sum(d, h).settled()
        to_target = _sum(Rows(d.value.mT, d.exponent.mT), e).settled()
        parts = [torch.cat([getattr(rows, name) for rows in (to_source, to_target)], 2) for name in FIELDS]
        return (Rows(value[..., : self.width], exponent).settled() + Rows(*map(_swapped, parts)),)

    def _parts(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """h, `[K, B, T - S, H]`, and e, `[K, B, S, H]`."""
        return _swapped(y[:, self.source :]), _swapped(y[:, : self.source])


def shares(scores: Tensor, g: Tensor) -> tuple[Rows, Rows]:
    """a = softmax(scores), and g minus its mean under a; float64 `[..., S]`, each element with an exponent of its own.

    For all but the largest share a_* the second is g_s - sum_r a_r g_r. There, where a_* rounds to 1, it is the sum
    over the others, (1 - a_*) sum_r q_r (g_* - g_r), with q the softmax of their scores alone.
    """
    log_a = scores.log_softmax(-1)
    top = scores.argmax(-1, keepdim=True)
    a = _from_log(log_a)
    mean = (log_a.exp() * g).sum(-1, keepdim=True)
    less = Rows(g - mean, torch.zeros_like(g))
    if scores.shape[-1] == 1:
        return a, less.nothing()
    others = scores.scatter(-1, top, -torch.inf)
    rest = _from_log(log_a.scatter(-1, top, -torch.inf).logsumexp(-1, keepdim=True))
    at_top = rest * (others.softmax(-1) * (g.gather(-1, top) - g)).sum(-1, keepdim=True)
    return a, Rows(*(getattr(less, name).scatter(-1, top, getattr(at_top, name)) for name in FIELDS))


def _from_log(log: Tensor) -> Rows:
    """exp(log) for numbers of any size. From 2**30 on float64 has no digits left for what is not a power of two."""
    exponent = (log / LN_2).floor()
    return Rows((log - torch.where(log.abs() < 2**30, exponent * LN_2, log)).exp(), exponent)


def _sum(weights: Rows, x: Tensor) -> Rows:
    """sum_t w_ts x_t for each s: weights `[K, B, T, S]`, an exponent each, and x `[K, B, T, N]` to `[K, B, S, N]`."""
    settled = weights.settled_apart()
    top = settled.exponent.amax(-2, keepdim=True)
    return Rows(settled.down_to(top).mT @ x, top.mT)


def _swapped(x: Tensor) -> Tensor:
    """`[K, T, B, N]` as `[K, B, T, N]`, or back."""
    return x.transpose(1, 2)
