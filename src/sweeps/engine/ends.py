"""Where the sequences of a batch end: those of different lengths are padded behind their end to T time steps.

A direction that reads forwards ends at its sequence's last time step, one that reads in reverse at the first; it begins
at the sequence's own end, not in the padding. What a recurrence computes in the padding reaches no answer and no loss.
`lengths` are the time steps of each sequence, int64 `[K, B]`; None: all have T.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sweeps.engine.extended import ZERO, Rows


def share_of_each(lengths: Tensor, steps: int, dtype: torch.dtype) -> Tensor:
    """`[K, T, B, 1]`: one over its sequence's length at each of its time steps, 0 in the padding."""
    t = torch.arange(steps, device=lengths.device).view(1, -1, 1, 1)
    own = lengths[:, None, :, None]
    return (t < own).to(dtype) / own


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """`[K, T, B, N]` with the time steps of each sequence in the opposite order, its padding where it was."""
    if lengths is None:
        return x.flip(1)
    t = torch.arange(x.shape[1], device=x.device).view(1, -1, 1, 1)
    own = lengths[:, None, :, None]
    return x.gather(1, torch.where(t < own, own - 1 - t, t).expand_as(x))


def reverse_rows(rows: Rows, lengths: Tensor | None) -> Rows:
    """The same for rows with a power of two each."""
    return Rows(reverse(rows.value, lengths), reverse(rows.exponent, lengths))


def at_end(y: Tensor, lengths: Tensor | None) -> Tensor:
    """y `[K, T, B, N]` at each sequence's last time step, `[K, B, N]`."""
    return y[:, -1] if lengths is None else y.gather(1, _places(y, lengths)).squeeze(1)


def whole(dz: Tensor, steps: int, hidden: int, lengths: Tensor | None) -> Tensor:
    """The gradient of outputs at every time step, `[K, T, B, O]`, from that of what each direction ends with.

    Args:
        dz: `[K, B, O]`; columns from `hidden` on are of the direction that reads in reverse. One of `[K, T, B, O]` is
            returned as it is.
    """
    if dz.dim() == 4:
        return dz
    out = dz.new_zeros((len(dz), steps, *dz.shape[1:]))
    _put(out[..., :hidden], dz[..., :hidden], lengths)
    out[:, 0, :, hidden:] = dz[..., hidden:]
    return out


def whole_rows(dz: Rows, steps: int, hidden: int, lengths: Tensor | None) -> Rows:
    """The same for rows with a power of two each."""
    if dz.value.dim() == 4:
        return dz
    exponent = dz.exponent.new_full((len(dz.exponent), steps, *dz.exponent.shape[1:]), ZERO)
    _put(exponent, dz.exponent, lengths)
    if dz.value.shape[-1] > hidden:
        exponent[:, 0] = dz.exponent
    return Rows(whole(dz.value, steps, hidden, lengths), exponent)


def _put(out: Tensor, end: Tensor, lengths: Tensor | None) -> None:
    if lengths is None:
        out[:, -1] = end
    else:
        out.scatter_(1, _places(out, lengths), end.unsqueeze(1))


def _places(like: Tensor, lengths: Tensor) -> Tensor:
    return (lengths - 1)[:, None, :, None].expand(-1, 1, -1, like.shape[-1])
