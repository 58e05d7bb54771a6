"""The gradient through time, ||dL/dh_t|| for every t.

At updates that are logged, a backward pass of its own computes it from the pre-activations of the forward pass, in
float64 with a power of two for each sequence. The gradients that train are computed in float32, by another backward
pass, and do not depend on it. Decision 011 gives the reasons.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from sweeps.engine.extended import Rows, power_of_two

LOG10_2 = math.log10(2.0)


class Trace:
    """||dL/dh_t|| (Frobenius norm over batch and hidden units, L the mean loss) for K lanes and T steps.

    `norms` and `exponents` are float64 `[K, T]`: the norm at (k, t) is norms * 2**exponents. A recurrence calls `note`
    at each time step; a native kernel writes the two tensors itself. Only `log10_norm` waits for the device.
    """

    def __init__(self, k: int, t: int, device: torch.device | str = "cpu") -> None:
        self.norms = torch.zeros(k, t, dtype=torch.float64, device=device)
        self.exponents = torch.zeros(k, t, dtype=torch.float64, device=device)

    def lane(self, k: int) -> Trace:
        """The trace of one lane, in the memory of this one."""
        own = Trace(0, 0)
        own.norms, own.exponents = self.norms[k : k + 1], self.exponents[k : k + 1]
        return own

    def steps(self, start: int, end: int) -> Trace:
        """The trace of time steps `start` to `end` - 1, in the memory of this one."""
        own = Trace(0, 0)
        own.norms, own.exponents = self.norms[:, start:end], self.exponents[:, start:end]
        return own

    def note(self, t: int, dh: Rows) -> None:
        """Record the norm of `dh = dL/dh_t`, `[K, B, H]`, which must be normalised by `Rows.settled`."""
        top = dh.exponent.amax(1)  # [K, 1]
        squares = dh.value.square().sum(-1) * power_of_two(dh.exponent.squeeze(-1) - top).square()
        self.norms[:, t] = squares.sum(-1).sqrt()
        self.exponents[:, t] = top.squeeze(-1)

    def log10_norm(self) -> np.ndarray:
        """log10 ||dL/dh_t||, float64 `[K, T]`; -inf where the gradient is exactly zero. Waits for the device."""
        norms, exponents = self.norms.numpy(force=True), self.exponents.numpy(force=True)
        with np.errstate(divide="ignore"):
            return np.where(norms == 0, -np.inf, np.log10(norms) + exponents * LOG10_2)
