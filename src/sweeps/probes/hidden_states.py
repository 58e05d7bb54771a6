"""Inputs, hidden states and answers over the first sequence of the batch, before training and at the end.

A row for each number: `what` is `input`, `h` or `answer`, `t` the time step of the sequence, `unit` the column. Each
layer reads the states of the one below, so that inputs are those of the lowest alone. The answer is what the readout
makes of the state at t, asked for or not; networks with attention or residual layers, whose readout sees more than that
state, have none. Both directions of a layer count time from the start of the sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from sweeps.probes.base import PLACE, Probe
from sweeps.probes.snapshot import Snapshot

Row = tuple[Any, ...]


def rows(snapshot: Snapshot) -> Iterator[Row]:
    lowest, highest = snapshot.recurrences[0], snapshot.recurrences[-1].layer
    yield from _numbers("input", (0, 0), lowest.x[:, 0])
    above = []
    for one in snapshot.recurrences:
        h = one.after[0][:, 0]
        h = h.flip(0) if one.direction else h
        yield from _numbers("h", one.place, h)
        above += [h] if one.layer == highest else []
    if snapshot.readout is not None:
        weight, bias = snapshot.readout
        yield from _numbers("answer", (highest, 0), torch.cat(above, -1) @ weight + bias)


def _numbers(what: str, place: tuple[int, int], values: Tensor) -> Iterator[Row]:
    for t, numbers in enumerate(values.tolist()):
        for unit, value in enumerate(numbers):
            yield what, *place, t, unit, value


PROBE = Probe(columns=("what", *PLACE, "t", "unit", "value"), rows=rows, ends=True)
