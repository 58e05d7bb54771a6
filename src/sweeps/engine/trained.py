"""A network with the weights that a cell ended with, and the cell's evaluation set: to look into it, or use it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from sweeps.config.schema import Settings
from sweeps.engine.parameters import recorded
from sweeps.engine.setup import Training, set_up
from sweeps.engine.train import evaluate, prepare_process


def trained(
    settings: Settings, weights: Mapping[str, np.ndarray], kernel: str = "auto", device: torch.device | str = "cpu"
) -> Training:
    """A pack of one lane: the network, with `evaluate` of `train` for its evaluation set, before any further update.

    Args:
        settings: of the cell; its task may have another length, where the network's sizes do not depend on it.
        weights: float32 arrays by the names of the records, as `weights.npz` holds them.

    Raises:
        ValueError: the arrays are not those of such a network.
    """
    training = set_up([settings], kernel, device)
    network = training.network
    wanted: dict[str, torch.Tensor] = {}
    for name, parameter in network.parameters(network.options).items():
        wanted |= recorded(name, parameter, network.p[name][0])
    if different := sorted(wanted.keys() ^ weights.keys()):
        raise ValueError(f"the weights and the network of these settings differ in {', '.join(different)}")
    for name, target in wanted.items():
        values = weights[name]
        if values.shape != tuple(target.shape):
            raise ValueError(f"{name} is {list(values.shape)}, must be {list(target.shape)} for these settings")
        target.copy_(torch.from_numpy(values))
    return training


@torch.no_grad()
def evaluation(
    settings: Settings, weights: Mapping[str, np.ndarray], kernel: str = "auto", device: torch.device | str = "cpu"
) -> tuple[float, float]:
    """Mean loss and score over the cell's evaluation set; arguments and errors as for `trained`."""
    prepare_process()
    [found] = evaluate(trained(settings, weights, kernel, device))
    return found
