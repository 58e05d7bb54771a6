"""Lanes computed one after the other, each as a pack of its own, for code whose operations go over all lanes at once.

A batched product or a vectorised function may treat the same numbers differently in a pack of another size, and an
architecture's definition is free to use any. So that a cell has the same bits alone and in a pack, each lane is run by
itself; on a GPU, where equal bytes are not promised, lanes stay together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import FIELDS, Rows
from sweeps.engine.memory import zeros
from sweeps.engine.recurrences.base import Joint, Recurrence, Sizes, Start

Tensors = Mapping[str, Tensor]


class Apart:
    """A `Recurrence` made from one of a single lane for each lane."""

    def __init__(self, sizes: Sizes, lanes: Sequence[Recurrence]) -> None:
        self.lanes = lanes
        self.h = zeros(sizes.lanes, sizes.length, sizes.batch, sizes.hidden)

    def forward(self, p: Tensors, x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        for k, lane in enumerate(self.lanes):
            self.h[k : k + 1] = lane.forward(_of(k, p), x[k : k + 1], keep, _parts(k, start))
        return self.h

    def end(self) -> tuple[Tensor, ...]:
        return tuple(torch.cat(part) for part in zip(*(lane.end() for lane in self.lanes), strict=True))

    def backward(
        self,
        p: Tensors,
        x: Tensor,
        dy: Tensor,
        grads: Tensors,
        dx: Tensor | None = None,
        d_start: Start = None,
        d_end: Start = None,
    ) -> None:
        for k, lane in enumerate(self.lanes):
            below = None if dx is None else dx[k : k + 1]
            parts = _parts(k, d_start), _parts(k, d_end)
            lane.backward(_of(k, p), x[k : k + 1], dy[k : k + 1], _of(k, grads), below, *parts)

    def through_time(
        self, p: Tensors, dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        dx, starts = [], []
        for k, lane in enumerate(self.lanes):
            own = None if joint is None else Joint([_rows(k, part) for part in joint.later])
            dx.append(lane.through_time(_of(k, p), _rows(k, dy), trace.lane(k), below, own))
            starts.append(() if own is None else own.start)
        if joint is not None:
            joint.start = [_together(parts) for parts in zip(*starts, strict=True)]
        return _together([rows for rows in dx if rows is not None]) if below else None


def _rows(k: int, rows: Rows) -> Rows:
    return Rows(rows.value[k : k + 1], rows.exponent[k : k + 1])


def _together(lanes: Sequence[Rows]) -> Rows:
    return Rows(*(torch.cat([getattr(rows, name) for rows in lanes]) for name in FIELDS))


def _parts(k: int, state: Start) -> Start:
    return None if state is None else [part[k : k + 1] for part in state]


def _of(k: int, tensors: Tensors) -> dict[str, Tensor]:
    return {name: value[k : k + 1] for name, value in tensors.items()}
