"""Evaluates trained networks at lengths that they were not trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sweeps.check import problems_with
from sweeps.config.schema import Settings
from sweeps.engine.trained import evaluation
from sweeps.errors import ConfigError


class AtLength(NamedTuple):
    """Mean loss and score of a network over an evaluation set of sequences of another length."""

    length: int  # of the setting task.length
    loss: float
    score: float


def at_lengths(settings: Settings, weights: Mapping[str, np.ndarray], lengths: Sequence[int]) -> Iterator[AtLength]:
    """Loss and score of a trained network at each of these lengths, on the evaluation set of the cell's seed there.

    At the length that it was trained on this is the last evaluation of its record.

    Args:
        settings: of the cell.
        weights: as `sweeps.weights` gives them.
        lengths: values of `task.length`.

    Raises:
        ConfigError: the task has no such length, or the machine cannot take it.
        ValueError: the network's own sizes depend on the length, so that there is none of another.
    """
    cells = [
        replace(settings, task=replace(settings.task, length=length), train=replace(settings.train, truncate=0))
        for length in lengths
    ]
    if problems := problems_with(cells):
        raise ConfigError(problems)
    for cell in cells:
        loss, score = evaluation(cell, weights, cell.executor.kernel, cell.executor.device)
        yield AtLength(cell.task.length, loss, score)
