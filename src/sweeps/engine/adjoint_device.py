"""The gradient through time on a device that must not be asked: the trace of `adjoint.py` in tensor operations alone.

`Trace` looks at every norm on the host and rescales where it must. On a GPU each look would wait for the device, and a
CUDA graph cannot look at all. Here every step computes its power of two, 1 where nothing is to be done, and multiplies.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.adjoint import LARGEST, LOG10_2, Trace


class DeviceTrace(Trace):
    """Collects log10 ||dL/dh_t|| for K lanes and T steps; `begin` before every way back, the buffers are reused."""

    def __init__(self, k: int, t: int, device: torch.device | str) -> None:
        self.device_norms = torch.zeros(k, t, dtype=torch.float64, device=device)
        self.device_exponents = torch.zeros(k, t, dtype=torch.int32, device=device)
        self.exponent = torch.zeros(k, dtype=torch.int32, device=device)

    def begin(self) -> None:
        """Forget the exponents of the last way back."""
        self.exponent.zero_()

    def visit(self, t: int, dh: Tensor, *carried: Tensor) -> None:
        """As `Trace.visit`: record `dh = dL/dh_t`, `[K, B, H]`, and bring it and what it carries back into range."""
        norm = size = _norm(dh)
        for other in carried:
            size = torch.maximum(size, _norm(other))
        out = ((size > 0) & (size < 1 / LARGEST)) | ((size > LARGEST) & size.isfinite())
        shift = torch.where(out, torch.frexp(size).exponent.clamp(-126, 126), 0)
        scale = power_of_two(-shift)
        for adjoint in (dh, *carried):
            adjoint.mul_(scale[:, None, None])
        self.exponent += shift
        self.device_norms[:, t] = norm * scale
        self.device_exponents[:, t] = self.exponent

    def restore(self, *deltas: Tensor) -> None:
        """As `Trace.restore`, for deltas `[K, T, B, N]`."""
        self._shift(self.device_exponents[:, :, None, None], *deltas)

    def restore_at(self, t: int, *gradients: Tensor) -> None:
        """As `Trace.restore_at`, for gradients `[K, ...]` that step t alone contributed."""
        for gradient in gradients:
            self._shift(self.device_exponents[:, t].reshape(-1, *[1] * (gradient.dim() - 1)), gradient)

    def log10_norm(self) -> np.ndarray:
        """log10 ||dL/dh_t||, float64 `[K, T]`; -inf where the adjoint is exactly zero. Waits for the device."""
        with np.errstate(divide="ignore"):
            return np.log10(self.device_norms.numpy(force=True)) + self.device_exponents.numpy(force=True) * LOG10_2

    @staticmethod
    def _shift(exponent: Tensor, *tensors: Tensor) -> None:
        """Multiply by 2**exponent in place, in two halves: beyond 2**252 the result is 0 or inf already."""
        half = (exponent // 2).clamp(-126, 126)
        rest = (exponent - half).clamp(-126, 126)
        for tensor in tensors:
            tensor.mul_(power_of_two(half)).mul_(power_of_two(rest))


def power_of_two(exponent: Tensor) -> Tensor:
    """2**exponent as float32, exactly, for exponents from -126 to 126: the bits are put together, not computed."""
    return ((exponent.to(torch.int32) + 127) << 23).view(torch.float32)


def _norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x, dim=(1, 2), dtype=torch.float64)
