"""What the forward and the backward pass of a plain network hold at each time step, for a penalty that asks for it.

The kernels that train need not keep it. So the pass is made once more, for the lanes that ask, with the backward pass
that is written by hand (`recurrences/rnn.py`), and nothing of the training's own pass changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sweeps.engine.architectures import architecture
from sweeps.engine.data import Examples
from sweeps.engine.network import Network, suffix
from sweeps.engine.recurrences.rnn import Rnn
from sweeps.errors import SweepsError

BOUND = 1e-20
"""Of ||dE/dx_t||^2 of a sequence: below it, a time step does not count (Pascanu et al.'s own code)."""


class Held(NamedTuple):
    """One recurrence h_t = phi(x_t), x_t = h_{t-1} W + ..., of K lanes."""

    place: slice  # of W in a row of the flat parameters
    weight: Tensor  # W, [K, H, H]
    delta: Tensor  # dE/dx_t, [K, T, B, H], E the mean loss of the batch
    slope: Tensor  # phi'(x_t), [K, T, B, H]


class Passed(NamedTuple):
    """Each layer and direction, the lowest first."""

    recurrences: list[Held]


class Again:
    """Makes the pass of some lanes of a network once more.

    Raises:
        SweepsError: its architecture has no backward pass that is written by hand.
    """

    def __init__(self, network: Network, lanes: Sequence[int]) -> None:
        self.lanes, self.network = list(lanes), network.keep(lanes, kernel="torch")
        self.phi = architecture(network.arch).phi
        if not all(isinstance(each, Rnn) for each in self._recurrences()):
            raise SweepsError(f"arch={network.arch} has no backward pass that keeps dE/dx_t, which penalty=omega is of")

    def __call__(self, network: Network, batch: Examples) -> Passed:
        """The pass on a batch, with the weights as they are now."""
        own, lanes = self.network, self.lanes
        own.p.flat.copy_(network.p.flat[lanes])
        x, y, weights, _, start, masks, lengths = batch
        some = [None if each is None else each[lanes] for each in (weights, start, lengths)]
        of_lanes = {place: mask[lanes] for place, mask in masks.items()}
        own.gradients(x[lanes], y[lanes], (), (), some[0], some[1], of_lanes, some[2])
        places = dict(zip(own.p, own.p.places, strict=True))
        held = []
        for (layer, direction), each in zip(own.traced, self._recurrences(), strict=True):
            name, h = f"weight_hh{suffix(layer, direction)}", each.h[:, 1:].double()
            slope = 1 - h**2 if self.phi == "tanh" else (h > 0).double()
            held.append(Held(places[name], own.p[name].double(), each.delta.double(), slope))
        return Passed(held)

    def _recurrences(self) -> list[Rnn]:
        return [each.recurrence for layer in self.network.layers for each in layer.directions]  # type: ignore[misc]


def omega_ratios(weight: Tensor, delta: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """r_t and whether ||delta_{t+1}||^2 is large enough to count, both `[T - 1, B]`, of one lane.

    Args:
        weight: W, float64 `[H, H]`; `delta` and `slope` `[T, B, H]`.
    """
    after, before = delta[1:].square().sum(-1), (delta[1:] @ weight.T * slope[:-1]).square().sum(-1)
    counts = after >= BOUND
    return torch.where(counts, before / after, 1.0), counts


def omega_gradient(weight: Tensor, delta: Tensor, slope: Tensor) -> Tensor:
    """The gradient `[H, H]` of Omega with respect to W, with `delta` and `slope` held fixed; 0 where no step counts.

    Of one sequence and time step, d r / d W_ij = 2 ((delta W^T)_i phi'_i^2) delta_j / ||delta||^2.
    """
    ratios, counts = omega_ratios(weight, delta, slope)
    after = delta[1:]
    factor = torch.where(counts, 4 * (ratios - 1) / after.square().sum(-1), 0.0) / counts.sum().clamp(min=1)
    left = after @ weight.T * slope[:-1].square() * factor.unsqueeze(-1)
    return left.flatten(0, 1).T @ after.flatten(0, 1)
