"""Gradient clipping, lane by lane, between the backward pass and the optimiser.

A kind of clipping is a function `(g [K, P], norm [K], threshold [K], **own) -> None` that changes `g` in place; to add
one, write it here and name it in `CLIPS`. Its own options come as `[K]`; if it names `parts` it gets the places of the
parameters in P, if it names `history` the norms so far. Norms are per lane, never over the pack: under threshold 1,
lanes of norm 3 and 0.1 must come out at 1 and 0.1, as each would in a pack of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sweeps.engine.norm_history import NormHistory
from sweeps.signatures import named


def none(g: Tensor, norm: Tensor, threshold: Tensor) -> None:
    """g -> g: no clipping, and no threshold."""


def norm(g: Tensor, norm: Tensor, threshold: Tensor) -> None:
    """g -> g min(1, threshold / ||g||), ||g|| over all parameters of a lane (Pascanu et al. 2013, algorithm 1).

    g [K, P], norm and threshold [K].
    """
    clip_to(g, norm, threshold)


def value(g: Tensor, norm: Tensor, threshold: Tensor) -> None:
    """g -> max(-threshold, min(g, threshold)), element by element (Mikolov 2012); g [K, P], threshold [K]."""
    bound = threshold.to(g.dtype).unsqueeze(1)
    torch.clamp(g, -bound, bound, out=g)


def per_parameter(g: Tensor, norm: Tensor, threshold: Tensor, parts: Sequence[slice]) -> None:
    """g_p -> g_p min(1, threshold / ||g_p||) for each parameter p by itself: `clipnorm` of Keras.

    A weight matrix with all its gate blocks is one parameter, a bias another. Shapes as for `norm`.
    """
    del norm
    for part in parts:
        own = g[:, part]
        own.mul_((threshold / global_norm(own)).clamp(max=1.0).unsqueeze(1))


def adaptive(
    g: Tensor, norm: Tensor, threshold: Tensor, history: NormHistory, percentile: Tensor, window: Tensor
) -> None:
    """g -> g min(1, q / ||g||), q threshold times a percentile of the norms of the last `window` updates, this one too.

    AutoClip of Seetharaman et al. (2020), who take the 10th percentile of all updates; norms are those before clipping.
    Shapes as for `norm`; percentile and window [K].
    """
    del window  # `history` has that of each lane
    history.add(norm)
    clip_to(g, norm, threshold * history.percentile(percentile / 100))


CLIPS: dict[str, Callable[..., None]] = {
    "none": none,
    "norm": norm,
    "value": value,
    "per_parameter": per_parameter,
    "adaptive": adaptive,
}
GIVEN = ("parts", "history")
"""What a kind of clipping may name beside its own options."""


def clip_to(g: Tensor, norm: Tensor, bound: Tensor) -> None:
    """g -> g min(1, bound / ||g||). In float64, like the norm: bound / norm may be smaller than any float32."""
    g.mul_((bound / norm).clamp(max=1.0).unsqueeze(1))


def global_norm(g: Tensor) -> Tensor:
    """The norm of each lane's gradient over all parameters, float64 `[K]`: finite if every element is.

    In float32 the squares would overflow from 1.8e19 on, and a gradient that is merely large would count as diverged.
    """
    return torch.linalg.vector_norm(g, dim=1, dtype=torch.float64)


class _Group:
    """The lanes of a pack that have one kind of clipping."""

    def __init__(
        self,
        clip: Callable[..., None],
        lanes: Sequence[int],
        options: Sequence[Mapping[str, float]],
        parts: Sequence[slice],
        device: torch.device | str,
    ) -> None:
        self.clip, self.lanes, self.index = clip, list(lanes), torch.tensor(list(lanes), device=device)
        asked = named(clip, 3)
        self.given: dict[str, Any] = {
            name: torch.tensor([each[name] for each in options], dtype=torch.float64, device=device)
            for name in options[0]
            if name in asked
        }
        self.history = NormHistory(self.given["window"].long()) if "history" in asked else None
        self.given |= {name: each for name, each in (("parts", parts), ("history", self.history)) if name in asked}


class Clipper:
    """Clips each lane of a pack with its own kind of clipping and its own threshold.

    Args:
        names: of the kind of each lane.
        options: the own options of each lane's kind.
        parts: the places of the parameters in a lane's gradient.
    """

    def __init__(
        self,
        names: Sequence[str],
        thresholds: Sequence[float],
        device: torch.device | str = "cpu",
        options: Sequence[Mapping[str, float]] | None = None,
        parts: Sequence[slice] = (),
    ) -> None:
        self.names, self.thresholds, self.parts = list(names), list(thresholds), list(parts)
        self.options = list(options or [{} for _ in self.names])
        self._threshold = torch.tensor(self.thresholds, dtype=torch.float64, device=device)
        self._groups = []
        for name in dict.fromkeys(self.names):
            lanes = [k for k, other in enumerate(self.names) if other == name]
            self._groups.append(_Group(CLIPS[name], lanes, [self.options[k] for k in lanes], self.parts, device))

    def __call__(self, g: Tensor, norms: Tensor) -> None:
        """Clip `g [K, P]` in place; `norms [K]` are its norms before."""
        for group in self._groups:
            if group.clip is none:
                continue
            if len(group.lanes) == len(self.names):
                group.clip(g, norms, self._threshold, **group.given)
            else:
                some = g[group.index]
                group.clip(some, norms[group.index], self._threshold[group.index], **group.given)
                g[group.index] = some

    @property
    def memory(self) -> list[Tensor]:
        """What a call changes beside the gradients."""
        histories = [group.history for group in self._groups if group.history is not None]
        return [tensor for history in histories for tensor in (history.norms, history.count)]

    def state(self, lane: int) -> dict[str, Tensor]:
        """What a lane's clipping knows of its run, by name: views of this memory; {} where it needs nothing."""
        for group in self._groups:
            if lane in group.lanes and group.history is not None:
                row, window = group.lanes.index(lane), int(self.options[lane]["window"])
                return {"norms": group.history.norms[row, :window], "count": group.history.count[row : row + 1]}
        return {}

    def keep(self, lanes: Sequence[int]) -> Clipper:
        """The clipper of the given lanes only, with what it knows of them."""
        less = Clipper(
            [self.names[k] for k in lanes],
            [self.thresholds[k] for k in lanes],
            self._threshold.device,
            [self.options[k] for k in lanes],
            self.parts,
        )
        for new, old in enumerate(lanes):
            for name, values in less.state(new).items():
                values.copy_(self.state(old)[name])
        return less
