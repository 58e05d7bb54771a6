"""Eigenvalues and singular values of every recurrent matrix, gate by gate, and how far each is from orthogonal.

A row for each i: the i-th eigenvalue, the largest in modulus first, and the i-th singular value, the largest first.
`from_orthogonal` is ||W'W - I||_F / sqrt(H), the root mean square of sigma^2 - 1, the same in all rows of a matrix.
The matrix that the time step multiplies by is meant: of an orthogonal RNN the one that its parameters are made to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from sweeps.engine.parameters import recorded
from sweeps.probes.base import PLACE, Probe
from sweeps.probes.snapshot import Recurrent, Snapshot


def matrices(one: Recurrent) -> Iterator[tuple[str, Tensor]]:
    """Each recurrent matrix `[H, H]` by the name of its parameter and gate, such as `weight_hh.f`."""
    for name, parameter in one.parameters.items():
        if parameter.draw == "recurrent":
            yield from recorded(name, parameter, one.prepared[name][0]).items()


def rows(snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    for one in snapshot.recurrences:
        for name, matrix in matrices(one):
            w = matrix.numpy()
            if not np.isfinite(w).all():
                continue
            eigen = np.linalg.eigvals(w)
            eigen = eigen[np.lexsort((eigen.imag, -np.abs(eigen)))]
            sigma = np.linalg.svd(w, compute_uv=False)
            far = float(np.sqrt(np.mean((sigma**2 - 1) ** 2)))
            for i, (value, singular) in enumerate(zip(eigen, sigma, strict=True)):
                yield *one.place, name, i, float(value.real), float(value.imag), float(singular), far


PROBE = Probe(columns=(*PLACE, "matrix", "i", "re", "im", "sigma", "from_orthogonal"), rows=rows)
