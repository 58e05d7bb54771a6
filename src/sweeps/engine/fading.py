"""Relu states below float32's range, flushed to 0, whose units are active all the same and pass the gradient on.

In float32 such a unit has pre-activation 0, where the derivative of relu is 0; its true pre-activation is a tiny
positive number, where it is 1. For the trace the true sign is found by computing the recurrence with extended range.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sweeps.engine.extended import Rows
from sweeps.engine.memory import in_float64

FAINT = 2.0**-40
"""About 1e-12: far above 1e-38, below which float32 loses first the smaller units of a state and then all of them."""


def revive(p: Mapping[str, Tensor], x: Tensor, h: Tensor, pre: Tensor) -> None:
    """Replace pre-activations that float32 has lost by their true sign (-1, 0, 1), in place.

    This is done at time steps where all pre-activations of a sequence are below `FAINT`: there they are computed again
    from the state before, with a range beyond float64's. Lanes in which no state fades keep every bit.

    Args:
        p: `weight_ih`, `weight_hh` and `bias` of the forward pass.
        x: inputs of that pass, `[K, T*B, I]`.
        h: its states, `[K, T+1, B, H]`, h_{-1} first.
        pre: its pre-activations, `[K, T, B, H]`; changed.
    """
    _, t, b, _ = pre.shape
    if not pre.numel() or (pre.device.type == "cpu" and not bool(_fades(h, pre).any())):
        return
    faded = _fades(h, pre).any(1).any(1)  # [K]: other lanes keep every bit
    w, u, bias = (in_float64(p[name]) for name in ("weight_hh", "weight_ih", "bias"))
    inputs = in_float64(x).unflatten(1, (t, b))
    state = Rows.of(in_float64(h[:, 0])).settled()
    for step in range(t):
        drive = (Rows.of(inputs[:, step]) @ u).value + bias.unsqueeze(1)
        exact = (state @ w + Rows.of(drive).settled()).settled()
        seen = pre[:, step].double()
        faint = seen.abs().amax(-1, keepdim=True) < FAINT  # [K, B, 1]
        pre[:, step] = torch.where(faint & faded[:, None, None], exact.value.sign().float(), pre[:, step])
        kept = Rows.of(seen).settled()
        a = Rows(torch.where(faint, exact.value, kept.value), torch.where(faint, exact.exponent, kept.exponent))
        state = Rows(a.value.clamp(min=0.0), a.exponent).settled()


def _fades(h: Tensor, pre: Tensor) -> Tensor:
    """Whether a non-zero state leads to pre-activations that are all below `FAINT`, `[K, T, B]`."""
    return (h[:, :-1].abs().amax(-1) > 0) & (pre.abs().amax(-1) < FAINT)
