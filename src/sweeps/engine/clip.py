"""Gradient clipping, lane by lane, between the backward pass and the optimiser.

A kind of clipping is a function `(g [K, P], norm [K], threshold [K]) -> None` that changes `g` in place; to add one,
write it here and name it in `CLIPS`. Norms are per lane, never over the pack: under threshold 1, lanes of norm 3 and
0.1 must come out at 1 and 0.1, as each would in a pack of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def none(g: Tensor, norm: Tensor, threshold: Tensor) -> None:
    """g -> g: no clipping, and no threshold."""


def norm(g: Tensor, norm: Tensor, threshold: Tensor) -> None:
    """g -> g min(1, threshold / ||g||), ||g|| over all parameters of a lane (Pascanu et al. 2013, algorithm 1).

    g [K, P], norm and threshold [K]. In float64, like the norm: threshold / norm may be smaller than any float32.
    """
    g.mul_((threshold / norm).clamp(max=1.0).unsqueeze(1))


def value(g: Tensor, norm: Tensor, threshold: Tensor) -> None:
    """g -> max(-threshold, min(g, threshold)), element by element (Mikolov 2012); g [K, P], threshold [K]."""
    bound = threshold.to(g.dtype).unsqueeze(1)
    torch.clamp(g, -bound, bound, out=g)


CLIPS: dict[str, Callable[[Tensor, Tensor, Tensor], None]] = {"none": none, "norm": norm, "value": value}


def global_norm(g: Tensor) -> Tensor:
    """The norm of each lane's gradient over all parameters, float64 `[K]`: finite if every element is.

    In float32 the squares would overflow from 1.8e19 on, and a gradient that is merely large would count as diverged.
    """
    return torch.linalg.vector_norm(g, dim=1, dtype=torch.float64)


class Clipper:
    """Clips each lane of a pack with its own kind of clipping and its own threshold."""

    def __init__(self, names: Sequence[str], thresholds: Sequence[float], device: torch.device | str = "cpu") -> None:
        self.names, self.thresholds = list(names), list(thresholds)
        self._threshold = torch.tensor(self.thresholds, dtype=torch.float64, device=device)
        self._groups = [
            (CLIPS[name], torch.tensor([k for k, other in enumerate(self.names) if other == name], device=device))
            for name in dict.fromkeys(self.names)
        ]

    def __call__(self, g: Tensor, norms: Tensor) -> None:
        """Clip `g [K, P]` in place; `norms [K]` are its norms before."""
        for clip, index in self._groups:
            if clip is none:
                continue
            if len(index) == len(self.names):
                clip(g, norms, self._threshold)
            else:
                some = g[index]
                clip(some, norms[index], self._threshold[index])
                g[index] = some

    def keep(self, lanes: Sequence[int]) -> Clipper:
        """The clipper of the given lanes only."""
        return Clipper([self.names[k] for k in lanes], [self.thresholds[k] for k in lanes], self._threshold.device)
