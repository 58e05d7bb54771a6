"""Symbols from a trained network that predicts the next one, each fed back as the next input (Graves 2013)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from sweeps.config.schema import Settings
from sweeps.engine.network import Network, suffix
from sweeps.engine.train import prepare_process
from sweeps.engine.trained import trained


@torch.no_grad()
def symbols(
    settings: Settings, weights: Mapping[str, np.ndarray], first: Sequence[int], temperature: float, seed: int
) -> Iterator[int]:
    """What the network goes on with after it has read some symbols, without end.

    The next symbol is drawn with probabilities softmax(outputs / temperature); at 0 it is the likeliest, the argmax.
    The state goes on from one symbol to the next.

    Args:
        settings: of the cell; its task has a symbol and a target at every time step, one-hot.
        weights: as for `trained`.
        first: numbers of the symbols that are read before; one at least.
        seed: of the draws, and of the start state where that is random.

    Raises:
        ValueError: the arrays are not those of such a network, or its outputs are not finite (later ones as they come).
    """
    prepare_process()
    network, state = _one_step(trained(settings, weights, settings.executor.kernel).network)
    rng = np.random.default_rng(seed)
    if settings.stack.start == "random":
        state = torch.from_numpy(rng.standard_normal(state.shape) * settings.stack.start_scale).float()
    *before, last = first
    for symbol in before:
        _, state = _read(network, symbol, state)
    return _going_on(network, *_read(network, last, state), temperature, rng)


@torch.no_grad()
def _going_on(
    network: Network, outputs: np.ndarray, state: torch.Tensor, temperature: float, rng: np.random.Generator
) -> Iterator[int]:
    while True:
        symbol = _drawn(outputs, temperature, rng)
        yield symbol
        outputs, state = _read(network, symbol, state)


def _one_step(whole: Network) -> tuple[Network, torch.Tensor]:
    """The network for one time step of one sequence, and its start state, `[1, 1, S]`; nothing is dropped in it."""
    sizes = replace(whole.sizes, length=1, batch=1, truncate=0)
    stack = replace(whole.stack, start="zero")
    network = Network(
        whole.arch, sizes, whole.outputs, whole.loss_name, whole.kernel, whole.options, stack, whole.every
    )
    for name, value in network.p.items():
        value.copy_(whole.p[name])
    if whole.stack.start == "learned":
        return network, torch.cat([whole.p["start" + suffix(*each)] for each in whole.traced], -1).unsqueeze(1)
    return network, torch.zeros(1, 1, network.state_width)


def _read(network: Network, symbol: int, state: torch.Tensor) -> tuple[np.ndarray, torch.Tensor]:
    """The outputs after one more symbol, float64 `[O]`, and the state then."""
    x = torch.zeros(1, 1, network.sizes.inputs)
    x[0, 0, symbol] = 1.0
    outputs = network.forward(x, state)[0, 0].double().numpy()
    if not np.isfinite(outputs).all():
        raise ValueError("the outputs of its network are not finite, so there is no next symbol")
    return outputs, network.end()


def _drawn(outputs: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    if temperature == 0:
        return int(outputs.argmax())
    scaled = (outputs - outputs.max()) / temperature
    weights = np.exp(scaled).cumsum()
    return int(weights.searchsorted(rng.random() * weights[-1], side="right"))
