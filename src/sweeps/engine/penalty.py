"""Terms beside the task's loss in what is differentiated, lane by lane; clipping comes after them.

A penalty is a function (weights `[K, P]`, own options `[K, 1]` each) -> its gradient `[K, P]`; to add one, write it
here, name it in `PENALTIES` and add its YAML. Recorded losses and the gradient through time are the task's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor


def none(weights: Tensor) -> Tensor:
    """Nothing: what is differentiated is the loss of the task alone."""
    return torch.zeros_like(weights)


def l2(weights: Tensor, strength: Tensor) -> Tensor:
    """The gradient strength w of strength / 2 ||w||^2 over all parameters: `weight_decay` of torch's SGD and Adam.

    Beside it stands decoupled decay (`optim=adamw`), which no mean of Adam's divides.
    """
    return weights * strength


PENALTIES: dict[str, Callable[..., Tensor]] = {"none": none, "l2": l2}


class Penalties:
    """Adds the gradient of each lane's penalty; a lane without one keeps its bits.

    Args:
        names: of each lane's penalty.
        options: of each.
    """

    def __init__(
        self, names: Sequence[str], options: Sequence[Mapping[str, float]], device: torch.device | str = "cpu"
    ) -> None:
        self.names, self.options, self.device = list(names), list(options), device
        self._groups = []
        for name in PENALTIES:
            lanes = [k for k, own in enumerate(self.names) if own == name]
            if lanes and name != "none":  # not even adding 0 is nothing: it makes 0 of -0
                settings = {
                    key: torch.tensor([[options[k][key]] for k in lanes], dtype=torch.float32, device=device)
                    for key in options[lanes[0]]
                }
                self._groups.append((PENALTIES[name], torch.tensor(lanes, device=device), settings))

    def add(self, weights: Tensor, gradients: Tensor) -> None:
        """Add the penalties' gradients to `gradients [K, P]`, in place."""
        for penalty, lanes, settings in self._groups:
            gradients[lanes] += penalty(weights[lanes], **settings)

    def keep(self, lanes: Sequence[int]) -> Penalties:
        """The penalties of these lanes only, in that order."""
        return Penalties([self.names[k] for k in lanes], [self.options[k] for k in lanes], self.device)
