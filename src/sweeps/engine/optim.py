"""Optimisers over a pack: weights and gradients `[K, P]`, every hyper-parameter one value per lane.

Each makes the same update as its namesake in torch.optim (defaults included), lane by lane. To add one, write a class
here and name it in `OPTIMIZERS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

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

    def change_lr(self, rates: Sequence[float]) -> None:
        """Set the learning rate of each lane, in place: a captured step reads it where it is."""
        self.settings["lr"].copy_(torch.tensor([[rate] for rate in rates], dtype=torch.float32))

    def _update(self, w: Tensor, g: Tensor, **settings: Tensor) -> None:
        raise NotImplementedError


class Sgd(Optimizer):
    """v = momentum v + g;  w -= lr v  (Robbins & Monro 1951; momentum: Polyak 1964). w, g, v [K, P].

    Nesterov's momentum: w -= lr (g + momentum v)  (Sutskever et al. 2013).
    """

    state_names = ("v",)
    options: tuple[str, ...] = ("momentum", "nesterov")

    def _update(self, w: Tensor, g: Tensor, **s: Tensor) -> None:
        v = self.state["v"].mul_(s["momentum"]).add_(g)
        if self.any_nesterov:
            v = torch.where(s["nesterov"] > 0, g + v * s["momentum"], v)
        w.sub_(v * s["lr"])

    @cached_property
    def any_nesterov(self) -> bool:
        """Whether one of the lanes that this began with has Nesterov's momentum."""
        return bool(self.settings["nesterov"].any())


class RmsProp(Optimizer):
    """v = alpha v + (1 - alpha) g^2;  w -= lr g / (sqrt(v) + eps)  (Tieleman & Hinton 2012). w, g, v [K, P]."""

    state_names = ("v",)
    options = ("alpha", "eps")

    def _update(self, w: Tensor, g: Tensor, **s: Tensor) -> None:
        v = self.state["v"].mul_(s["alpha"]).add_(g.square().mul_(1 - s["alpha"]))
        w.sub_(s["lr"] * g / v.sqrt().add_(s["eps"]))


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1); w, g, m, v [K, P], n the number of updates so far:

    m = beta1 m + (1 - beta1) g,    v = beta2 v + (1 - beta2) g^2
    w -= lr m / (1 - beta1^n) / (sqrt(v / (1 - beta2^n)) + eps)
    """

    state_names = ("m", "v")
    options: tuple[str, ...] = ("beta1", "beta2", "eps")

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


class Decoupled(Optimizer):
    """w -= lr weight_decay w, beside the gradient's update and never through its means (Loshchilov & Hutter 2019).

    A weight that the loss ignores falls as (1 - lr weight_decay)^updates whatever the optimiser. L2 in the loss
    (`penalty=l2`) adds weight_decay w to the gradient instead: for plain SGD the same, for Adam not.
    """

    def step(self, weights: Tensor, gradients: Tensor) -> None:
        weights.sub_(weights * (self.settings["lr"] * self.settings["weight_decay"]))
        super().step(weights, gradients)


class AdamW(Decoupled, Adam):
    """w -= lr weight_decay w beside Adam's step, of every parameter: torch's AdamW (Loshchilov & Hutter 2019)."""

    options = (*Adam.options, "weight_decay")


class SgdW(Decoupled, Sgd):
    """w -= lr weight_decay w beside SGD's step, of every parameter (Loshchilov & Hutter 2019).

    Without momentum this is torch.optim.SGD's `weight_decay`.
    """

    options = (*Sgd.options, "weight_decay")


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": Sgd, "sgdw": SgdW, "rmsprop": RmsProp, "adam": Adam, "adamw": AdamW}
