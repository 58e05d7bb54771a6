"""Singular values of dh_T/dh_t: by how much a change of the state at t, in its best and its worst direction, arrives.

    dh_T/dh_t = E' J_T J_{T-1} ... J_{t+1} E,    J_t = ds_t/ds_{t-1}

T is the last time step of the recurrence, s = (h, ...) the whole state, E picks h from it: what passes step t in other
parts of the state, such as an LSTM's cell state, is not in it, as in ||dL/dh_t|| of the record. For a loss of the last
state alone ||dL/dh_t|| <= sigma_1 ||dL/dh_T|| in each sequence (Pascanu et al. 2013, equation 5). Products and singular
values are computed as in `graded`, so that none over- or underflows and the small ones are right to many digits.

A row for each singular value, of the first sequences of the batch, at lags T - t of 1, 2, 4, ... and the longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sweeps.probes.base import PLACE, Probe
from sweeps.probes.graded import Floats, Graded
from sweeps.probes.snapshot import Recurrent, Snapshot
from sweeps.probes.step_jacobian import jacobians

LOG10_2 = float(np.log10(2.0))


def lags(length: int) -> list[int]:
    """The lags at which singular values are recorded, in T time steps: powers of 2 and T - 1."""
    return sorted({*(2**n for n in range(length.bit_length()) if 2**n < length), *([length - 1] if length > 1 else [])})


def singular_values(one: Recurrent) -> Iterator[tuple[int, Floats]]:
    """The lag and log2 of the singular values `[B, H]` of dh_T/dh_t, the largest first."""
    length, hidden, wanted = one.x.shape[0], one.before[0].shape[-1], lags(one.x.shape[0])
    product: Graded | None = None
    kept: list[Graded] = []
    for t, jacobian in jacobians(one, range(length - 1, 0, -1)):
        transposed = np.swapaxes(jacobian, 1, 2)
        if product is None:
            product = Graded.identity(len(jacobian), transposed.shape[1], hidden)
        product = product.times(transposed)
        if length - t in wanted:
            kept.append(product.rows(hidden))
    if kept:
        found = Graded.beside(kept).log2_singular_values()  # all at once: the iteration is mostly calls
        yield from zip(wanted, np.split(found, len(kept)), strict=True)


def rows(snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    for one in snapshot.recurrences:
        for lag, found in singular_values(one):
            for sequence, values in enumerate(found * LOG10_2):
                for i, value in enumerate(values.tolist()):
                    yield *one.place, sequence, one.x.shape[0] - 1 - lag, lag, i, value


PROBE = Probe(columns=(*PLACE, "sequence", "t", "lag", "i", "log10_sigma"), rows=rows)
