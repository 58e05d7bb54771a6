"""A probe of the weights: norms of each parameter and its gradient, and the spectrum of each recurrent matrix."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from sweeps.engine.parameters import recorded
from sweeps.engine.setup import Training


class ParameterRow(NamedTuple):
    """Norms of one parameter of one cell; the two spectral values are None except for recurrent matrices."""

    parameter: str
    grad_norm: float
    weight_norm: float
    spectral_radius: float | None = None
    sigma_max: float | None = None


def spectrum(w: Tensor) -> tuple[float, float]:
    """Spectral radius and largest singular value of `[H, H]`, in float64; nan where the matrix is not finite."""
    matrix = w.double().contiguous()
    if not torch.isfinite(matrix).all():
        return math.nan, math.nan
    radius = torch.linalg.eigvals(matrix).abs().max()
    return float(radius), float(torch.linalg.matrix_norm(matrix, 2))


def _norm(x: Tensor) -> float:
    """Frobenius norm, in float64: in float32 the squares leave the range long before the elements do."""
    return float(torch.linalg.vector_norm(x, dtype=torch.float64))


def parameter_rows(training: Training, lane: int) -> list[ParameterRow]:
    """One row per parameter of a lane; one that the initialisation draws has a row per gate."""
    rows = []
    network = training.network
    for name, parameter in network.parameters(network.options).items():
        w, g = network.p[name][lane].cpu(), network.grads[name][lane].cpu()
        slopes = recorded(name, parameter, g)
        for label, block in recorded(name, parameter, w).items():
            spectral = spectrum(block) if parameter.draw == "recurrent" else ()
            rows.append(ParameterRow(label, _norm(slopes[label]), _norm(block), *spectral))
    return rows
