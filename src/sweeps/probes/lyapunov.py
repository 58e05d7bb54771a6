"""Finite-time Lyapunov exponents of a recurrence, driven by what it reads.

    lambda_i = 1 / n sum_t ln |R_t[i, i]|,    J_t Q_{t-1} = Q_t R_t,    J_t = ds_t/ds_{t-1}

of the whole state s (Benettin et al. 1980; Vogt et al. 2022). They are in nats a time step: exp(lambda_1) is the factor
by which a small change of the state grows or shrinks, once it has turned to where it grows the most, and the factor per
step of the gradient on its way back. The first quarter of the steps lets Q turn; n are the others.

A row for each exponent, the largest first: mean and standard deviation over the first sequences of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sweeps.probes.base import PLACE, Probe
from sweeps.probes.graded import Floats
from sweeps.probes.snapshot import Recurrent, Snapshot
from sweeps.probes.step_jacobian import jacobians

TURNING = 0.25
"""Share of the time steps that are left out."""


def exponents(one: Recurrent) -> Floats:
    """`[B, S]`, the largest first; -inf where a change is gone altogether."""
    length, q, total = one.x.shape[0], None, np.zeros(0)
    first = int(TURNING * length)
    for t, jacobian in jacobians(one):
        product = jacobian if q is None else jacobian @ q
        q, r = np.linalg.qr(product)
        if t == first:
            total = np.zeros(r.shape[:2])
        if t >= first:
            with np.errstate(divide="ignore"):
                total += np.log(np.abs(np.diagonal(r, axis1=1, axis2=2)))
    found: Floats = -np.sort(-total / (length - first), axis=1)
    return found


def rows(snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    for one in snapshot.recurrences:
        found = exponents(one)
        with np.errstate(invalid="ignore"):
            spread = found.std(axis=0)
        for i, (mean, deviation) in enumerate(zip(found.mean(axis=0).tolist(), spread.tolist(), strict=True)):
            yield *one.place, i, mean, deviation


PROBE = Probe(columns=(*PLACE, "i", "exponent", "deviation"), rows=rows)
