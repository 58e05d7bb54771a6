"""Every gate over time: its mean, its histogram, and what the gates that keep the state leave of it until the end.

    log10_carry(t) = mean over batch and units of log10 of f_{t+1} f_{t+2} ... f_T

for a gate f that the state before is multiplied by (the LSTM's and JANET's f, the GRU's z, 1 - f of the MGU); empty for
others. Without its other ways through time a gradient would be left with 10^log10_carry of itself (Hochreiter &
Schmidhuber 1997: the constant error carousel, and what a forget gate makes of it).

A row for each gate and time step t; `tenth_0` .. `tenth_9` are the shares of batch and units whose gate lies in each
tenth of 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sweeps.probes.base import PLACE, Probe
from sweeps.probes.noted import calls
from sweeps.probes.snapshot import Snapshot

TENTHS = tuple(f"tenth_{n}" for n in range(10))


def log10_carry(a: Tensor) -> Tensor:
    """Of sigmoid(a), a `[T, B, H]`, the mean log10 of the product over all later time steps, `[T]`; 0 at the last."""
    each = torch.nn.functional.logsigmoid(a).mean((1, 2)) / np.log(10.0)
    return each.flip(0).cumsum(0).flip(0) - each


def rows(snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    for one in snapshot.recurrences:
        for call, a in calls(one):
            if call.function != "sigmoid" or call.name == "h":  # h is the state of a sigmoid RNN, no gate
                continue
            values = a.sigmoid()
            place = (values * 10).long().clamp(max=9).flatten(1)
            carried = log10_carry(a).tolist() if call.carries else [None] * len(a)
            for t, carry in enumerate(carried):
                shares = torch.bincount(place[t], minlength=10).double() / place.shape[1]
                yield *one.place, call.name, t, float(values[t].mean()), carry, *shares.tolist()


PROBE = Probe(columns=(*PLACE, "gate", "t", "mean", "log10_carry", *TENTHS), rows=rows)
