"""What a probe sees of a cell at an evaluation: its recurrences in float64, and what they read at this step.

A recurrence is run again from its definition (`engine.architectures`), on the batch of the update whose gradient
through time the record has at this step, with the weights before that update. Nothing that training uses is written to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sweeps.engine.architectures import Parameter, State, architecture
from sweeps.engine.architectures.base import Weights
from sweeps.engine.exact_slopes import ExactSlopes
from sweeps.engine.layer import Layer
from sweeps.engine.memory import over_time
from sweeps.engine.setup import Training

STARTS = ("start", "start_from")
"""Parameters beside those of an architecture, from which start states are made."""


@dataclass(frozen=True)
class Recurrent:
    """One recurrence of a cell, all in float64 on the CPU.

    Attributes:
        layer, direction: its place, as in gradient_through_time.csv.
        parameters: how its parameters are drawn, by name.
        p: its parameters, each `[1, *shape]`.
        prepared: those that its time step reads, each `[1, *shape]`: the same unless the architecture makes them.
        step: `(prepared, x [1, N, I], state before, each part [1, N, H]) -> state after`.
        x: what it read, `[T, B, I]`, in the order in which it reads.
        before, after: its state before and after each time step, each part `[T, B, H]`.
    """

    layer: int
    direction: int
    parameters: dict[str, Parameter]
    p: Weights
    prepared: Weights
    step: Callable[[Weights, Tensor, State], State]
    x: Tensor
    before: State
    after: State

    @property
    def place(self) -> tuple[int, int]:
        """The columns `base.PLACE`."""
        return self.layer, self.direction


@dataclass(frozen=True)
class Snapshot:
    """One cell at an evaluation.

    Attributes:
        recurrences: its recurrences, those of the lowest layer first.
        readout: weights `[N, O]` and bias `[O]` of the readout of the highest layer's states; None where it reads more.
    """

    recurrences: list[Recurrent]
    readout: tuple[Tensor, Tensor] | None


def snapshot(training: Training, lane: int) -> Snapshot:
    """One lane of a pack, after the forward pass of a training batch."""
    network = training.network
    weight, bias = (network.p[name][lane].detach().double().cpu() for name in ("weight_out", "bias_out"))
    plain = not network.stack.residual and network.stack.attention == "none"
    recurrences = [_recurrence(training, lane, *place) for place in network.traced]
    return Snapshot(recurrences, (weight, bias) if plain else None)


def _recurrence(training: Training, lane: int, n: int, direction: int) -> Recurrent:
    network, sizes = training.network, training.network.inner
    layer: Layer = network.layers[n]
    own, made, options = layer.directions[direction], architecture(network.arch), network.options

    def of_lane(x: Tensor) -> Tensor:
        return x[lane : lane + 1].detach().double().cpu()

    p = {name: of_lane(value) for name, value in own.p.items() if name not in STARTS}
    x = of_lane(over_time(layer.x_reverse) if direction else layer.x)[0].unflatten(0, (sizes.length, sizes.batch))
    state: State = tuple(torch.zeros(1, sizes.batch, sizes.hidden).double() for _ in range(network.states))
    if own.started is not None:
        state = tuple(of_lane(part) for part in own.started)
    step, before, after = made.step_with(options), [], []
    with ExactSlopes():
        prepared = made.prepare_with(options)(p)
        for x_t in x:
            before.append(state)
            state = step(prepared, x_t.unsqueeze(0), state)
            after.append(state)
    parameters = made.parameters_with(x.shape[-1], sizes.hidden, options, n)

    def stacked(states: list[State]) -> State:
        return tuple(torch.cat(part) for part in zip(*states, strict=True))

    return Recurrent(n, direction, parameters, p, prepared, step, x, stacked(before), stacked(after))
