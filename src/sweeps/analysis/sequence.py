"""One sequence through a network as panels to look at: inputs, states and outputs by time step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Panel:
    """Numbers by time step.

    Attributes:
        name: what they are.
        row: what one of their columns is: input, unit, source (a time step of it), class, output.
        values: [n, R]; nan where nothing is asked.
    """

    name: str
    row: str
    values: np.ndarray


@dataclass(frozen=True)
class Bars:
    """Numbers without a time: the one answer of a sequence, or the vector that it starts from.

    Attributes:
        row: what one of them is: class, output, input.
        values: [R].
        target: [R], what they should be; 0 and 1 for classes; None where nothing is asked.
        classes: whether they are probabilities of classes.
    """

    name: str
    row: str
    values: np.ndarray
    target: np.ndarray | None = None
    classes: bool = False


@dataclass(frozen=True)
class Shown:
    """One sequence, panels from above to below, then bars."""

    steps: int
    panels: tuple[Panel, ...]
    bars: tuple[Bars, ...]
