"""Terms beside the task's loss in what is differentiated, lane by lane; clipping comes after them.

A penalty is a function (weights `[K, P]`, own options `[K, 1]` each) -> its gradient `[K, P]`; to add one, write it
here, name it in `PENALTIES` and add its YAML. One that names `passed` is given the lanes' forward and backward pass on
the batch. Recorded losses and the gradient through time are the task's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sweeps.engine.data import Examples
from sweeps.engine.network import Network
from sweeps.engine.passed import Again, Passed, omega_gradient
from sweeps.signatures import named


def none(weights: Tensor) -> Tensor:
    """Nothing: what is differentiated is the loss of the task alone."""
    return torch.zeros_like(weights)


def l2(weights: Tensor, strength: Tensor) -> Tensor:
    """The gradient strength w of strength / 2 ||w||^2 over all parameters: `weight_decay` of torch's SGD and Adam.

    Beside it stands decoupled decay (`optim=adamw`), which no mean of Adam's divides.
    """
    return weights * strength


def omega(weights: Tensor, strength: Tensor, passed: Passed) -> Tensor:
    """strength times the gradient of Pascanu et al.'s Omega (2013, eq. 9 and 10): gradients that keep their norm.

    Of a network h_t = phi(x_t), x_t = h_{t-1} W + ... let delta_t = dE/dx_t, of one sequence, with E the batch's loss:

        Omega = sum_t (r_t - 1)^2 / T',    r_t = ||(delta_{t+1} W^T) phi'(x_t)||^2 / ||delta_{t+1}||^2

    the mean over sequences; T' counts the time steps with ||delta_{t+1}||^2 >= 1e-20, the only ones in the sum. As in
    the paper only the immediate derivative with respect to W is taken, with states and deltas held fixed, so that this
    is a gradient of `weight_hh` alone, one product over all time steps. Each layer and direction has an Omega of its
    own. weights [K, P], strength [K, 1].
    """
    gradient = torch.zeros_like(weights)
    for each in passed.recurrences:
        for k in range(len(weights)):
            alone = (part[k].clone() for part in (each.weight, each.delta, each.slope))  # aligned alike in any pack
            found = omega_gradient(*alone)
            gradient[k, each.place] = (strength[k] * found).to(gradient.dtype).flatten()
    return gradient


PENALTIES: dict[str, Callable[..., Tensor]] = {"none": none, "l2": l2, "omega": omega}


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
                self._groups.append((PENALTIES[name], lanes, settings))
        self._again: Again | None = None

    def add(self, network: Network, batch: Examples) -> None:
        """Add the penalties' gradients to those of the network, in place, after its backward pass on a batch."""
        weights, gradients = network.p.flat, network.grads.flat
        for penalty, lanes, settings in self._groups:
            given: dict[str, Any] = dict(settings)
            if "passed" in named(penalty, 1):
                self._again = self._again or Again(network, lanes)
                given["passed"] = self._again(network, batch)
            gradients[lanes] += penalty(weights[lanes], **given)

    def keep(self, lanes: Sequence[int]) -> Penalties:
        """The penalties of these lanes only, in that order."""
        return Penalties([self.names[k] for k in lanes], [self.options[k] for k in lanes], self.device)
