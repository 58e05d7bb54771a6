"""One evaluation sequence through a trained network: what it reads, every state, what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sweeps.config.schema import Settings
from sweeps.engine.ends import reverse
from sweeps.engine.train import prepare_process
from sweeps.engine.trained import trained


class OneSequence(NamedTuple):
    """A sequence of n time steps; of one that is padded, its own.

    Attributes:
        inputs: [n, I].
        states: h_t of each layer and direction (0; 1 reads backwards), [n, H], by the time steps of the sequence: in
            both directions row t is the state after x_t was read. NaN before the last of what reads a sequence at once.
        attention: [n, S], the weights with which the answer at t reads the states of the source; NaN at its own time
            steps. None without attention to a source.
        outputs: [n, O] where every time step has an answer, else [O]; in classification probabilities.
        target: of the same shape; in classification 1 for the class that is right and 0 for all others.
        asked: whether an answer counts in the loss, [n]; None where there is one answer.
        classes: whether the task is one of classification.
        vector: [C], what the start states are made from; None where the task has none.
    """

    inputs: np.ndarray
    states: dict[tuple[int, int], np.ndarray]
    attention: np.ndarray | None
    outputs: np.ndarray
    target: np.ndarray
    asked: np.ndarray | None
    classes: bool
    vector: np.ndarray | None


@torch.no_grad()
def one_sequence(settings: Settings, weights: Mapping[str, np.ndarray]) -> OneSequence:
    """The first sequence of the cell's evaluation set through its network, by torch's kernels on the CPU.

    Args:
        weights: as for `trained`.

    Raises:
        ValueError: the arrays are not those of such a network.
    """
    prepare_process()
    training = trained(settings, weights, "torch", "cpu")
    network = training.network
    examples, _ = next(iter(training.data.evaluation()))
    outputs = network.forward(examples.x, examples.start, lengths=examples.lengths)
    length, batch = network.sizes.length, network.sizes.batch
    n = length if examples.lengths is None else int(examples.lengths[0, 0])

    def first(each: Tensor) -> np.ndarray:
        """The first sequence of `[1, T*B, ...]`, its own time steps."""
        values = each.unflatten(1, (length, batch))[0, :n, 0].double().numpy(force=True)
        return np.asarray(values)

    states: dict[tuple[int, int], np.ndarray] = {}
    for layer, direction in network.traced:
        found = network.layers[layer].directions[direction].h
        own = reverse(found, examples.lengths) if direction else found
        rows = own[0, :n, 0].double().numpy(force=True)
        states[layer, direction] = np.full((n, rows.shape[1]), np.nan)
        states[layer, direction][-len(rows) :] = rows
    attention = None
    if network.attention is not None:
        attention = np.full((n, network.attention.source), np.nan)
        attention[network.attention.source :] = network.attention.a[0][0, 0].double().numpy()
    answers, y = (first(each) if network.every else each[0, 0].double().numpy() for each in (outputs, examples.y))
    classes = network.loss_name == "cross_entropy"
    asked = None
    if network.every:
        asked = np.ones(n, bool) if examples.weights is None else first(examples.weights) > 0
    return OneSequence(
        first(examples.x),
        states,
        attention,
        probabilities(answers) if classes else answers,
        np.eye(network.outputs)[y.astype(np.int64)] if classes else y,
        asked,
        classes,
        examples.start[0, 0].double().numpy() if network.vector and examples.start is not None else None,
    )


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """The softmax over the last axis."""
    shifted = np.exp(outputs - outputs.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True))
