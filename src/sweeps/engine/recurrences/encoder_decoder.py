"""An encoder and a decoder (Sutskever et al. 2014; Cho et al. 2014): two recurrences, one behind the other in time.

The encoder reads the S time steps of the source, the decoder, with weights of its own, the T - S behind; it starts in
the state in which the encoder ended, cell state included:

    s_t = f(s_{t-1}, x_t; encoder) for t < S,    s_t = f(s_{t-1}, x_t; decoder) for t >= S.

Both together are one recurrence over T time steps, whose dL/dh_t is recorded along both. The decoder's parameters have
the names of the architecture with `_decoder` behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import FIELDS, Rows
from sweeps.engine.memory import zeros
from sweeps.engine.recurrences.base import Joint, Recurrence, Sizes, Start

DECODER = "_decoder"
"""What stands behind the names of the decoder's parameters."""


class EncoderDecoder:
    """A `Recurrence` made of two.

    Args:
        sizes: of both together; `source` is S, from 1 to T - 1.
        states: number of tensors in the state.
        make: a recurrence of these sizes.
    """

    def __init__(self, sizes: Sizes, states: int, make: Callable[[Sizes], Recurrence]) -> None:
        s = self.sizes = sizes
        self.encoder = make(replace(s, length=s.source, source=0))
        self.decoder = make(replace(s, length=s.length - s.source, source=0))
        self.rows = s.source * s.batch  # of x that the encoder reads
        self.h = zeros(s.lanes, s.length, s.batch, s.hidden, device=s.device)
        self.d_state = [zeros(s.lanes, s.batch, s.hidden, device=s.device) for _ in range(states)]

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        encoder, decoder = _apart(p)
        self.h[:, : self.sizes.source] = self.encoder.forward(encoder, x[:, : self.rows], keep, start)
        between = self.encoder.end()
        self.h[:, self.sizes.source :] = self.decoder.forward(decoder, x[:, self.rows :], keep, between)
        return self.h

    def end(self) -> tuple[Tensor, ...]:
        return self.decoder.end()

    def backward(
        self,
        p: Mapping[str, Tensor],
        x: Tensor,
        dy: Tensor,
        grads: Mapping[str, Tensor],
        dx: Tensor | None = None,
        d_start: Start = None,
        d_end: Start = None,
    ) -> None:
        source, every = self.sizes.source, dy.dim() == 4
        (encoder, decoder), (to_encoder, to_decoder) = _apart(p), _apart(grads)
        down = (None, None) if dx is None else (dx[:, : self.rows], dx[:, self.rows :])
        behind = dy[:, source:] if every else dy
        self.decoder.backward(decoder, x[:, self.rows :], behind, to_decoder, down[1], self.d_state, d_end)
        h, *others = self.d_state
        if every:
            dy[:, source - 1].add_(h)
        own = dy[:, :source] if every else h
        self.encoder.backward(encoder, x[:, : self.rows], own, to_encoder, down[0], d_start, others)

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        source, every = self.sizes.source, dy.value.dim() == 4
        encoder, decoder = _apart(p)
        behind = Joint(joint.later if joint else ())
        own = dy.steps(source, self.sizes.length) if every else dy
        dx_decoder = self.decoder.through_time(decoder, own, trace.steps(source, self.sizes.length), below, behind)
        h, *others = (part.settled() for part in behind.start)
        if every:
            last = h + dy.at(source - 1).settled()
            value, exponent = dy.value[:, :source].clone(), _of_rows(dy)[:, :source].clone()
            value[:, -1], exponent[:, -1] = last.value, last.exponent
            h = Rows(value, exponent)
        before = Joint(others)
        dx_encoder = self.encoder.through_time(encoder, h, trace.steps(0, source), below, before)
        if joint is not None:
            joint.start = before.start
        if dx_encoder is None or dx_decoder is None:
            return None
        return Rows(*(torch.cat([_of_rows(dx_encoder, name), _of_rows(dx_decoder, name)], 1) for name in FIELDS))


def _of_rows(rows: Rows, field: str = "exponent") -> Tensor:
    """A field of rows; one exponent for each of them."""
    part: Tensor = getattr(rows, field)
    return part if field == "value" else part.expand(*rows.value.shape[:-1], 1)


def _apart(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What belongs to the encoder and to the decoder, under the names of the architecture."""
    encoder = {name: each for name, each in tensors.items() if not name.endswith(DECODER)}
    decoder = {name.removesuffix(DECODER): each for name, each in tensors.items() if name.endswith(DECODER)}
    return encoder, decoder
