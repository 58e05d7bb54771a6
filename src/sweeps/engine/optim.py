"""Optimisers over a pack: weights and gradients `[K, P]`, every hyper-parameter one value per lane.

Each makes the same update as its namesake in torch.optim (defaults included), lane by lane. To add one, write a class
here and name it in `OPTIMIZERS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class Optimizer:
    """State `[K, P]` per name in `state_names`; settings `[K, 1]` per name in `settings`, among them `lr`.

    `options` names the settings beside `lr`, the own options of its YAML. A step consists of tensor operations only, so
    that it can be captured in a CUDA graph.
    """

    state_names: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def __init__(self, weights: Tensor, settings: Sequence[Mapping[str, float]]) -> None:
        self.settings = {
            name: torch.tensor([[lane[name]] for lane in settings], dtype=torch.float32, device=weights.device)
            for name in settings[0]
        }
        self.state = {name: torch.zeros_like(weights) for name in self.state_names}

    def step(self, weights: Tensor, gradients: Tensor) -> None:
        """Update the weights in place."""
        self._update(weights, gradients, **self.settings)

    @property
    def lr(self) -> list[float]:
        """The learning rate of each lane."""
        return self.settings["lr"].squeeze(1).tolist()

    def keep(self, lanes: Sequence[int]) -> None:
        """Keep only these lanes, in that order."""
        index = list(lanes)
        self.settings = {name: value[index] for name, value in self.settings.items()}
        self.state = {name: value[index] for name, value in self.state.items()}

    def _update(self, w: Tensor, g: Tensor, **settings: Tensor) -> None:
        raise NotImplementedError


class Sgd(Optimizer):
    """v = momentum v + g;  w -= lr v."""

    state_names = ("v",)
    options = ("momentum",)

    def _update(self, w: Tensor, g: Tensor, **s: Tensor) -> None:
        v = self.state["v"].mul_(s["momentum"]).add_(g)
        w.sub_(v * s["lr"])


class RmsProp(Optimizer):
    """v = alpha v + (1 - alpha) g^2;  w -= lr g / (sqrt(v) + eps)  (Tieleman & Hinton 2012)."""

    state_names = ("v",)
    options = ("alpha", "eps")

    def _update(self, w: Tensor, g: Tensor, **s: Tensor) -> None:
        v = self.state["v"].mul_(s["alpha"]).add_(g.square().mul_(1 - s["alpha"]))
        w.sub_(s["lr"] * g / v.sqrt().add_(s["eps"]))


class Adam(Optimizer):
    """m, v: moving means of g and g^2, bias-corrected;  w -= lr m / (sqrt(v) + eps)  (Kingma & Ba 2015)."""

    state_names = ("m", "v")
    options = ("beta1", "beta2", "eps")

    def __init__(self, weights: Tensor, settings: Sequence[Mapping[str, float]]) -> None:
        super().__init__(weights, settings)
        for name in ("power1", "power2"):  # beta ** updates, of each lane
            self.state[name] = torch.ones(len(weights), 1, dtype=torch.float64, device=weights.device)

    def _update(self, w: Tensor, g: Tensor, **s: Tensor) -> None:
        power1, power2 = (self.state[f"power{i}"].mul_(s[f"beta{i}"]) for i in (1, 2))
        m = self.state["m"].mul_(s["beta1"]).add_(g * (1 - s["beta1"]))
        v = self.state["v"].mul_(s["beta2"]).add_(g.square().mul_(1 - s["beta2"]))
        size = s["lr"] / (1 - power1).float()
        root = (1 - power2).sqrt().float()
        w.sub_(size * m / v.sqrt().div_(root).add_(s["eps"]))


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": Sgd, "rmsprop": RmsProp, "adam": Adam}
