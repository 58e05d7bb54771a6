"""Relu states that fade below float32 and are flushed to 0, while their units are alive and pass the gradient on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sweeps.engine.extended import ZERO, Rows
from sweeps.engine.memory import in_float64

FAINT = 2.0**-40
"""Some 1e-12, far above 1e-38, where float32 begins to lose first the smaller units of a state and then all."""


def revive(p: Mapping[str, Tensor], x: Tensor, h: Tensor, pre: Tensor) -> None:
    """Give pre-activations that float32 has lost the sign that they have, in place, where a whole state has faded.

    The recurrence is taken anew, beyond float64's range, from where a sequence has faded; nothing is done to others.

    Args:
        p: `weight_ih`, `weight_hh` and `bias` of the pass.
        x: its inputs, `[K, T*B, I]`.
        h: its states, `[K, T+1, B, H]`, h_{-1} first.
        pre: its pre-activations, `[K, T, B, H]`.
    """
    _, t, b, _ = pre.shape
    if not pre.numel() or (pre.device.type == "cpu" and not bool(_fades(h, pre).any())):
        return
    faded = _fades(h, pre).any(1).any(1)  # [K]: other lanes keep every bit
    w, u, bias = (in_float64(p[name]) for name in ("weight_hh", "weight_ih", "bias"))
    inputs = in_float64(x).unflatten(1, (t, b))
    nothing = torch.zeros_like(pre[:, 0], dtype=torch.float64)
    state = Rows(nothing, torch.full_like(nothing[..., :1], ZERO))
    for step in range(t):
        drive = (Rows.of(inputs[:, step]) @ u).value + bias.unsqueeze(1)
        own = (state @ w + Rows.of(drive).settled()).settled()
        seen = pre[:, step].double()
        faint = seen.abs().amax(-1, keepdim=True) < FAINT  # [K, B, 1]
        pre[:, step] = torch.where(faint & faded[:, None, None], own.value.sign().float(), pre[:, step])
        there = Rows.of(seen).settled()
        now = Rows(torch.where(faint, own.value, there.value), torch.where(faint, own.exponent, there.exponent))
        state = Rows(now.value.clamp(min=0.0), now.exponent).settled()


def _fades(h: Tensor, pre: Tensor) -> Tensor:
    """Where a state that was not 0 leads to pre-activations that are all next to 0, `[K, T, B]`."""
    return (h[:, :-1].abs().amax(-1) > 0) & (pre.abs().amax(-1) < FAINT)
