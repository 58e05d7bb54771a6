"""The initial weights of one lane of a network, drawn parameter by parameter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from sweeps import tasks
from sweeps.config import schema
from sweeps.config.schema import Settings
from sweeps.engine.architectures import Parameter, architecture
from sweeps.engine.embedding import NAME as EMBEDDING
from sweeps.engine.init import INITS, Place, glorot, time_scale_biases
from sweeps.engine.network import Network, layer_of
from sweeps.engine.randomness import generator
from sweeps.signatures import named
from sweeps.theory.mean_field import critical_variance, moments

SEQUENCES = 256
"""Of which the power of a task's inputs is the mean, for `init=critical`."""


def initialise(network: Network, lane: int, settings: Settings, task: tasks.Task) -> None:
    """Draw the weights of one lane; each gate block of each parameter has a random stream of its own.

    Input and readout weights depend only on the seed, the gate, the shape and their scales, so cells that differ in
    `init` share them.
    """
    init, draw = settings.init, _drawing(network, settings, task)
    for name, parameter in network.parameters(settings.arch.options).items():
        blocks = network.p[name][lane].chunk(len(parameter.blocks), -1)
        scales = _time_scales(name, parameter, settings, network.sizes.hidden, task.length)
        for block, weights in zip(parameter.blocks, blocks, strict=True):
            rng = generator(settings.seed, "init", name, *filter(None, [block]))
            if callable(parameter.draw):
                _assign(weights, parameter.draw(rng, tuple(weights.shape)))
            elif parameter.draw == "recurrent":
                _assign(weights, draw(rng, len(weights), name, block))
            elif parameter.draw == "input":
                _assign(weights, _scale(name, init) * glorot(rng, *weights.shape))
            elif parameter.draw == "normal":
                _assign(weights, rng.standard_normal(weights.shape, np.float32))
            elif scales is not None and block in parameter.keeps:
                _assign(weights, parameter.keeps[block] * scales)
            else:
                weights.fill_(parameter.values.get(block, 0.0))


def _drawing(
    network: Network, settings: Settings, task: tasks.Task
) -> Callable[[np.random.Generator, int, str, str], np.ndarray]:
    """(rng, n, parameter, gate block) -> a recurrent matrix of the cell's initialisation."""
    init, make, phi = settings.init, INITS[settings.init.name], architecture(network.arch).phi
    if "place" not in named(make, 3):
        return lambda rng, n, name, block: make(rng, n, init.gain, **init.options)
    drives = drives_of(network, settings, task) if init.name == "critical" else [0.0] * network.stack.layers

    def drawn(rng: np.random.Generator, n: int, name: str, block: str) -> np.ndarray:
        return make(rng, n, init.gain, place=Place(block, phi, drives[layer_of(name)]), **init.options)

    return drawn


def drives_of(network: Network, settings: Settings, task: tasks.Task) -> list[float]:
    """The variance of what its inputs add to a unit, of each layer at its start: power of the inputs times the variance
    of a weight.

    The lowest layer reads the task's inputs, or their embedding. A layer above reads that below, in the stationary
    state of mean-field theory at its critical point; normalisation, residuals and dropout are not looked at.
    """
    hidden, width = network.sizes.hidden, network.directions * network.sizes.hidden
    rng = generator(0, "power of the inputs")  # the same for all seeds
    power, columns = tasks.input_power(task, rng, SEQUENCES), network.sizes.inputs
    if network.stack.embedding:
        power, columns = power * network.stack.embedding, network.stack.embedding
    drives: list[float] = []
    for _ in range(network.stack.layers):
        drives.append(settings.init.input_scale**2 * 2 / (columns + hidden) * power)
        power, columns = width * moments("tanh", critical_variance(drives[-1])).square, width
    return drives


def _time_scales(name: str, parameter: Parameter, settings: Settings, hidden: int, length: int) -> np.ndarray | None:
    """The biases of `init=chrono`, one of each unit, where a parameter has gates that keep a state."""
    if settings.init.name != "chrono" or not parameter.keeps:
        return None
    t_max = int(settings.init.options["t_max"]) or length
    return time_scale_biases(generator(settings.seed, "init", name, "time scales"), hidden, t_max)


def _scale(name: str, init: schema.Init) -> float:
    """The factor on input weights of this name."""
    if name == "weight_out":
        return init.readout_scale
    return 1.0 if name.startswith((EMBEDDING, "start_from")) else init.input_scale


def _assign(target: torch.Tensor, value: np.ndarray) -> None:
    target.copy_(torch.from_numpy(value))
